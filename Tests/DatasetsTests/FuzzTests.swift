import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Damaged inputs for every reader of files from outside: each must end in a value or an error, soon
/// and in little memory.
///
/// `NIFTY_FUZZ=100000` makes every test a full run; JSON and npy, which are quick, always are.
@Suite(.tags(.slow)) struct FuzzTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Reads damaged inputs; `part` of them at least must be refused, and one at least accepted, or
  /// nothing but the first check would be tested.
  private func expectSafe(
    _ inputs: DamagedInputs,
    _ few: Int,
    refused part: Double,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: ([UInt8]) throws -> Void
  ) {
    let report = inputs.read(few, body)
    print("fuzz: \(report)")
    #expect(
      Double(report.refused) > part * Double(report.inputs) && report.refused < report.inputs,
      sourceLocation: sourceLocation
    )
    // Other tests run beside, and take memory and processor: the bounds are far above any input's.
    #expect(report.slowest < .seconds(5), sourceLocation: sourceLocation)
    #expect(report.peakGrowth < 512 << 20, sourceLocation: sourceLocation)
  }

  /// An archive of two deflated entries.
  private var deflated: [UInt8] {
    get throws {
      let script = """
        import sys, zipfile
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
          z.writestr("a.png", b"x" * 3000); z.writestr("a.txt", "words\\n" * 50)
        """
      _ = try Python.run(script, folder.file("d.zip"))
      return try bytes(of: folder.file("d.zip"))
    }
  }

  @Test func `zip directories and entries`() throws {
    let path = folder.file("bad.zip")
    try packNoise(folder.file("a.zip"), count: 2, side: 2, dimension: 2)
    var seeds = [try bytes(of: folder.file("a.zip"))]
    if Python.isAvailable { seeds.append(try deflated) }
    expectSafe(DamagedInputs(seeds), 6000, refused: 0.3) { copy in
      try folder.write(copy, to: "bad.zip")
      let zip = try ZipArchive(path)
      for index in 0..<zip.count { _ = try zip.contents(at: index, limit: 1 << 20) }
    }
  }

  /// Checksums keep damage from the code behind them, but not a forger: here they are right.
  @Test func `entries of packed datasets with right checksums`() throws {
    let path = folder.file("bad.zip")
    try packNoise(folder.file("a.zip"), count: 3, side: 2, dimension: 2)
    let whole = try ZipArchive(folder.file("a.zip"))
    let entries = try (0..<whole.count).map { index in
      (whole.name(at: index), try whole.contents(at: index, limit: 1 << 20))
    }
    // An input is the number of the entry that it replaces, then what stands there.
    let seeds = entries.enumerated().map { [UInt8($0.offset)] + $0.element.1 }
    expectSafe(DamagedInputs(seeds), 3000, refused: 0.2) { copy in
      let changed = Int(copy.first ?? 0) % entries.count
      let zip = try ZipWriter(path)
      for (index, entry) in entries.enumerated() {
        try zip.add(entry.0, index == changed ? Array(copy.dropFirst()) : entry.1)
      }
      try zip.finish()
      try readEverything(PackedDataset(path))
    }
  }

  private func readEverything(_ set: PackedDataset) throws {
    for index in 0..<set.count {
      _ = try set.image(at: index)
      _ = set.imageFeature(at: index)
      for caption in 0..<set.textFeatureCount(at: index) {
        _ = set.textFeature(image: index, caption: caption)
      }
      _ = try set.captions(at: index)
      _ = try set.label(at: index)
    }
  }

  @Test func `npy arrays`() {
    let seeds = [
      NpyArray.encode([[1, 2, 3], [4, 5, 6]], columns: 3, as: .float16),
      NpyArray.encode([0, 1, 5]), NpyArray.encode([[1.5]], columns: 1, as: .float32),
    ]
    let alphabet = Array("0123456789(),'<f248i: {}TrueFals".utf8)
    expectSafe(DamagedInputs(seeds, alphabet: alphabet), 100_000, refused: 0.3) { copy in
      let array = try NpyArray(MappedBytes(copying: copy), path: "p", entry: "e")
      for row in 0..<array.rows {
        if array.element == .int64 {
          _ = array.integer(row: row)
        } else {
          _ = array.floats(row: row)
        }
      }
    }
  }

  @Test func `JSON documents`() {
    let seeds = [
      #"{"labels": [["a.png", 1], ["b\u00e9\ud83d\ude00", [0.5, -1e-3]]], "x": [true, false, null]}"#,
      #"{"clip": [[["deep", {"a": [[1.25, 12345678901234567890, 1e10]]}]]], "labels": null}"#,
    ].map { Array($0.utf8) }
    let alphabet = Array("0179.eE+-[]{},:\"\\untf al\u{1}\u{7f}".utf8)
    expectSafe(DamagedInputs(seeds, alphabet: alphabet), 100_000, refused: 0.3) { copy in
      _ = try copy.withUnsafeBytes { try LabelReader.labels(in: $0) }
    }
  }

  /// A set of LAFITE's with the given `dataset.json`.
  private func writeLafite(_ json: [UInt8]) throws -> String {
    let zip = try ZipWriter(folder.file("l.zip"))
    try zip.add("a.png", noiseImage(4, seed: 0).encodedPNG(level: 0))
    try zip.add("b.png", noiseImage(4, seed: 1).encodedPNG(level: 0))
    try zip.add("dataset.json", json)
    try zip.finish()
    return folder.file("l.zip")
  }

  private let lafiteJSON =
    Array(
      #"{"labels": null, "clip_img_features": [["a.png", [1, 2.5]], ["b.png", [-3e-1, 4]]], "#.utf8
    ) + Array(#""clip_txt_features": [["a.png", [[5, 6]]], ["b.png", [[7, 8], [9, 0]]]]}"#.utf8)

  @Test func `LAFITE's dataset.json`() throws {
    let alphabet = Array("0179.eE+-[]{},:\"\\untfl ab.png".utf8)
    expectSafe(DamagedInputs([lafiteJSON], alphabet: alphabet), 2500, refused: 0.3) { copy in
      let path = try writeLafite(copy)
      unlink(path + ".features")
      try readEverything(PackedDataset(path))
    }
  }

  @Test func `sidecars of LAFITE's sets`() throws {
    let path = try writeLafite(lafiteJSON)
    _ = try PackedDataset(path)
    let sidecar = try bytes(of: path + ".features")
    let report = DamagedInputs([sidecar]).read(2500) { copy in
      try folder.write(copy, to: "l.zip.features")
      try readEverything(PackedDataset(path))
    }
    print("fuzz: \(report)")
    // A sidecar that does not fit is made anew: never an error.
    #expect(report.refused == 0 && report.slowest < .seconds(5))
  }

  @Test func `images of every format`() throws {
    let image = noiseImage(9, seed: 1, height: 7)
    var seeds = try [
      image.encodedPNG(), image.encodedJPEG(quality: 80), image.encodedLosslessWebP(),
    ]
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "ImagesTests/Fixtures/decode")
    for name in try FileManager.default.contentsOfDirectory(atPath: fixtures.path).sorted() {
      let data = try Data(contentsOf: fixtures.appending(path: name))
      if data.count < 3000 { seeds.append(Array(data)) }
    }
    #expect(seeds.count > 5)
    let limits = DecodeLimits(maximumPixels: 1 << 20)
    expectSafe(DamagedInputs(seeds), 10_000, refused: 0.2) {
      _ = try RGBImage(decoding: $0, limits: limits)
    }
  }

  @Test func `tars of samples`() throws {
    let tar = try TarWriter(folder.file("a.tar"))
    try tar.add("a/1.png", [1, 2, 3])
    try tar.add("a/1.txt", Array("one".utf8))
    try tar.finish()
    let seed = try bytes(of: folder.file("a.tar"))
    expectSafe(DamagedInputs([seed]), 4000, refused: 0.2) { copy in
      try folder.write(copy, to: "bad.tar")
      let source = try ImageTextTar(folder.file("bad.tar"))
      for index in 0..<source.count { _ = try source.item(at: index) }
    }
  }

  @Test func `gzip streams, and tars in them`() throws {
    let seed = try bytes(of: fixture("cifar-10-python.tar.gz").path)
    expectSafe(DamagedInputs([seed]), 20_000, refused: 0.2) { copy in
      let stream = GzipStream(MappedBytes(copying: copy))
      var reader = TarReader(stream)
      while let member = try reader.member() { _ = try stream.read(min(member.size, 1 << 16)) }
    }
  }

  @Test func `LSUN's databases`() throws {
    // Two meta pages, then pages in use; the rest is overflow pages, which hold pictures.
    let whole = try bytes(of: fixture("bedroom_tiny_lmdb/data.mdb").path)
    expectSafe(DamagedInputs([Array(whole)]), 2000, refused: 0) { copy in
      try folder.write(copy, to: "data.mdb")
      let database = try LMDBFile(folder.file("data.mdb"))
      for index in 0..<database.count {
        _ = database.key(at: index)
        _ = database.value(at: index).withBytes { Array($0) }
      }
    }
  }

  @Test func `MNIST's files`() throws {
    let seed = try bytes(of: fixture("train-images-idx3-ubyte.gz").path)
    let labels = try bytes(of: fixture("train-labels-idx1-ubyte.gz").path)
    try folder.write(labels, to: "train-labels-idx1-ubyte.gz")
    expectSafe(DamagedInputs([seed]), 3000, refused: 0.2) { copy in
      try folder.write(copy, to: "train-images-idx3-ubyte.gz")
      let source = try MNISTSource(folder.file("train-images-idx3-ubyte.gz"))
      for index in 0..<source.count { _ = source.item(at: index) }
    }
  }
}

extension Tag {
  /// Runs for minutes when it runs in full.
  @Tag static var slow: Self
}
