import Archives
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Damaged documents and packed sets: each must end in a value or an error, soon and in
/// little memory.
///
/// `NIFTY_FUZZ=100000` makes every test a full run; JSON, which is quick, always is.
@Suite(.tags(.slow)) struct FuzzTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Checksums keep damage from the code behind them, but not a forger: here they are right.
  @Test(arguments: [
    "nifty.json", "captions.jsonl", "labels.jsonl", "clip_txt_index.npy", "clip_img_features.npy",
    "clip_txt_features.npy", "00000/img00000001.png",
  ])
  func `entries of packed datasets with right checksums`(name: String) throws {
    let writer = try PackedDatasetWriter(
      folder.file("a.zip"),
      options: .init(resolution: 2, featureModel: .init(name: "m", sha256: "s"))
    )
    for number in 0..<3 {
      try writer.append(
        PackedRecord(
          image: noiseImage(2, seed: number).encodedPNG(level: 0),
          imageFeature: [1, 2],
          captions: ["one", "t\u{f6}o"],
          textFeatures: [[3, 4], [5, 6]],
          label: number == 0 ? .vector([0.5, -2]) : .index(number)
        )
      )
    }
    try writer.finish()
    let whole = try ZipArchive(folder.file("a.zip"))
    var entries = try (0..<whole.count).map { index in
      (name: whole.name(at: index), contents: try whole.contents(at: index, limit: 1 << 20))
    }
    let index = try #require(entries.firstIndex { $0.name == name })
    let zip = try MemoryZip(in: folder.path)
    let inputs = DamagedInputs([entries[index].contents])
    expectSafe(inputs, 800, refused: 0.2, name) { copy in
      entries[index].contents = copy
      try zip.write(entries)
      try readEverything(PackedDataset(zip.path))
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

  /// Whatever simdjson takes, the plain reader takes to the same numbers; and the other way round.
  @Test func `lists of numbers, read in two ways`() {
    let seeds = [
      "[0.005501762498170137, -0.0057807071134448, 1e-05,3.4028234e38]", "[ 1 ,\n-2.5e+3, 0 ] x",
      "[]", "[123456789012345678901234567890, 1e-46, -0.0, 0.1000000000000000055511151231257827]",
    ].map { Array($0.utf8) }
    let alphabet = Array("0179.eE+-[]{},:\"ntf \t\u{1}\u{7f}".utf8)
    expectSafe(DamagedInputs(seeds, alphabet: alphabet), 100_000, refused: 0.3) { copy in
      try copy.withUnsafeBytes { bytes in
        var (one, other) = (JSONScanner(bytes), JSONScanner(bytes))
        let fast = Result { try one.numbers(limit: 5).map(\.bitPattern) }
        let plain = Result { try other.plainNumbers(limit: 5).map(\.bitPattern) }
        #expect((try? fast.get()) == (try? plain.get()), "\(String(decoding: copy, as: UTF8.self))")
        if (try? plain.get()) != nil { #expect(one.position == other.position) }
        _ = try plain.get()
      }
    }
  }

  @Test func `COCO's captions`() throws {
    let seed =
      #"{"images": [{"license": 5, "file_name": "1.jpg", "id": 1}], "annotations": ["#
      + #"{"image_id": 1, "id": 2, "caption": "A c\u00e4t.\n"}, {"image_id": 9, "caption": "x"}]}"#
    let alphabet = Array("0179.eE+-[]{},:\"\\untf al\u{1}\u{7f}".utf8)
    expectSafe(DamagedInputs([Array(seed.utf8)], alphabet: alphabet), 3000, refused: 0.3) { copy in
      var document = COCOCaptions()
      try copy.withUnsafeBytes { try document.read($0) }
      _ = document.remarks
    }
  }
}

/// Damaged documents and sidecars of LAFITE's own zips.
@Suite(.tags(.slow)) struct LafiteFuzzTests {
  private let folder: TemporaryFolder
  /// LAFITE's own zip, and its sidecar.
  private let (zip, sidecar): (MemoryZip, MemoryZip)

  init() throws {
    folder = try TemporaryFolder()
    zip = try MemoryZip(in: folder.path)
    sidecar = try MemoryZip(in: folder.path)
  }

  private let json =
    Array(
      #"{"labels": [["a.png", 0], ["b.png", 1]], "clip_img_features": [["a.png", [1, 2.5]], "#.utf8
    )
    + Array(
      #"["b.png", [-3e-1, 4]]], "clip_txt_features": [["a.png", [[5, 6]]], ["b.png", [[7, 8]]]]}"#
        .utf8
    )

  /// The index of a zip with the given `dataset.json`.
  private func index(_ json: [UInt8]) throws -> LafiteIndex {
    try zip.write([("a.png", [1]), ("b.png", [2]), ("dataset.json", json)])
    let archive = try ZipArchive(zip.path)
    return LafiteIndex(archive, json: 2, images: [0, 1])
  }

  private func readEverything(_ contents: LafiteIndex.Contents) {
    _ = contents.labels.map(TextLines.init)
    guard let features = contents.features else { return }
    for row in 0..<features.images.rows { _ = features.images.floats(row: row) }
    for image in 0..<2 {
      for row in features.textRows(of: image) { _ = features.texts?.features.floats(row: row) }
    }
  }

  @Test func `dataset.json, and the sidecar that is made of it`() throws {
    let alphabet = Array("0179.eE+-[]{},:\"\\untfl ab.png".utf8)
    expectSafe(DamagedInputs([json], alphabet: alphabet), 2500, refused: 0.3) { copy in
      let index = try index(copy)
      try sidecar.write { try index.index(into: $0, spoolsIn: folder.path, requiresFeatures: true) }
      readEverything(try index.open(sidecar.path))
    }
  }

  @Test func `sidecars`() throws {
    let index = try index(json)
    try sidecar.write { try index.index(into: $0, spoolsIn: folder.path, requiresFeatures: true) }
    let whole = try bytes(of: sidecar.path)
    let file = try MemoryFile()
    expectSafe(DamagedInputs([whole]), 2500, refused: 0.3) { copy in
      try file.write(copy)
      readEverything(try index.open(file.path))
    }
  }

  @Test func `a dataset opens without its sidecar or with a damaged one`() throws {
    let path = folder.file("l.zip")
    let writer = try ZipWriter(path)
    try writer.add("a.png", noiseImage(4, seed: 0).encodedPNG(level: 0))
    try writer.add("b.png", noiseImage(4, seed: 1).encodedPNG(level: 0))
    try writer.add("dataset.json", json)
    try writer.finish()
    _ = try PackedDataset(path)
    let whole = try bytes(of: path + ".features")
    let report = DamagedInputs([whole]).read(2500) { copy in
      try folder.write(copy, to: "l.zip.features")
      try DatasetsTests.readEverything(PackedDataset(path))
    }
    print("fuzz: a set with its sidecar: \(report)")
    // A sidecar that does not fit is made anew: never an error.
    #expect(report.refused == 0 && report.slowest < .seconds(5))
  }

  @Test(arguments: [
    "origin.json", "labels.jsonl", "clip_img_features.npy", "clip_txt_features.npy",
    "clip_txt_index.npy",
  ])
  func `entries of sidecars with right checksums`(name: String) throws {
    let index = try index(json)
    try sidecar.write { try index.index(into: $0, spoolsIn: folder.path, requiresFeatures: true) }
    let whole = try ZipArchive(sidecar.path)
    var entries = try (0..<whole.count).map {
      (name: whole.name(at: $0), contents: try whole.contents(at: $0, limit: 1 << 20))
    }
    let entry = try #require(entries.firstIndex { $0.name == name })
    let damaged = try MemoryZip(in: folder.path)
    // Labels are looked at line by line when they are asked for.
    let part = name == "labels.jsonl" ? -1 : 0.2
    expectSafe(DamagedInputs([entries[entry].contents]), 800, refused: part, name) { copy in
      entries[entry].contents = copy
      try damaged.write(entries)
      readEverything(try index.open(damaged.path))
    }
  }
}
