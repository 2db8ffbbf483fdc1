import Foundation
import TestSupport

/// A certificate authority of this machine, and web servers with its certificates.
struct LocalAuthority {
  static let openssl = "/usr/bin/openssl"

  let folder: String
  var certificate: String { folder + "/ca.pem" }

  private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

  struct Failed: Error { let output: String }

  init(in folder: String) async throws {
    self.folder = folder
    try await Self.run(
      ["req", "-x509", "-subj", "/CN=test", "-days", "2"] + Self.key
        + ["-keyout", "\(folder)/ca.key", "-out", "\(folder)/ca.pem"]
    )
  }

  /// Runs `body` with the port of a server that answers `/image` with `body`, under a certificate for
  /// `host` that holds for so many days from now.
  func serve<Result>(
    _ image: [UInt8],
    as host: String,
    days: Int,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (Int) async throws -> Result
  ) async throws -> Result {
    let stem = "\(folder)/\(UUID())"
    try await Self.run(
      ["req", "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)"] + Self.key
        + ["-keyout", stem + ".key", "-out", stem + ".csr"]
    )
    let sign =
      ["x509", "-req", "-in", stem + ".csr", "-CA", certificate, "-CAkey", folder + "/ca.key"]
      + ["-CAcreateserial", "-copy_extensions", "copy", "-out", stem + ".pem"]
    do {
      try await Self.run(sign + ["-days", "\(days)"])
    } catch {
      if days >= 0 { throw error }
      // OpenSSL 3.5 takes an end before the start for a mistake; 3.0 cannot be told the start.
      let (start, end) = ("20200101000000Z", "20200102000000Z")
      try await Self.run(sign + ["-not_before", start, "-not_after", end])
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(image.count)\r\nConnection: close\r\n\r\n"
    try Data(Array(head.utf8) + image).write(to: URL(filePath: folder + "/image"))
    let server = Process()
    server.executableURL = URL(filePath: Self.openssl)
    server.currentDirectoryURL = URL(filePath: folder)
    server.arguments = [
      "s_server", "-4", "-accept", "0", "-HTTP", "-key", stem + ".key", "-cert", stem + ".pem",
    ]
    let output = Pipe()
    server.standardOutput = output
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer { kill(server.processIdentifier, SIGKILL) }
    let said = try await Self.onThread {
      var said = ""
      while !said.contains("ACCEPT") || !said.hasSuffix("\n") {
        let more = output.fileHandleForReading.availableData
        if more.isEmpty { break }
        said += String(decoding: more, as: UTF8.self)
      }
      return said
    }
    let words = said.split(whereSeparator: \.isWhitespace)
    guard let port = words.last?.split(separator: ":").last.flatMap({ Int($0) }) else {
      throw Failed(output: said)
    }
    return try await body(port)
  }

  private static func run(_ arguments: [String]) async throws {
    let result = try await onThread { try runProgram(openssl, arguments) }
    guard result?.status == 0 else { throw Failed(output: result?.output ?? "no openssl") }
  }

  /// Waits on a thread of its own: the other tests need theirs.
  private static func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }
}
