import AsyncHTTPClient
import Files
import Foundation
import Laion
import NIOCore
import NIOHTTP1
import Text

/// Why a download did not end well, in one line.
package struct DownloadError: Error, CustomStringConvertible {
  /// The kinds of failure that a caller may treat differently.
  package enum Cause: Equatable {
    /// No server answered.
    case unreachable
    /// The server answered with another status than wanted.
    case status(Int)
    /// The connection was lost in every attempt.
    case interrupted
    /// The file is not the one that was asked for.
    case wrongHash
    /// More bytes than any such file has.
    case tooLarge
    /// A web page came instead of the file.
    case page
    /// The address is none, or leads to what is none.
    case address
  }

  package let cause: Cause
  package let description: String

  /// An error that says this.
  package init(cause: Cause, description: String) {
    (self.cause, self.description) = (cause, description)
  }
}

/// One large file over HTTP: goes on where an earlier attempt stopped, and appears under its name only
/// when it is whole and has the right hash.
///
/// Bytes collect in `NAME.part`. They are continued if the file's hash is known, or if the server says
/// by an entity tag or else the time of the last change, kept in `NAME.part.etag`, that it still has the
/// same file (RFC 9110, sections 13.1.5 and 14).
package struct ResumableDownload {
  /// Where the file is.
  package let url: String
  /// Its final name; the folder must exist.
  package let path: String
  /// Its hash, if it is known.
  package let sha256: String?
  /// Size in bytes above which it is refused.
  package var maximumBytes: Int
  /// Attempts without progress before a connection that keeps breaking counts as a failure.
  package var attempts: Int
  /// Seconds before the second attempt; doubled for each further one.
  package var retryDelay: Double

  /// Cookies to ask with.
  package var cookies: String?
  /// Whether a web page counts as a failure: for servers that answer with one and status 200.
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
  private var tagFile: String { path + ".part.etag" }

  /// Downloads the file.
  ///
  /// - Parameter progress: Called with (bytes there, bytes in all if known).
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
    // Open to the end, and its lock held: nobody else gets at the file between two attempts.
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
        // A connection that breaks every hour gets through in the end.
        attempt = file.size > most ? 2 : attempt + 1
        most = max(most, file.size)
        try await Task.sleep(for: .seconds(retryDelay * Double(1 << (attempt - 2))))
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
      unlink(tagFile)
      return digest
    }
  }

  /// Without a hash to check in the end, only an entity tag or a time can vouch for what is there.
  private var canResume: Bool { sha256 != nil || storedTag != nil }

  private var storedTag: String? {
    guard let data = FileManager.default.contents(atPath: tagFile), data.count < 1024 else {
      return nil
    }
    return String(decoding: data, as: UTF8.self)
  }

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
      if let storedTag { request.headers.add(name: "If-Range", value: storedTag) }
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

  /// Puts the file to where the answer starts.
  ///
  /// - Parameters:
  ///   - file: What is there.
  ///   - response: The head of the answer.
  ///   - stated: The size of the whole file that earlier answers have stated; becomes this one's.
  /// - Returns: The size of the whole file, if the server says it.
  /// - Throws: `DownloadError` for an answer that is not the file, `FileError` for the disk.
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
      unlink(tagFile)
      // A weak tag does not vouch for every byte.
      let tag = response.headers.first(name: "ETag").flatMap { $0.hasPrefix("\"") ? $0 : nil }
      if let tag = tag ?? response.headers.first(name: "Last-Modified"), tag.utf8.count < 1024 {
        try AtomicFile.write(tag, to: tagFile)
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
      // There is nothing after what is there: it is whole, or something else. The hash tells, or the
      // tag: of another file there would have been something.
      let whole = response.headers.first(name: "Content-Range")
      let isWhole = storedTag != nil && whole == "bytes */\(file.size)"
      if file.size > 0, sha256 != nil || isWhole { return nil }
      try file.restart()
      throw DownloadError(cause: .interrupted, description: "\(url) refuses to be continued")
    case let status:
      throw DownloadError(cause: .status(status), description: "\(url) answers HTTP \(status)")
    }
    // Of a part the total may be more than what this answer has.
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

  /// The size of a file of which the server has `left` bytes to send; its word may be any number.
  package static func sum(_ left: Int, _ there: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(there)
    return overflow ? .max : sum
  }

  /// Whether the server was there, took the request, and then broke off.
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
    let text = "\(error)".split(separator: "\n").first.map(String.init) ?? "unknown"
    return text.count > 160 ? text.prefix(160) + "…" : text
  }
}
