import Archives
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct PackerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func options(_ change: (inout Packer.Options) -> Void = { _ in }) -> Packer.Options {
    var options = Packer.Options(side: 8)
    options.crop = .center
    options.featureElement = .float32
    change(&options)
    return options
  }

  private func png(_ side: Int, seed: Int, height: Int? = nil) throws -> [UInt8] {
    try noiseImage(side, seed: seed, height: height).encodedPNG(level: 1)
  }

  @Test func `a folder is listed byte by byte, as the original does`() throws {
    for name in ["10.png", "9.png", "b/2.JPG", "b/10.webp", "1.jpeg", ".hidden.png", "b/.x/1.png"] {
      try folder.write([1], to: name)
    }
    try folder.write([1], to: "notes.txt")
    let source = try ImageTextFolder(folder.path)
    #expect(
      (0..<source.count).map(source.name) == ["1.jpeg", "10.png", "9.png", "b/10.webp", "b/2.JPG"]
    )
  }

  @Test func `an image that would not become square is left out before it is enlarged`() throws {
    try folder.write(png(8, seed: 1), to: "in/1.png")
    // At the width that is asked for it would take 800 gigabytes.
    try folder.write(png(1, seed: 2, height: 1 << 20), to: "in/2.png")
    let packer = Packer(options { ($0.crop, $0.width, $0.height) = (.none, 1 << 18, nil) })
    #expect(throws: DatasetError.self) {
      try packer.pack(
        ImageTextFolder(folder.file("in")),
        to: folder.file("out.zip"),
        extractor: nil as HashExtractor?
      )
    }
    let list = try String(contentsOfFile: folder.file("out.zip.left-out.tsv"), encoding: .utf8)
    #expect(list.contains("2.png\tanother size\t1×1048576 pixels"))
  }

  @Test func `every line of the text file is a caption`() throws {
    try folder.write([7], to: "1.png")
    try folder.write(Array("\u{FEFF}one \r\n\n  two\tthree\r\n\u{3000}\n四\n".utf8), to: "1.txt")
    try folder.write([8], to: "2.png")
    let source = try ImageTextFolder(folder.path)
    #expect(
      try source.item(at: 0)
        == ImageTextItem(picture: .encoded([7]), captions: ["one", "two\tthree", "四"])
    )
    #expect(try source.item(at: 1) == ImageTextItem(picture: .encoded([8])))
  }

  @Test func `folders that are missing, empty or files are refused`() throws {
    #expect(throws: DatasetError.missing(path: "/nonexistent")) {
      try ImageTextFolder("/nonexistent")
    }
    #expect(throws: DatasetError.noImages(path: folder.path)) { try ImageTextFolder(folder.path) }
    try folder.write([1], to: "a.zip")
    #expect(throws: DatasetError.self) { try ImageTextFolder(folder.file("a.zip")) }
  }

  @Test func `a source becomes a dataset: cropped, resized, with features and captions`() throws {
    try folder.write(png(8, seed: 1), to: "in/1.png")
    try folder.write(Array("a\nb\n".utf8), to: "in/1.txt")
    try folder.write(png(12, seed: 2, height: 8), to: "in/2.png")
    try folder.write(png(16, seed: 3), to: "in/3.png")
    try folder.write(Array("c".utf8), to: "in/3.txt")
    let source = try ImageTextFolder(folder.file("in"))
    var calls: [[Int]] = []
    let report = try Packer(options { $0.batchSize = 2 }).pack(
      source,
      to: folder.file("out.zip"),
      extractor: HashExtractor(),
      progress: { calls.append([$0, $1]) }
    )
    #expect(report.dropped == [])
    #expect(report.manifest.imageCount == 3 && report.manifest.captionCount == 3)
    #expect(report.manifest.source == "folder in")
    #expect(calls == [[2, 3], [3, 3]])
    let set = try PackedDataset(folder.file("out.zip"))
    let expected = [
      noiseImage(8, seed: 1), noiseImage(12, seed: 2, height: 8).centerCropped(),
      noiseImage(16, seed: 3).resized(width: 8, height: 8, filter: .lanczos),
    ]
    for index in 0..<3 {
      #expect(try set.image(at: index) == expected[index])
      #expect(set.imageFeature(at: index) == HashExtractor().feature(expected[index].pixels))
    }
    #expect(try (0..<3).map(set.captions) == [["a", "b"], [], ["c"]])
    #expect(set.textFeature(image: 2, caption: 0) == HashExtractor().feature(Array("c".utf8)))
  }

  @Test func `filter and crop are used and stated`() throws {
    try folder.write(png(16, seed: 3, height: 12), to: "in/1.png")
    let report = try Packer(
      options {
        $0.filter = .box
        $0.crop = .none
      }
    ).pack(
      try ImageTextFolder(folder.file("in")),
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
    #expect((report.manifest.resizeFilter, report.manifest.crop) == ("box", "none"))
    let expected = noiseImage(16, seed: 3, height: 12).resized(width: 8, height: 8, filter: .box)
    #expect(try PackedDataset(folder.file("out.zip")).image(at: 0) == expected)
  }

  @Test func `a wide crop lies between black bars`() throws {
    try folder.write(png(8, seed: 3, height: 6), to: "in/1.png")
    let report = try Packer(
      options {
        $0.crop = .centerWide
        $0.height = 4
      }
    ).pack(
      try ImageTextFolder(folder.file("in")),
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
    #expect(report.manifest.crop == "center-crop-wide")
    let image = try PackedDataset(folder.file("out.zip")).image(at: 0)
    for row in 0..<8 {
      let isBlack = (0..<8).allSatisfy { image[x: $0, y: row] == .black }
      #expect(isBlack == (row < 2 || row >= 6), "row \(row)")
    }
  }

  @Test func `links and pipes in a folder neither loop nor hang`() throws {
    try folder.write(png(8, seed: 1), to: "in/1.png")
    #expect(mkfifo(folder.file("in/2.png"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/loop"),
      withDestinationPath: folder.file("in")
    )
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"),
      withDestinationPath: folder.file("in")
    )
    let source = try ImageTextFolder(folder.file("link"))
    #expect((0..<source.count).map(source.name) == ["1.png", "2.png"])
    #expect(throws: DatasetError.self) { try source.item(at: 1) }
  }

  @Test func `images left out are listed with their cause and counted`() throws {
    for number in 1...6 { try folder.write(png(8, seed: number), to: "in/\(number).png") }
    try folder.write(Array("no image".utf8), to: "in/2.png")
    try folder.write([], to: "in/4.png")
    try folder.write(png(4, seed: 5), to: "in/5.png")
    let source = try ImageTextFolder(folder.file("in"))
    try FileManager.default.removeItem(atPath: folder.file("in/6.png"))
    let report = try Packer(options { $0.minimumSide = 8 }).pack(
      source,
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
    #expect(report.dropped.map(\.name) == ["2.png", "4.png", "5.png", "6.png"])
    #expect(
      report.dropped.map(\.cause)
        == [.undecodable("unknown format"), .undecodable("unknown format"), .tooSmall, .unreadable]
    )
    #expect(
      report.manifest.dropped
        == ["unknown format": 2, "too small": 1, "unreadable file": 1]
    )
    let set = try PackedDataset(folder.file("out.zip"))
    #expect(set.count == 2)
    #expect(set.manifest == report.manifest)
    #expect(try set.image(at: 1) == noiseImage(8, seed: 3))
  }

  @Test func `images with too many captions, or too long ones, are left out with the cause`() throws
  {
    let texts = [
      Array(repeating: UInt8(ascii: "a"), count: 1 << 19).flatMap { [$0, UInt8(ascii: "\n")] },
      Array(String(repeating: "c\n", count: Packer.maximumCaptions).utf8),
      Array(String(repeating: "c\n", count: Packer.maximumCaptions + 1).utf8),
      [UInt8](repeating: UInt8(ascii: "d"), count: Packer.maximumCaptionBytes),
      [UInt8](repeating: UInt8(ascii: "d"), count: Packer.maximumCaptionBytes + 1),
    ]
    for (number, text) in texts.enumerated() {
      try folder.write(png(8, seed: number), to: "in/\(number).png")
      try folder.write(text, to: "in/\(number).txt")
    }
    let report = try Packer(options()).pack(
      ImageTextFolder(folder.file("in")),
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
    #expect(report.dropped.map(\.name) == ["0.png", "2.png", "4.png"])
    #expect(report.manifest.dropped == ["too many captions": 3])
    #expect(report.manifest.captionCount == Packer.maximumCaptions + 1)
  }

  /// Counts what it is given at once.
  private final class CountingExtractor: FeatureExtractor {
    let (name, sha256, settings) = ("counting", "00", "")
    private(set) var most = 0

    func embed(images: [RGBImage], first: Int) throws -> [[Float]] {
      try HashExtractor().embed(images: images, first: first)
    }

    func embed(captions: [String]) throws -> [[Float]] {
      most = max(most, captions.count)
      return try HashExtractor().embed(captions: captions)
    }
  }

  @Test func `the captions of a batch reach the model in bounded calls, in their order`() throws {
    for number in 0..<6 {
      try folder.write(png(8, seed: number), to: "in/\(number).png")
      let lines = (0..<100 + number).map { "caption \($0) of \(number)\n" }.joined()
      try folder.write(Array(lines.utf8), to: "in/\(number).txt")
    }
    let extractor = CountingExtractor()
    let source = try ImageTextFolder(folder.file("in"))
    _ = try Packer(options()).pack(source, to: folder.file("out.zip"), extractor: extractor)
    #expect(extractor.most == 256)
    let set = try PackedDataset(folder.file("out.zip"))
    for index in 0..<set.count {
      for (number, caption) in try set.captions(at: index).enumerated() {
        let expected = HashExtractor().feature(Array(caption.utf8))
        #expect(set.textFeature(image: index, caption: number) == expected)
      }
    }
  }

  @Test func `captions that are not UTF-8 are repaired and told, and their images are packed`()
    throws
  {
    try folder.write(png(8, seed: 1), to: "in/1.png")
    try folder.write([0x61, 0xff, 0x62], to: "in/1.txt")
    try folder.write(png(8, seed: 2), to: "in/2.png")
    let report = try Packer(options()).pack(
      ImageTextFolder(folder.file("in")),
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
    #expect(report.manifest.imageCount == 2)
    #expect(report.dropped.map(\.cause) == [.repairedCaption])
    #expect(!DropCause.repairedCaption.leavesOutImage)
    #expect(try PackedDataset(folder.file("out.zip")).captions(at: 0) == ["a\u{FFFD}b"])
    let list = try String(contentsOfFile: folder.file("out.zip.left-out.tsv"), encoding: .utf8)
    #expect(list.contains("1.png\tcaption that is not UTF-8, repaired\t"))
  }

  @Test func `an EXIF orientation that is not applied, or is damaged, is told`() throws {
    func file(orientation: UInt8, type: UInt8 = 3, tag: [UInt8] = [0x01, 0x12]) -> [UInt8] {
      // One entry of a big-endian TIFF directory in a JPEG's first segment.
      let head: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1]
      let entry: [UInt8] = tag + [0, type, 0, 0, 0, 1, 0, orientation, 0, 0]
      let exif: [UInt8] = Array("Exif\0\0".utf8) + head + entry + [0, 0, 0, 0]
      let segment: [UInt8] = [0xFF, 0xE1, 0, UInt8(exif.count + 2)]
      return segment + exif
    }
    let image = try noiseImage(8, seed: 1).encodedJPEG(quality: 90)
    let segments: [String: [UInt8]] = [
      "1-upright": file(orientation: 1), "2-turned": file(orientation: 6),
      "3-unknown": file(orientation: 0), "4-damaged": file(orientation: 9),
      "5-type": file(orientation: 6, type: 7), "6-other": file(orientation: 6, tag: [1, 0]),
      "7-cut": Array(file(orientation: 6).prefix(26)), "8-none": [],
    ]
    for (name, segment) in segments {
      var segment = segment
      if !segment.isEmpty { segment[3] = UInt8(segment.count - 2) }
      try folder.write(image.prefix(2) + segment + image.dropFirst(2), to: "in/\(name).jpg")
    }
    func remarks(appliesOrientation: Bool) throws -> [String] {
      let report = try Packer(options { $0.appliesOrientation = appliesOrientation }).pack(
        ImageTextFolder(folder.file("in")),
        to: folder.file("\(appliesOrientation).zip"),
        extractor: HashExtractor()
      )
      #expect(report.manifest.imageCount == 8)
      #expect(report.dropped.allSatisfy { !$0.cause.leavesOutImage })
      return report.dropped.map { "\($0.name) \($0.cause)" }
    }
    let unapplied = DropCause.unappliedOrientation.description
    let damaged = DropCause.damagedOrientation.description
    #expect(try remarks(appliesOrientation: false) == ["2-turned.jpg \(unapplied)"])
    #expect(
      try remarks(appliesOrientation: true)
        == ["4-damaged", "5-type", "7-cut"].map {
          "\($0).jpg \(damaged)"
        }
    )
  }

  @Test func `labels that no one could read again are left out with the cause`() throws {
    let tar = try TarWriter(folder.file("s.tar"))
    for (number, label) in ["-1", "3", "99999999999999999"].enumerated() {
      try tar.add("\(number).png", png(8, seed: number))
      try tar.add("\(number).cls", Array(label.utf8))
    }
    try tar.finish()
    let report = try Packer(options()).pack(
      ImageTextSources.open(folder.file("s.tar")),
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
    #expect(report.dropped.map(\.cause) == [.unusableLabel, .unusableLabel])
    #expect(report.dropped.first?.reason == "the label -1")
    let set = try PackedDataset(folder.file("out.zip"))
    #expect(try set.count == 1 && set.label(at: 0) == .index(3))
    #expect(DatasetCheck.faults(in: set) == [])
  }

  @Test func `the archive does not depend on threads or batches`() throws {
    for number in 0..<25 {
      try folder.write(png(8 + number % 3, seed: number), to: "in/\(number).png")
      try folder.write(Array("caption \(number)".utf8), to: "in/\(number).txt")
    }
    let source = try ImageTextFolder(folder.file("in"))
    var archives: [[UInt8]] = []
    for (threads, batchSize) in [(1, 64), (3, 4), (8, 1)] {
      _ = try Packer(
        options {
          $0.threads = threads
          $0.batchSize = batchSize
        }
      ).pack(source, to: folder.file("out.zip"), extractor: HashExtractor())
      archives.append(try bytes(of: folder.file("out.zip")))
    }
    #expect(archives[0] == archives[1] && archives[1] == archives[2])
  }

  @Test func `packing can stop after a number of items`() throws {
    for number in 0..<5 { try folder.write(png(8, seed: number), to: "in/\(number).png") }
    let report = try Packer(options { $0.maximumCount = 3 }).pack(
      try ImageTextFolder(folder.file("in")),
      to: folder.file("out.zip"),
      extractor: HashExtractor(),
      progress: { done, total in #expect((done, total) == (3, 3)) }
    )
    #expect(report.manifest.imageCount == 3)
  }

  private struct BrokenExtractor: FeatureExtractor {
    struct Failure: Error {}
    let name = "broken"
    let sha256 = ""
    let settings = ""
    var throwsError: Bool
    func embed(images: [RGBImage], first: Int) throws -> [[Float]] {
      if throwsError { throw Failure() }
      return []
    }
    func embed(captions: [String]) throws -> [[Float]] { [] }
  }

  @Test(arguments: [true, false])
  func `a failing model ends the run and leaves no archive`(throwsError: Bool) throws {
    try folder.write(png(8, seed: 1), to: "in/1.png")
    let source = try ImageTextFolder(folder.file("in"))
    let error = #expect(throws: DatasetError.self) {
      try Packer(options()).pack(
        source,
        to: folder.file("out.zip"),
        extractor: BrokenExtractor(throwsError: throwsError)
      )
    }
    #expect(error?.description.hasPrefix("CLIP model broken: ") == true)
    #expect(folder.contents == ["in"])
  }

  @Test func `a source without any usable image leaves no archive`() throws {
    try folder.write([1], to: "in/1.png")
    let source = try ImageTextFolder(folder.file("in"))
    let error = #expect(throws: DatasetError.self) {
      try Packer(options()).pack(source, to: folder.file("out.zip"), extractor: HashExtractor())
    }
    #expect(error?.description.contains("unknown format 1 (1.png: ") == true)
    #expect(folder.contents == ["in", "out.zip.left-out.tsv"])
  }
}
