import Foundation
import Images
import TestSupport
import Testing

@testable import Laion

@Suite struct NearDuplicatesTests {
  @Test(arguments: [0, 1, 3, 6, 7, 15])
  func `banded search finds what comparing all would find`(threshold: Int) {
    var random = SystemRandomNumberGenerator()
    var (stored, banded) = ([PerceptualHash](), NearDuplicates(threshold: threshold))
    for number in 0..<600 {
      var hash = PerceptualHash(rows: random.next(), columns: random.next())
      if number % 2 == 1, let near = stored.randomElement() {
        hash = near
        for _ in 0..<Int.random(in: 0...2 * threshold + 2) {
          let bit = UInt64(1) << UInt64.random(in: 0..<64)
          if Bool.random() { hash.rows ^= bit } else { hash.columns ^= bit }
        }
      }
      let isNew = stored.allSatisfy { $0.distance(to: hash) > threshold }
      #expect(banded.insert(hash) == isNew)
      if isNew { stored.append(hash) }
    }
  }

  /// A picture of stripes, and a copy of it that is no equal file.
  private func picture(_ number: Int, quality: Int) throws -> [UInt8] {
    let pixels = (0..<64 * 64).flatMap { index -> [UInt8] in
      let (x, y) = (index % 64, index / 64)
      let shade = UInt8(clamping: 128 + ((x * (number + 3) + y * (5 - number)) % 64 - 32) * 3)
      return [shade, shade / 2, 255 - shade]
    }
    return try RGBImage(width: 64, height: 64, pixels: pixels).encodedJPEG(quality: quality)
  }

  @Test func `copies are dropped and counted, also by a run that goes on`() async throws {
    var routes: [String: RawServer.Script] = [:]
    for i in 0..<8 { routes["/\(i)"] = .ok(try picture(i / 2, quality: i % 2 == 0 ? 95 : 60)) }
    let server = try RawServer(routes)
    defer { server.stop() }
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      try writePart(0, in: folder + "/meta", (0..<8).map { (server.url("/\($0)"), "text \($0)") })
      var configuration = loopbackConfiguration(folder)
      configuration.image.nearDuplicateBits = 6
      configuration.perSplit = 1
      _ = try await LaionDownload(configuration).run()
      configuration.perSplit = 10
      let report = try await LaionDownload(configuration).run()
      #expect(report.splits.first?.failures == ["near duplicate": 4])
      let files = try pairs(in: folder + "/out/split0")
      let captions = (0..<4).map { files["\($0).txt"].map { String(decoding: $0, as: UTF8.self) } }
      #expect(captions == ["text 0", "text 2", "text 4", "text 6"])
      #expect(try LaionVerification(output: folder + "/out").run().flatMap(\.complaints).isEmpty)
    }
  }
}
