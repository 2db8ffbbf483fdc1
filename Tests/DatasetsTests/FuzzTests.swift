import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Damaged inputs for every reader of files from outside: each must end in a value or an error.
///
/// They are seeded, so that a failure can be repeated. `NIFTY_FUZZ` sets the number of inputs, 100,000
/// for a full run; without it a small part runs.
@Suite(.tags(.slow)) struct FuzzTests {
  private let folder: TemporaryFolder
  private let count = ProcessInfo.processInfo.environment["NIFTY_FUZZ"].flatMap { Int($0) } ?? 2000

  init() throws { folder = try TemporaryFolder() }

  /// Runs a reader over damaged copies of valid inputs; returns how many it refused.
  ///
  /// Besides changed bytes, every eighth copy is cut, and every ninth has a part doubled.
  @discardableResult
  private func fuzz(
    _ seeds: [[UInt8]],
    alphabet: [UInt8] = [],
    _ body: ([UInt8]) throws -> Void
  ) -> Int {
    var refused = 0
    for number in 0..<count {
      let seed = seeds[number % seeds.count]
      var copy = mutations(of: seed, count: 1, seed: UInt64(number), alphabet: alphabet)[0]
      var random = CounterRandom(seed: 77, position: number)
      if number % 8 == 0 { copy.removeLast(random.integer(below: copy.count)) }
      if number % 9 == 0, copy.count > 1 {
        let start = random.integer(below: copy.count)
        copy.insert(contentsOf: copy[start..<min(copy.count, start + 64)], at: start)
      }
      do { try body(copy) } catch { refused += 1 }
    }
    return refused
  }

  private func peakMegabytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1024
  }

  @Test func `zip directories and entries`() throws {
    let path = folder.file("bad.zip")
    try packNoise(folder.file("a.zip"), count: 2, side: 2, dimension: 2)
    let stored = try bytes(of: folder.file("a.zip"))
    var seeds = [stored]
    if Python.isAvailable {
      let script = """
        import sys, zipfile
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
          z.writestr("a.png", b"x" * 3000); z.writestr("a.txt", "words\\n" * 50)
        """
      _ = try Python.run(script, folder.file("d.zip"))
      seeds.append(try bytes(of: folder.file("d.zip")))
    }
    let before = peakMegabytes()
    let refused = fuzz(seeds) { copy in
      try folder.write(copy, to: "bad.zip")
      let zip = try ZipArchive(path)
      for index in 0..<zip.count { _ = try zip.contents(at: index, limit: 1 << 20) }
    }
    #expect(refused > count / 2)
    #expect(peakMegabytes() - before < 100)
  }

  @Test func `npy arrays`() throws {
    let seeds = [
      NpyArray.encode([[1, 2, 3], [4, 5, 6]], columns: 3, as: .float16),
      NpyArray.encode([0, 1, 5]), NpyArray.encode([[1.5]], columns: 1, as: .float32),
    ]
    let alphabet = Array("0123456789(),'<f248i: {}TrueFals".utf8)
    let refused = fuzz(seeds, alphabet: alphabet) { copy in
      let array = try NpyArray(MappedBytes(copying: copy), path: "p", entry: "e")
      for row in 0..<array.rows {
        if array.element == .int64 {
          _ = array.integer(row: row)
        } else {
          _ = array.floats(row: row)
        }
      }
    }
    #expect(refused > count / 4)
  }

  @Test func `JSON documents`() {
    let seeds = [
      #"{"labels": [["a.png", 1], ["b\u00e9\ud83d\ude00", [0.5, -1e-3]]], "x": [true, false, null]}"#,
      #"{"clip": [[["deep", {"a": [[1.25, 12345678901234567890, 1e10]]}]]], "labels": null}"#,
    ].map { Array($0.utf8) }
    let alphabet = Array("0179.eE+-[]{},:\"\\untf al\u{1}\u{7f}".utf8)
    let refused = fuzz(seeds, alphabet: alphabet) { copy in
      _ = try copy.withUnsafeBytes { try LabelReader.labels(in: $0) }
    }
    #expect(refused > count / 3)
  }

  @Test func `sidecars of LAFITE's sets`() throws {
    let zip = try ZipWriter(folder.file("a.zip"))
    try zip.add("a.png", noiseImage(4, seed: 0).encodedPNG(level: 0))
    let json =
      #"{"clip_img_features": [["a.png", [1, 2]]], "clip_txt_features": [["a.png", [[3, 4]]]]}"#
    try zip.add("dataset.json", Array(json.utf8))
    try zip.finish()
    _ = try PackedDataset(folder.file("a.zip"))
    let sidecar = try bytes(of: folder.file("a.zip.features"))
    fuzz([sidecar]) { copy in
      try folder.write(copy, to: "a.zip.features")
      // A sidecar that does not fit is made anew: never an error.
      let set = try PackedDataset(folder.file("a.zip"))
      #expect(set.imageFeature(at: 0).count == set.featureDimension)
      for caption in 0..<set.textFeatureCount(at: 0) {
        _ = set.textFeature(image: 0, caption: caption)
      }
    }
  }

  @Test func `images of every format`() throws {
    let image = noiseImage(9, seed: 1, height: 7)
    var seeds = try [image.encodedPNG(level: 1), image.encodedJPEG(quality: 80)]
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "ImagesTests/Fixtures/decode")
    let names = try FileManager.default.contentsOfDirectory(atPath: fixtures.path).sorted()
    for name in names {
      let data = try Data(contentsOf: fixtures.appending(path: name))
      if data.count < 3000 { seeds.append(Array(data)) }
    }
    #expect(seeds.count > 5)
    let before = peakMegabytes()
    let limits = DecodeLimits(maximumPixels: 1 << 20)
    let refused = fuzz(seeds) { _ = try RGBImage(decoding: $0, limits: limits) }
    #expect(refused > count / 4)
    #expect(peakMegabytes() - before < 200)
  }

  @Test func `tars and gzip streams`() throws {
    let tar = try TarWriter(folder.file("a.tar"))
    try tar.add("a/1.png", [1, 2, 3])
    try tar.add("a/1.txt", Array("one".utf8))
    try tar.finish()
    let plain = try bytes(of: folder.file("a.tar"))
    fuzz([plain]) { copy in
      try folder.write(copy, to: "bad.tar")
      let source = try ImageTextTar(folder.file("bad.tar"))
      for index in 0..<source.count { _ = try source.item(at: index) }
    }
    let packed = try bytes(of: fixture("cifar-10-python.tar.gz").path)
    let refused = fuzz([packed]) { copy in
      let stream = GzipStream(MappedBytes(copying: copy))
      var reader = TarReader(stream)
      while let member = try reader.member() { _ = try stream.read(min(member.size, 1 << 16)) }
    }
    #expect(refused > count / 2)
  }
}

extension Tag {
  /// Runs for minutes when it runs in full.
  @Tag static var slow: Self
}
