import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOHTTP1
import Text
import Web

/// The failure of a download, in one line.
package struct DownloadError: Error, CustomStringConvertible {
  /// The kind of failure.
  package enum Cause: Equatable {
    /// No server answered.
    case unreachable
    /// The server answered with an error status.
    case status(Int)
    /// The connection was lost in every attempt.
    case interrupted
    /// The file's hash differs.
    case wrongHash
    /// The file exceeds the size limit.
    case tooLarge
    /// The server sent a web page instead of the file.
    case page
    /// The address is invalid, or redirects to an invalid one.
    case invalidAddress
  }

  package let cause: Cause
  package let description: String

  /// An error with a message.
  package init(cause: Cause, description: String) {
    (self.cause, self.description) = (cause, description)
  }
}

/// A resumable download of one large file over HTTP, which appears under its name only when it is complete
/// and has the right hash.
///
/// Bytes are appended to `NAME.part`. It is resumed if the file's hash is known, or if the server confirms
/// that the file is unchanged: by its entity tag, else by its time of modification, kept in
/// `NAME.part.etag` (RFC 9110, sections 13.1.5 and 14).
package struct ResumableDownload {
  /// The file's URL.
  package let url: String
  /// Its final name; the folder must exist.
  package let path: String
  /// Its hash, if it is known.
  package let sha256: String?
  /// The size limit in bytes.
  package var maximumBytes: Int
  /// Attempts without progress after which an unstable connection is a failure.
  package var attempts: Int
  /// Seconds before the first retry; doubled for each further one.
  package var retryDelay: Double

  /// The cookies to send.
  package var cookies: String?
  /// Whether a web page is a failure: some servers send one with status 200 instead of the file.
  package var refusesPages = false

  /// A download of one file.
  package init(
    url: String,
    path: String,
    sha256: String?,
    maximumBytes: Int = 2 << 30,
    attempts: Int = 5,
    retryDelay: Double = 1
  ) {
    (self.url, self.path, self.sha256) = (url, path, sha256)
    (self.maximumBytes, self.attempts, self.retryDelay) = (maximumBytes, attempts, retryDelay)
  }

  private var partial: String { path + ".part" }
  private var tag: VersionTag { VersionTag(of: partial) }

  /// Downloads the file.
  ///
  /// - Parameter progress: Called with (bytes downloaded, size if known).
  /// - Returns: Its hash.
  /// - Throws: `DownloadError`, or `FileError` for the disk.
  package func run(progress: (Int, Int?) -> Void) async throws -> String {
    try await HTTPClient.withHTTPClient(configuration: .singleFile) { client in
      try await download(client, progress)
    }
  }

  private func download(
    _ client: HTTPClient,
    _ progress: (Int, Int?) -> Void
  ) async throws -> String {
    var (attempt, isResumable) = (1, true)
    var (most, stated) = (0, Int?.none)
    // Open and locked to the end: no other process takes the file between two attempts.
    let file = try PartialFile(partial, keeping: canResume)
    while true {
      if !isResumable || !canResume { try file.restart() }
      let resumed = file.size > 0
      do {
        try await transfer(client, file, &stated, progress)
      } catch let error as DownloadError
        where (error.cause == .interrupted || error.cause == .unreachable && most > 0)
        && (attempt < attempts || file.size > most)
      {
        // A server that has sent bytes may come back; one that never answered is not retried.
        // Progress resets the count: a connection that breaks every hour finishes in the end.
        attempt = file.size > most ? 2 : attempt + 1
        most = max(most, file.size)
        try await Task.sleep(for: .seconds(backOff(retryDelay, afterAttempt: attempt - 1)))
        continue
      }
      let digest = file.digest
      if let sha256, digest != sha256 {
        if resumed, isResumable {
          // The partial file may be of another version: restart the download.
          isResumable = false
          continue
        }
        file.remove()
        throw DownloadError(
          cause: .wrongHash,
          description: "\(url) has the sha256 \(digest), not \(sha256); nothing was kept"
        )
      }
      try file.finish(as: path)
      tag.remove()
      return digest
    }
  }

  /// Without a hash to check at the end, only an entity tag or a time validates the partial file.
  private var canResume: Bool { sha256 != nil || tag.stored != nil }

  private func transfer(
    _ client: HTTPClient,
    _ file: PartialFile,
    _ stated: inout Int?,
    _ progress: (Int, Int?) -> Void
  ) async throws {
    var request = FollowedRequest(url: url, headers: [:])
    request.headers = ["User-Agent": Version.userAgent, "Accept-Encoding": "identity"]
    if let cookies { request.headers.add(name: "Cookie", value: cookies) }
    if file.size > 0 {
      request.headers.add(name: "Range", value: "bytes=\(file.size)-")
      if let version = tag.stored { request.headers.add(name: "If-Range", value: version) }
    }
    let response: HTTPClientResponse
    do { response = try await request.execute(client) } catch let error as DownloadError {
      throw error
    } catch {
      if Self.hungUp(error) {
        throw interrupted(file, nil, "hung up before an answer: \(Self.words(error))")
      }
      throw DownloadError(
        cause: .unreachable,
        description: "cannot reach \(url): \(Self.words(error))"
      )
    }
    let total = try prepare(file, response, &stated)
    do {
      for try await part in response.body {
        try part.withUnsafeReadableBytes { try file.append($0) }
        if file.size > min(maximumBytes, total ?? .max) {
          file.remove()
          throw DownloadError(
            cause: .tooLarge,
            description: "\(url) sends more than \(total ?? maximumBytes) bytes; nothing was kept"
          )
        }
        progress(file.size, total)
      }
    } catch let error as DownloadError {
      throw error
    } catch let error as FileError {
      throw error
    } catch {
      throw interrupted(file, total, Self.words(error))
    }
    if let total, file.size < total { throw interrupted(file, total, "the connection closed") }
  }

  /// Positions the partial file where the response starts.
  ///
  /// - Parameters:
  ///   - file: The partial file.
  ///   - response: The head of the response.
  ///   - stated: The size of the whole file by earlier responses; set to this one's.
  /// - Returns: The size of the whole file, if the server gives it.
  /// - Throws: `DownloadError` for a response that is not the file, `FileError` for the disk.
  private func prepare(
    _ file: PartialFile,
    _ response: HTTPClientResponse,
    _ stated: inout Int?
  ) throws -> Int? {
    let length = response.headers.first(name: "Content-Length").flatMap { Int($0) }
    let type = response.headers.first(name: "Content-Type")?.lowercased() ?? ""
    if refusesPages, type.hasPrefix("text/html") {
      throw DownloadError(cause: .page, description: "\(url) answers with a web page, not the file")
    }
    switch Int(response.status.code) {
    case 200:
      try file.restart()
      stated = nil
      tag.remove()
      // A weak tag does not guarantee equal bytes.
      let strong = response.headers.first(name: "ETag").flatMap { $0.hasPrefix("\"") ? $0 : nil }
      if let version = strong ?? response.headers.first(name: "Last-Modified") {
        try tag.store(version)
      }
    case 206:
      let text = response.headers.first(name: "Content-Range") ?? ""
      let range = ContentRange(text)
      let isSame = range?.total == nil || stated == nil || range?.total == stated
      let fits = range.map { $0.start == file.size && length ?? $0.count == $0.count } ?? false
      guard let range, fits, isSame else {
        try file.restart()
        defer { stated = nil }
        throw DownloadError(
          cause: .interrupted,
          description: isSame
            ? "\(url) answers with another part (\(text.prefix(60))) than asked for"
            : "\(url) has become another file, of \(range?.total ?? 0) bytes instead of "
              + "\(stated ?? 0)"
        )
      }
      stated = range.total ?? stated
    case 416:
      // No byte follows the partial file: it is complete, or of another file. The hash decides, or the tag:
      // a changed file would have been sent anew.
      let whole = response.headers.first(name: "Content-Range")
      let isWhole = tag.stored != nil && whole == "bytes */\(file.size)"
      if file.size > 0, sha256 != nil || isWhole { return nil }
      try file.restart()
      throw DownloadError(cause: .interrupted, description: "\(url) refuses to be continued")
    case let status:
      throw DownloadError(cause: .status(status), description: "\(url) answers HTTP \(status)")
    }
    // The total of a partial response is larger than its length.
    let total = stated ?? length.map { Self.sum($0, file.size) }
    stated = total
    if let total, total > maximumBytes {
      throw DownloadError(
        cause: .tooLarge,
        description: "\(url) has \(total) bytes, at most \(maximumBytes) are expected"
      )
    }
    return total
  }

  /// The size of a file with `left` bytes to come, without overflow: a server may claim any number.
  package static func sum(_ left: Int, _ there: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(there)
    return overflow ? .max : sum
  }

  /// Whether the server took the request and then closed the connection.
  private static func hungUp(_ error: any Error) -> Bool {
    if let error = error as? IOError { return [ECONNRESET, EPIPE].contains(error.errnoCode) }
    let error = error as? HTTPClientError
    return error == .remoteConnectionClosed || error == .readTimeout || error == .deadlineExceeded
  }

  private func interrupted(_ file: PartialFile, _ total: Int?, _ reason: String) -> DownloadError {
    let whole = total.map { " of \($0)" } ?? ""
    return DownloadError(
      cause: .interrupted,
      description: "\(url) broke off after \(file.size)\(whole) bytes (\(reason)); "
        + "run the same command again to go on"
    )
  }

  private static func words(_ error: any Error) -> String {
    if let error = error as? ResponseGuard.Violation { return error.description }
    // Its own description is a pair of nested ones.
    if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
    let text = "\(error)".split(separator: "\n").first.map(String.init) ?? "unknown"
    return text.count > 160 ? text.prefix(160) + "…" : text
  }
}
