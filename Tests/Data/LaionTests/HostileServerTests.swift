import Foundation
import Images
import Laion
import TestSupport
import Testing

/// Every kind of misbehaviour ends in its own cause, within its deadline, and costs only its row.
@Suite struct HostileServerTests {
  private typealias Script = RawServer.Script

  /// One way to misbehave.
  struct Kind: CustomTestStringConvertible, Sendable {
    let name: String
    let script: RawServer.Script
    let cause: String

    var testDescription: String { name }

    init(_ name: String, _ script: RawServer.Script, _ cause: String) {
      (self.name, self.script, self.cause) = (name, script, cause)
    }
  }

  private static func ok(
    _ body: [UInt8],
    _ headers: String...,
    length: String? = nil
  ) -> [UInt8] {
    let lines = ["Content-Length: \(length ?? "\(body.count)")", "Connection: close"] + headers
    return Array("HTTP/1.1 200 OK\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n".utf8) + body
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func redirect(_ location: String) -> Script {
    .send(
      text(
        "HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
      )
    )
  }

  private static let chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

  private static func photo() throws -> [UInt8] {
    try RGBImage(
      width: 48,
      height: 48,
      pixels: (0..<48 * 48 * 3).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    ).encodedJPEG()
  }

  static func framing() throws -> [Kind] {
    let image = try samplePNG(1)
    let photo = try Self.photo()
    return [
      Kind(
        "body without end, chunked",
        .forever(
          text(chunked),
          then: text("1000\r\n" + String(repeating: "x", count: 4096) + "\r\n")
        ),
        "too many bytes"
      ),
      Kind(
        "body without end, until close",
        .forever(text("HTTP/1.1 200 OK\r\n\r\n"), then: .init(repeating: 7, count: 4096)),
        "too many bytes"
      ),
      Kind("length beyond the limit", .hang(ok([], length: "99999999999")), "too many bytes"),
      Kind(
        "length beyond 64 bits",
        .hang(ok([], length: "99999999999999999999999")),
        "invalid response"
      ),
      Kind(
        "length longer than the body",
        .send(ok(image, length: "\(image.count + 9)")),
        "connection lost"
      ),
      Kind("length shorter than the body", .send(ok(photo, length: "300")), "truncated image"),
      Kind("negative length", .send(ok(image, length: "-5")), "invalid response"),
      Kind("length that is no number", .send(ok(image, length: "many")), "invalid response"),
      Kind("two lengths", .send(ok(image, "Content-Length: 7")), "invalid response"),
      Kind("length and chunks", .send(ok(image, "Transfer-Encoding: chunked")), "invalid response"),
      Kind(
        "chunk size that is no number",
        .send(text(chunked + "zz\r\nabc\r\n0\r\n\r\n")),
        "invalid response"
      ),
      Kind(
        "chunk size beyond 64 bits",
        .send(text(chunked + "fffffffffffffffff\r\nabc")),
        "invalid response"
      ),
      Kind(
        "chunk extension without end",
        .forever(text(chunked + "4;"), then: .init(repeating: 0x61, count: 4096)),
        "timed out"
      ),
      Kind(
        "trailers without end",
        .forever(text(chunked + "0\r\n"), then: text("a: b\r\n")),
        "invalid response"
      ),
      Kind("chunks cut off", .send(text(chunked + "4\r\nabcd\r\n")), "connection lost"),
      Kind(
        "no length, body cut",
        .send(text("HTTP/1.1 200 OK\r\n\r\n") + photo.prefix(300)),
        "truncated image"
      ),
      Kind("empty body", .send(ok([])), "empty"),
      Kind("empty chunked body", .send(text(chunked + "0\r\n\r\n")), "empty"),
    ]
  }

  static func heads() throws -> [Kind] {
    let image = try samplePNG(1)
    return [
      Kind(
        "a hundred thousand headers",
        .forever(text("HTTP/1.1 200 OK\r\n"), then: text("a: b\r\n")),
        "invalid response"
      ),
      Kind(
        "one header without end",
        .forever(text("HTTP/1.1 200 OK\r\na: "), then: .init(repeating: 0x61, count: 4096)),
        "invalid response"
      ),
      Kind(
        "header name without end",
        .forever(text("HTTP/1.1 200 OK\r\n"), then: .init(repeating: 0x61, count: 4096)),
        "invalid response"
      ),
      Kind(
        "status line without end",
        .forever(text("HTTP/1.1 200 "), then: .init(repeating: 0x61, count: 4096)),
        "timed out"
      ),
      Kind(
        "interim answers without end",
        .forever([], then: text("HTTP/1.1 100 Continue\r\n\r\n")),
        "timed out"
      ),
      Kind(
        "early hints, then an image",
        .send(text("HTTP/1.1 103 Hints\r\n\r\n") + ok(image)),
        "ok"
      ),
      Kind("not HTTP", .send(text("SSH-2.0-OpenSSH_9.2\r\n")), "invalid response"),
      Kind(
        "random bytes",
        .send((0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }),
        "invalid response"
      ),
      Kind("an image without a head", .send(image), "invalid response"),
      Kind(
        "another protocol",
        .send(
          text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        ),
        "HTTP 101"
      ),
      Kind("no body by definition", .send(text("HTTP/1.1 204 No Content\r\n\r\n")), "HTTP 204"),
      Kind(
        "half an image on purpose",
        .send(text("HTTP/1.1 206 Partial\r\nContent-Length: 3\r\n\r\nabc")),
        "HTTP 206"
      ),
      Kind(
        "status 999",
        .send(text("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        "HTTP 999"
      ),
      Kind("opted out", .send(ok(image, "X-Robots-Tag: noai")), "opted out"),
    ]
  }

  static func connections() throws -> [Kind] {
    let image = try samplePNG(1)
    return [
      Kind("silence", .hang([]), "timed out"),
      Kind("head in drips", .drip(ok(image), pause: 100_000), "timed out"),
      Kind(
        "body in drips",
        .drip(text("HTTP/1.1 200 OK\r\n\r\n") + image, pause: 60_000),
        "timed out"
      ),
      Kind("half a head, then silence", .hang(text("HTTP/1.1 200 OK\r\nContent-")), "timed out"),
      Kind(
        "half a body, then silence",
        .hang(ok(Array(image.prefix(50)), length: "5000")),
        "timed out"
      ),
      Kind("closed without a word", .send([]), "connection lost"),
      Kind("reset without a word", .reset([]), "connection lost"),
      Kind(
        "reset in the body",
        .reset(ok(Array(image.prefix(50)), length: "5000")),
        "connection lost"
      ),
      Kind("closed in the head", .send(text("HTTP/1.1 200 OK\r\nContent-")), "connection lost"),
    ]
  }

  static let redirects: [Kind] = [
    Kind("redirect in a circle", redirect("/redirect%20in%20a%20circle"), "too many redirects"),
    Kind("redirect to this machine", redirect("http://127.0.0.1/"), "blocked address"),
    Kind("redirect to this machine as a number", redirect("http://2130706433/"), "blocked address"),
    Kind("redirect to this machine in hexadecimal", redirect("http://0x7f.1/"), "blocked address"),
    Kind("redirect to localhost", redirect("http://localhost/"), "blocked address"),
    Kind("redirect to IPv6 loopback", redirect("http://[::1]/"), "blocked address"),
    Kind("redirect to mapped loopback", redirect("http://[::ffff:127.0.0.1]/"), "blocked address"),
    Kind("redirect to 6to4 loopback", redirect("http://[2002:7f00:1::1]/"), "blocked address"),
    Kind("redirect to NAT64 loopback", redirect("http://[64:ff9b::127.0.0.1]/"), "blocked address"),
    Kind("redirect to Teredo", redirect("http://[2001:0:4136:e378::1]/"), "blocked address"),
    Kind("redirect to carrier-grade NAT", redirect("http://100.64.0.1/"), "blocked address"),
    Kind(
      "redirect to cloud metadata",
      redirect("http://169.254.169.254/latest/"),
      "blocked address"
    ),
    Kind("redirect to a private network", redirect("http://192.168.1.1/"), "blocked address"),
    Kind("redirect to a file", redirect("file:///etc/passwd"), "invalid redirect"),
    Kind(
      "redirect to a socket",
      redirect("http+unix://%2Fvar%2Frun%2Fdocker.sock/"),
      "invalid redirect"
    ),
    Kind("redirect to data", redirect("data:image/png;base64,AAAA"), "invalid redirect"),
    Kind("redirect to a mail port", redirect("http://127.0.0.2:25/"), "invalid redirect"),
    Kind("redirect with a password", redirect("http://a:b@127.0.0.2/"), "invalid redirect"),
    Kind(
      "redirect to nowhere",
      .send(text("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
      "invalid redirect"
    ),
  ]

  static func bodies() throws -> [Kind] {
    let (image, photo) = try (samplePNG(1), Self.photo())
    let bomb = HostileBytes.gzip(HostileBytes.bomb())
    let packed = HostileBytes.gzip(
      HostileBytes.stored(image),
      crc: HostileBytes.crc32(image),
      count: image.count
    )
    return [
      Kind(
        "a page instead of an image",
        .send(ok(text("<!DOCTYPE html><html>"), "Content-Type: image/jpeg")),
        "not an image"
      ),
      Kind(
        "a page with status 200 and script",
        .send(ok(text("<svg onload='x()'/>"))),
        "not an image"
      ),
      Kind("one pixel", .send(ok(try samplePNG(1, side: 1))), "too small"),
      Kind(
        "30000×30000 in the header",
        .send(ok(HostileBytes.pngClaiming(30000, 30000))),
        "too many pixels"
      ),
      Kind(
        "2³¹−1 rows in the header",
        .send(ok(HostileBytes.pngClaiming(1 << 31 - 1, 1 << 31 - 1))),
        "too many pixels"
      ),
      Kind("no pixels in the header", .send(ok(HostileBytes.pngClaiming(0, 0))), "corrupt image"),
      Kind("65500×65500 JPEG", .send(ok(HostileBytes.jpegClaiming(65500))), "too many pixels"),
      Kind("65535×65535 GIF", .send(ok(HostileBytes.gifClaiming(65535))), "too many pixels"),
      Kind("a GIF without its codes", .send(ok(HostileBytes.gifClaiming(4000))), "truncated image"),
      Kind(
        "an AVIF of nothing",
        .send(ok([0, 0, 0, 16] + text("ftypavif") + [0, 0, 0, 0])),
        "truncated image"
      ),
      Kind("truncated JPEG", .send(ok(Array(photo.dropLast(200)))), "truncated image"),
      Kind("truncated PNG", .send(ok(Array(image.dropLast(20)))), "truncated image"),
      Kind(
        "damaged PNG",
        .send(ok(image.enumerated().map { $0 == 45 ? ~$1 : $1 })),
        "corrupt image"
      ),
      Kind("gzip bomb", .send(ok(bomb, "Content-Encoding: gzip")), "too many bytes"),
      Kind(
        "deflate bomb",
        .send(ok(HostileBytes.zlib(HostileBytes.bomb()), "Content-Encoding: deflate")),
        "too many bytes"
      ),
      Kind(
        "broken deflate",
        .send(ok(text("no deflate at all"), "Content-Encoding: deflate")),
        "invalid response"
      ),
      Kind(
        "broken gzip",
        .send(ok(text("no gzip at all"), "Content-Encoding: gzip")),
        "invalid response"
      ),
      Kind("gzip where none was asked for", .send(ok(packed, "Content-Encoding: gzip")), "ok"),
    ]
  }

  static func all() throws -> [Kind] {
    try framing() + heads() + connections() + redirects + bodies()
  }

  /// The rows' path is the kind's name.
  private static func path(_ kind: Kind) -> String {
    "/"
      + kind.name.utf8.map { byte in
        let isPlain =
          byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || byte >= 0x30 && byte < 0x3A)
        return isPlain
          ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16, uppercase: true)
      }.joined()
  }

  @Test func `each misbehaving server has its own failure cause within the deadline`() async throws
  {
    let kinds = try Self.all()
    #expect(Set(kinds.map(\.name)).count == kinds.count)
    let routes = Dictionary(uniqueKeysWithValues: kinds.map { (Self.path($0), $0.script) })
    let server = try RawServer(routes)
    defer { server.stop() }
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let rows = kinds.map { (url: "http://127.0.0.2:\(server.port)\(Self.path($0))", text: "x") }
      try writePart(0, in: folder + "/meta", rows)
      var configuration = loopbackConfiguration(folder)
      // Only the server's own address: everything else private stays forbidden.
      configuration.fetch.allowPrivateAddresses = false
      configuration.fetch.allowedAddresses = ["127.0.0.2"]
      configuration.fetch.attempts = 1
      configuration.fetch.concurrencyPerHost = 128
      configuration.fetch.readTimeout = 2
      configuration.fetch.totalTimeout = 3
      configuration.fetch.maximumBytes = 1 << 16
      let download = LaionDownload(configuration)
      let elapsed = try await TimerLateness.timed { _ = try await download.run() }.elapsed
      let statuses = try statuses(in: folder + "/out/split0")
      for (kind, status) in zip(kinds, statuses) {
        #expect(status == kind.cause, "\(kind.name)")
      }
      #expect(statuses.count == kinds.count)
      // All at once, each hop within three seconds.
      #expect(elapsed < .seconds(12))
    }
  }

  @Test(arguments: [
    Kind(
      "plain text where TLS is expected",
      .send(text("HTTP/1.1 200 OK\r\n\r\n")),
      "encryption failed"
    ),
    Kind("closed in the handshake", .send([0x16, 3, 3]), "encryption failed"),
    Kind("closed before the handshake", .send([]), "encryption failed"),
    Kind("an alert", .send([0x15, 3, 3, 0, 2, 2, 40]), "encryption failed"),
    Kind("silence in the handshake", .hang([]), "timed out"),
  ])
  func `a TLS failure is reported as such`(kind: Kind) async throws {
    let server = try RawServer([:], greeting: kind.script)
    defer { server.stop() }
    let found = try await status("https://127.0.0.1:\(server.port)/")
    #expect(found == kind.cause)
  }

  @Test func `a self-signed certificate is refused`() async throws {
    try await withTemporaryFolder { folder in
      let make = Process()
      make.executableURL = URL(filePath: "/usr/bin/openssl")
      make.arguments =
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
          "-subj", "/CN=localhost", "-days", "1",
        ]
        + ["-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem"]
      make.standardError = FileHandle.nullDevice
      try make.run()
      make.waitUntilExit()
      let serve = Process()
      serve.executableURL = make.executableURL
      serve.arguments =
        ["s_server", "-accept", "0", "-www", "-key", folder + "/key.pem"]
        + ["-cert", folder + "/certificate.pem"]
      let output = Pipe()
      serve.standardOutput = output
      serve.standardError = FileHandle.nullDevice
      try serve.run()
      defer { kill(serve.processIdentifier, SIGKILL) }
      var said = ""
      while !said.contains("ACCEPT") || !said.hasSuffix("\n") {
        let more = output.fileHandleForReading.availableData
        if more.isEmpty { break }
        said += String(decoding: more, as: UTF8.self)
      }
      let port = try #require(
        said.split(whereSeparator: \.isWhitespace).last?.split(separator: ":").last
      )
      #expect(try await status("https://localhost:\(port)/") == "encryption failed")
    }
  }

  /// What becomes of one row.
  private func status(_ url: String) async throws -> String? {
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      try writePart(0, in: folder + "/meta", [(url: url, text: "x")])
      var configuration = loopbackConfiguration(folder)
      configuration.fetch.attempts = 1
      configuration.fetch.totalTimeout = 1
      _ = try await LaionDownload(configuration).run()
      return try statuses(in: folder + "/out/split0").first
    }
  }
}
