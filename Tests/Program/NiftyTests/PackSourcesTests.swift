import Archives
import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// What `nifty pack` takes that others have made: img2dataset's JSON, compressed tars, photos that lie on
/// their side.
@Suite("Sources of packing")
struct PackSourcesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func picture(_ shade: UInt8, width: Int = 16, height: Int = 16) -> RGBImage {
    RGBImage(width: width, height: height, filledWith: Color(shade, 0, 0))
  }

  private func pack(_ more: [String]) throws -> Outcome {
    try nifty(
      ["pack", "--no-clip", "--width=16", "--height=16", "--transform=center-crop"] + more,
      in: folder.path
    )
  }

  private func captions(_ zip: String) throws -> [[String]] {
    let set = try PackedDataset(folder.file(zip), requiresFeatures: false)
    return try (0..<set.count).map { try set.captions(at: $0) }
  }

  /// A tar of samples, each a picture with a JSON.
  private func tar(_ samples: [(name: String, json: String)]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for (number, sample) in samples.enumerated() {
      let files = [
        ("\(sample.name).png", try picture(UInt8(number)).encodedPNG()),
        ("\(sample.name).json", Array(sample.json.utf8)),
      ]
      for (name, content) in files {
        bytes += content.withUnsafeBytes { Tar.entry(name, $0) }
      }
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
  }

  private func gzip(_ name: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/gzip")
    process.arguments = [folder.file(name)]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  @Test func `captions come from the JSON beside an image, from the key that is named`() throws {
    let documents = [
      "0": #"{"caption": "a red\nbus", "url": "http://a", "exif": {"caption": "no"}}"#,
      "1": #"{"url": "http://b", "caption": ["one", "two", null]}"#, "2": #"{"url": "c"}"#,
      "3": "{", "4": #"{"caption": 7}"#, "5": #"{"caption": null}"#,
    ]
    for (name, json) in documents {
      try folder.write(picture(UInt8(name) ?? 0).encodedPNG(), to: "in/\(name).png")
      try folder.write(Array(json.utf8), to: "in/\(name).json")
      try folder.write(Array("another text".utf8), to: "in/\(name).txt")
    }
    let result = try pack(["--source=in", "--dest=out.zip", "--caption-key=caption"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try captions("out.zip") == [["a red bus"], ["one", "two"], [], []])
    #expect(result.output.contains("4 images") && result.output.contains("2 left out"))
    #expect(result.output.contains("without captions 2"))
    let list = try String(contentsOfFile: folder.file("out.zip.left-out.tsv"), encoding: .utf8)
    #expect(list.contains("3.png\t") && list.contains("4.png\t"), "\(list)")
  }

  @Test func `a key that no image has is refused with the keys that there are`() throws {
    try folder.write(picture(1).encodedPNG(), to: "in/0.png")
    try folder.write(Array(#"{"text": "a", "url": "b"}"#.utf8), to: "in/0.json")
    try folder.write(tar([("0", #"{"text": "a", "url": "b"}"#)]), to: "in.tar")
    for source in ["in", "in.tar"] {
      let result = try pack(["--source=\(source)", "--dest=out.zip", "--caption-key=caption"])
      #expect(result.status == 1)
      #expect(
        result.errors.hasSuffix(
          "\(source): no image has caption in its .json; --caption-key is one of text, url\n"
        )
      )
    }
    try folder.write(picture(1).encodedPNG(), to: "bare/0.png")
    let bare = try pack(["--source=bare", "--dest=out.zip", "--caption-key=caption"])
    #expect(bare.status == 1 && bare.errors.contains("bare has no .json with captions"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("out.zip")))
  }

  @Test func `a compressed tar is packed as the tar in it`() throws {
    let samples = [("a", #"{"caption": "first"}"#), ("b", #"{"caption": "second"}"#)]
    try folder.write(tar(samples), to: "set.tar")
    let key = "--caption-key=caption"
    #expect(try pack(["--source=set.tar", "--dest=plain.zip", key]).status == 0)
    try gzip("set.tar")
    let result = try pack(["--source=set.tar.gz", "--dest=packed.zip", key])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try captions("packed.zip") == [["first"], ["second"]])
    let zips = try ["plain.zip", "packed.zip"].map {
      try PackedDataset(folder.file($0), requiresFeatures: false)
    }
    #expect(try zips[0].encodedImage(at: 1) == zips[1].encodedImage(at: 1))
    // Its zip in a folder is set.zip.
    try FileManager.default.createDirectory(
      atPath: folder.file("zips"),
      withIntermediateDirectories: false
    )
    #expect(try pack(["--source=set.tar.gz", "--dest=zips", key]).status == 0)
    #expect(try captions("zips/set.zip") == [["first"], ["second"]])
  }

  @Test func `a compressed tar that is cut or none is one line`() throws {
    try folder.write(tar([("a", "{}")]), to: "set.tar")
    try gzip("set.tar")
    let whole = try Data(contentsOf: URL(filePath: folder.file("set.tar.gz")))
    try folder.write(Array(whole.prefix(whole.count / 2)), to: "cut.tar.gz")
    try folder.write(Array("no gzip at all".utf8), to: "none.tgz")
    for name in ["cut.tar.gz", "none.tgz"] {
      let result = try pack(["--source=\(name)", "--dest=out.zip"])
      #expect(result.status == 1)
      #expect(result.errors.split(separator: "\n").count == 1 && result.errors.contains(name))
    }
  }

  @Test func `several tars by a pattern become one zip, in their order`() throws {
    for number in [10, 9, 2] {
      let sample = ("x\(number)", #"{"caption": "of \#(number)"}"#)
      try folder.write(tar([sample]), to: "tars/part-\(number).tar")
    }
    try folder.write(Array("broken".utf8), to: "more/bad.png")
    try folder.write(picture(9).encodedPNG(), to: "more/good.png")
    try folder.write(Array(#"{"caption": "in a folder"}"#.utf8), to: "more/good.json")
    let result = try pack(
      ["--source=tars/*.tar", "--source=more", "--dest=all.zip", "--caption-key=caption"]
    )
    #expect(result.status == 0, "\(result.errors)")
    #expect(try captions("all.zip") == [["of 10"], ["of 2"], ["of 9"], ["in a folder"]])
    let list = try String(contentsOfFile: folder.file("all.zip.left-out.tsv"), encoding: .utf8)
    #expect(list.contains("more/bad.png\t"), "\(list)")
    // The same command ends with the same bytes.
    let bytes = try Data(contentsOf: URL(filePath: folder.file("all.zip")))
    let again = try pack(
      ["--source=tars/*.tar", "--source=more", "--dest=again.zip", "--caption-key=caption"]
    )
    #expect(again.status == 0)
    #expect(try Data(contentsOf: URL(filePath: folder.file("again.zip"))) == bytes)
  }

  @Test(arguments: [
    (["--source=none/*.tar", "--dest=out.zip"], "none/*.tar"),
    (["--source=a", "--source=a", "--dest=out.zip"], "a is named twice"),
    (
      ["--source=a", "--source=b", "--dest=nowhere"], "--dest must be an existing folder or a .zip"
    ),
    (["--source=a", "--dest=out.zip", "--caption-key", ""], "--caption-key must not be empty"),
    (["--source=a", "--dest=out.zip", "--orientation=up"], "--orientation"),
  ])
  func `sources that cannot be packed together are refused in a line`(
    arguments: [String],
    message: String
  ) throws {
    for name in ["a", "b"] { try folder.write(picture(1).encodedPNG(), to: "\(name)/0.png") }
    let result = try pack(arguments)
    #expect(result.status != 0 && result.errors.contains(message), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("out.zip")))
  }

  @Test func `a photo is turned upright where that is asked for`() throws {
    // Left half black, right half white.
    var image = RGBImage(width: 64, height: 64, filledWith: .white)
    image.paste(RGBImage(width: 32, height: 64, filledWith: .black), x: 0, y: 0)
    let jpeg = try image.encodedJPEG(quality: 95)
    // Orientation 6: to be turned to the right, so that the left comes on top.
    let tiff: [UInt8] = [
      0x49, 0x49, 0x2A, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
    ]
    let exif = Array("Exif\0\0".utf8) + tiff
    let segment = [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif
    try folder.write(Array(jpeg[..<2]) + segment + Array(jpeg[2...]), to: "in/0.jpg")
    for rule in ["none", "exif"] {
      let result = try pack(["--source=in", "--dest=\(rule).zip", "--orientation=\(rule)"])
      #expect(result.status == 0, "\(result.errors)")
      let packed = try PackedDataset(
        folder.file("\(rule).zip"),
        requiresFeatures: false
      ).image(at: 0)
      let (right, below) = (packed[x: 14, y: 1], packed[x: 1, y: 14])
      #expect(
        rule == "none" ? right.red > 200 && below.red < 50 : right.red < 50 && below.red > 200
      )
    }
  }
}
