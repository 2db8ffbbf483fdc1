import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOHTTP1

/// A resumable download of one object, which appears under its name only when it is complete.
///
/// Bytes are appended to `NAME.part`. The object's tag is beside it in `NAME.part.etag`, and every request has
/// it as `If-Match`: bytes of two versions never mix. An object that nifty uploaded has its SHA-256 with it,
/// which must be the file's.
package struct ObjectDownload {
  /// The client of the bucket.
  package let client: StoreClient
  /// The object, as a list or `HEAD` shows it.
  package let object: StoredObject
  /// The file's final name; its folder must exist.
  package let path: String

  /// A download of one object.
  package init(_ object: StoredObject, to path: String, by client: StoreClient) {
    (self.object, self.path, self.client) = (object, path, client)
  }

  private var tag: VersionTag { VersionTag(of: path + ".part") }

  /// Downloads the object.
  ///
  /// - Parameters:
  ///   - sha256: The file's hash, if it is known.
  ///   - progress: Called with the bytes that are there.
  /// - Throws: `StoreError`; nothing is kept of a file with another hash.
  package func run(
    sha256: String? = nil,
    progress: (Int) -> Void = { _ in }
  ) async throws(StoreError) {
    let name = client.address(object.key)
    let isSame = tag.stored == object.tag && !object.tag.isEmpty
    let file = try disk { () throws(FileError) in try PartialFile(path + ".part", keeping: isSame) }
    if !isSame || file.size > object.size {
      try disk { () throws(FileError) in
        try file.restart()
        try tag.store(object.tag)
      }
    }
    var known = sha256 ?? object.sha256
    // With no byte left there is still the hash to be asked for.
    var (tries, isAsked) = (0, false)
    while file.size < object.size || !isAsked {
      let before = file.size
      do throws(StoreError) {
        known = try await transfer(file, name, progress) ?? known
        isAsked = true
      } catch {
        // Progress resets the count: a connection that breaks every hour ends in the end.
        tries = file.size > before ? 0 : tries + 1
        guard error.cause == .unreachable, tries < client.attempts else { throw error }
      }
    }
    if let known, file.digest != known {
      let digest = file.digest
      file.remove()
      tag.remove()
      throw StoreError(.damaged, "\(name) has the sha256 \(digest), not \(known); nothing was kept")
    }
    try disk { () throws(FileError) in try file.finish(as: path) }
    tag.remove()
  }

  /// Appends what is missing; returns the SHA-256 that is kept with the object.
  private func transfer(
    _ file: PartialFile,
    _ name: String,
    _ progress: (Int) -> Void
  ) async throws(StoreError) -> String? {
    if file.size == object.size {
      let there = try await client.head(object.key)
      guard let there, there.size == object.size, there.tag == object.tag else {
        throw changed(name)
      }
      return there.sha256
    }
    var headers: [(name: String, value: String)] = []
    if file.size > 0 { headers.append(("range", "bytes=\(file.size)-")) }
    if !object.tag.isEmpty { headers.append(("if-match", "\"\(object.tag)\"")) }
    let request = StoreClient.Request(
      method: .GET,
      key: object.key,
      headers: headers,
      action: "download \(name)",
      expected: ["PreconditionFailed", "InvalidRange", "HTTP 412", "HTTP 416"]
    )
    return try await client.attempting(request) { (response) throws(StoreError) in
      if !(200..<300).contains(response.status.code) { throw changed(name) }
      let isPart = response.status == .partialContent
      if file.size > 0, !isPart { try disk { () throws(FileError) in try file.restart() } }
      if isPart, let range = response.headers.first(name: "Content-Range") {
        guard range == "bytes \(file.size)-\(object.size - 1)/\(object.size)" else {
          throw changed(name)
        }
      }
      do {
        for try await part in response.body {
          try part.withUnsafeReadableBytes { try file.append($0) }
          if file.size > object.size { throw changed(name) }
          progress(file.size)
        }
      } catch let error as FileError {
        throw StoreError(error)
      } catch {
        throw StoreClient.interruption(error, "download of \(name)")
      }
      if file.size < object.size {
        throw StoreError(
          .unreachable,
          "\(name) broke off after \(file.size) of \(object.size) bytes"
        )
      }
      return response.headers.first(name: StoreClient.hashHeader)
    }
  }

  private func changed(_ name: String) -> StoreError {
    StoreError(.damaged, "\(name) changed while it was downloaded; run the same command again")
  }
}
