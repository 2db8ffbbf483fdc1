import Archives
import Foundation
import Images
import TestSupport
import Testing
import Text

@testable import Datasets

/// Names are bytes: whatever people and programs write into folders and archives.
@Suite("Names in sources") struct NameTests {
  private let folder: TemporaryFolder
  private let png: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    png = try noiseImage(8, seed: 0).encodedPNG(level: 0)
  }

  /// A member of a tar, with any bytes as its name.
  private func member(
    _ name: [UInt8],
    _ content: [UInt8] = [],
    type: String = "0",
    target: String = ""
  ) -> [UInt8] {
    var header = Tar.header("x", size: content.count, type: type)
    header.replaceSubrange(0..<name.count, with: name)
    header.replaceSubrange(157..<157 + target.utf8.count, with: target.utf8)
    header.replaceSubrange(148..<156, with: "        ".utf8)
    let sum = header.reduce(0) { $0 + Int($1) }
    let digits = zeroPadded(sum, to: 6, radix: 8) + "\0 "
    header.replaceSubrange(148..<156, with: digits.utf8)
    let padding = (512 - content.count % 512) % 512
    return header + content + [UInt8](repeating: 0, count: padding)
  }

  private func member(_ name: String, _ content: [UInt8]) -> [UInt8] {
    member(Array(name.utf8), content)
  }

  private static let end = [UInt8](repeating: 0, count: 1024)

  private func tar(_ bytes: [UInt8]) throws -> any ImageTextSource {
    try folder.write(bytes, to: "a.tar")
    return try ImageTextSources.open(folder.file("a.tar"))
  }

  private func names(_ source: any ImageTextSource) -> [String] {
    (0..<source.count).map(source.name)
  }

  @Test func `a dot before a slash does not hide a file, a dot before a name does`() throws {
    let source = try tar(
      member("./", []) + member("./b/2.png", png) + member("./1.png", png)
        + member("./1.txt", Array("one".utf8)) + member("./.hidden.png", png)
        + member("./.git/3.png", png) + member("./__MACOSX/1.png", png) + Self.end
    )
    #expect(names(source) == ["1.png", "b/2.png"])
    #expect(try source.item(at: 0).captions == ["one"])
    try folder.write(Array("{\"labels\": [[\"./a.png\", 3]]}".utf8), to: "in/dataset.json")
    try folder.write(png, to: "in/a.png")
    let labelled = try ImageTextSources.open(folder.file("in"))
    #expect(try labelled.item(at: 0).label == .index(3) && labelled.remarks.isEmpty)
  }

  @Test func `names that Unicode holds to be equivalent stay two names`() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    #expect(composed == decomposed && Array(composed.utf8) != Array(decomposed.utf8))
    let labels = "{\"labels\": [[\"\(composed).png\", 1], [\"\(decomposed).png\", 7]]}"
    var archive = Self.end
    for (name, text) in [(composed, "one"), (decomposed, "two")] {
      try folder.write(png, to: "in/\(name).png")
      try folder.write(Array(text.utf8), to: "in/\(name).txt")
      archive = member("\(name).png", png) + member("\(name).txt", Array(text.utf8)) + archive
    }
    try folder.write(Array(labels.utf8), to: "in/dataset.json")
    let source = try ImageTextSources.open(folder.file("in"))
    #expect(source.count == 2)
    #expect(try source.item(at: 0).label == .index(7) && source.item(at: 1).label == .index(1))
    for source in [source, try tar(archive)] {
      #expect(source.count == 2)
      #expect(try source.item(at: 0).captions == ["two"] && source.item(at: 1).captions == ["one"])
    }
  }

  @Test func `names in an older encoding keep their captions`() throws {
    let stem: [UInt8] = Array("caf".utf8) + [0xE9]
    let other: [UInt8] = Array("caf".utf8) + [0xE8]
    let source = try tar(
      member(stem + Array(".png".utf8), png) + member(stem + Array(".txt".utf8), Array("e".utf8))
        + member(other + Array(".png".utf8), png)
        + member(other + Array(".txt".utf8), Array("grave".utf8)) + Self.end
    )
    #expect(names(source) == ["caf\\xE8.png", "caf\\xE9.png"])
    #expect(try source.item(at: 0).captions == ["grave"] && source.item(at: 1).captions == ["e"])
    // The same in a folder.
    try FileManager.default.createDirectory(
      atPath: folder.file("in"),
      withIntermediateDirectories: true
    )
    for (suffix, content) in [(".png", png), (".TXT", Array("e".utf8))] {
      let name = FileName(stem + Array(suffix.utf8))
      let file = try #require(fopen(FolderScan.path(name, in: folder.file("in")), "w"))
      fwrite(content, 1, content.count, file)
      fclose(file)
    }
    let inFolder = try ImageTextSources.open(folder.file("in"))
    #expect(names(inFolder) == ["caf\\xE9.png"])
    #expect(try inFolder.item(at: 0).captions == ["e"])
    #expect(try inFolder.item(at: 0).image() == noiseImage(8, seed: 0))
  }

  @Test func `labels may be listed with backslashes, and those of no image are told`() throws {
    try folder.write(png, to: "in/a/1.png")
    let labels = #"{"labels": [["a\\1.png", 3], ["b/2.png", 4], ["c.png", 5]]}"#
    try folder.write(Array(labels.utf8), to: "in/dataset.json")
    let source = try ImageTextSources.open(folder.file("in"))
    #expect(try source.item(at: 0).label == .index(3))
    #expect(source.remarks.map(\.name) == ["b/2.png", "c.png"])
    #expect(source.remarks.allSatisfy { $0.cause == .strayLabel && !$0.cause.leavesOutImage })
  }

  @Test func `of several labels of an image the last counts, and different ones are told`() throws {
    for name in ["1.png", "2.png"] { try folder.write(png, to: "in/" + name) }
    let labels = #"{"labels": [["1.png", 3], ["2.png", 4], ["1.png", 5], ["2.png", 4]]}"#
    try folder.write(Array(labels.utf8), to: "in/dataset.json")
    let source = try ImageTextSources.open(folder.file("in"))
    #expect(try (0..<2).map { try source.item(at: $0).label } == [.index(5), .index(4)])
    #expect(source.remarks.map(\.name) == ["1.png"])
    #expect(source.remarks.allSatisfy { $0.cause == .repeatedLabel && !$0.cause.leavesOutImage })
  }

  @Test func `links in a tar have the bytes of what they lead to, or are told`() throws {
    let source = try tar(
      member("a/1.png", png) + member(Array("2.png".utf8), type: "1", target: "a/1.png")
        + member(Array("a/3.png".utf8), type: "2", target: "../2.png")
        + member(Array("a/3.txt".utf8), type: "2", target: "/t.txt")
        + member("t.txt", Array("text".utf8))
        + member(Array("4.png".utf8), type: "2", target: "elsewhere.png")
        + member(Array("5.png".utf8), type: "2", target: "5.png") + Self.end
    )
    #expect(names(source) == ["2.png", "a/1.png", "a/3.png"])
    #expect(try source.item(at: 2).captions == ["text"])
    for index in 0..<3 { #expect(try source.item(at: index).image() == noiseImage(8, seed: 0)) }
    // The text that others lead to has no image of its own name.
    #expect(source.remarks.map(\.name) == ["4.png", "5.png", "t.txt"])
    #expect(source.remarks.prefix(2).allSatisfy { $0.reason.contains("not in the archive") })
  }

  @Test func `what is hidden or leads out of its archive is told, shadow files of macOS are not`()
    throws
  {
    let source = try tar(
      member("1.png", png) + member(".2.png", png) + member("a/../../3.png", png)
        + member("._1.png", png) + member("__MACOSX/._1.png", png) + member(".git/4.png", png)
        + member(".note", png) + Self.end
    )
    #expect(names(source) == ["1.png"])
    #expect(source.remarks.map(\.name) == [".2.png", "a/../../3.png"])
    #expect(source.remarks.allSatisfy { $0.cause == .hidden && $0.cause.leavesOutImage })
  }

  @Test func `hidden images and linked folders of a folder are told`() throws {
    for name in ["in/1.png", "in/.2.png", "in/._1.png", "in/.git/3.png", "other/4.png"] {
      try folder.write(png, to: name)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/linked"),
      withDestinationPath: "../other"
    )
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/5.png"),
      withDestinationPath: "1.png"
    )
    let source = try ImageTextSources.open(folder.file("in"))
    #expect(names(source) == ["1.png", "5.png"])
    #expect(source.remarks.map(\.name).sorted() == [".2.png", "linked/"])
    #expect(Set(source.remarks.map(\.cause.description)).count == 2)
    let report = try Packer(.init()).pack(source, to: folder.file("o.zip"), extractor: nil)
    #expect(report.dropped.count == 2)
  }

  @Test func `members of a tar that are no files are told if they are called like images`() throws {
    let source = try tar(
      member("1.png", png) + member(Array("2.png".utf8), type: "6")
        + member(Array("3.png".utf8), type: "3") + member(Array("4.png".utf8), type: "S")
        + member(Array("d/".utf8), type: "5") + member(Array("5.txt".utf8), type: "6") + Self.end
    )
    #expect(names(source) == ["1.png"])
    #expect(source.remarks.map(\.name) == ["2.png", "3.png", "4.png"])
    #expect(source.remarks[0].reason.contains("a named pipe"))
  }

  @Test(.enabled(if: Python.isAvailable, "python3 writes the zip"))
  func `links in a zip have the bytes of what they lead to, or are told`() throws {
    let script = """
      import sys, zipfile
      png = open(sys.argv[1], "rb").read()
      with zipfile.ZipFile(sys.argv[2], "w") as file:
          file.writestr("a/1.png", png)
          file.writestr("t.txt", "text")
          for name, target in (("2.png", "a/1.png"), ("a/3.png", "../2.png"), ("a/3.txt", "/t.txt"),
                               ("4.png", "elsewhere.png"), ("5.png", "5.png")):
              entry = zipfile.ZipInfo(name)
              entry.create_system = 3
              entry.external_attr = 0o120777 << 16
              file.writestr(entry, target)
      """
    try folder.write(png, to: "1.png")
    _ = try Python.run(script, folder.file("1.png"), folder.file("a.zip"))
    let source = try ImageTextSources.open(folder.file("a.zip"))
    #expect(names(source) == ["2.png", "a/1.png", "a/3.png"])
    #expect(try source.item(at: 2).captions == ["text"])
    for index in 0..<3 { #expect(try source.item(at: index).image() == noiseImage(8, seed: 0)) }
    #expect(source.remarks.map(\.name) == ["4.png", "5.png", "t.txt"])
  }

  @Test func `an archive is read by its bytes, and named by them where it is another file`() throws
  {
    let bytes = member("1.png", png) + Self.end
    try folder.write(bytes, to: "plain.tar.gz")
    #expect(try ImageTextSources.open(folder.file("plain.tar.gz")).count == 1)
    let packed = try nifty(
      ["-c", "gzip -c plain.tar.gz > packed.tar"],
      in: folder.path,
      program: "/bin/sh"
    )
    try #require(packed.status == 0)
    #expect(try ImageTextSources.open(folder.file("packed.tar")).count == 1)
    let html = Array("<!DOCTYPE html><html>".utf8) + [UInt8](repeating: 0x20, count: 600)
    for (name, content, kind) in [
      ("a.tar", html, "an HTML or XML page"), ("a.zip", html, "an HTML or XML page"),
      ("b.zip", bytes, "a tar archive"), ("c.zip", Array("Rar!\u{1A}\u{7}".utf8), "a RAR archive"),
      ("b.tar", Array("PK\u{3}\u{4}".utf8), "a zip archive"), ("d.zip", [], "an empty file"),
    ] {
      try folder.write(content, to: name)
      let error = #expect(throws: DatasetError.self) {
        try ImageTextSources.open(folder.file(name))
      }
      #expect("\(try #require(error))".contains("it looks like \(kind)"), "\(name)")
    }
  }

  @Test func `an archive without images says what it has`() throws {
    let error = #expect(throws: DatasetError.self) {
      try tar(
        member("1.npy", []) + member("2.npy", []) + member("3.txt", []) + member("4", [])
          + Self.end
      )
    }
    #expect(
      "\(try #require(error))".contains(
        "no image found, only 4 other files, of .npy 2, no suffix 1, .txt 1"
      )
    )
  }

  @Test func `of members with one name the last counts, which is told`() throws {
    let source = try tar(
      member("1.png", [1, 2, 3]) + member("./1.png", png) + member("1.txt", Array("a".utf8))
        + member("1.txt", Array("b".utf8)) + Self.end
    )
    #expect(try source.item(at: 0).image() == noiseImage(8, seed: 0))
    #expect(try source.item(at: 0).captions == ["b"])
    #expect(source.remarks.map(\.cause) == [.repeatedName, .repeatedName])
  }

  @Test func `a tar without its end, or with another behind it, is told`() throws {
    let files = member("1.png", png)
    #expect(try tar(files + Self.end).remarks.isEmpty)
    #expect(try tar(files + [UInt8](repeating: 0, count: 512)).remarks.isEmpty)
    #expect(try tar(files).remarks.map(\.cause) == [.missingEnd])
    #expect(try tar(files + Self.end + files + Self.end).remarks.map(\.cause) == [.missingEnd])
  }

  @Test(arguments: [
    "a.jxl", "b.HEIF", "c.svg", "d.ico", "e.pjpeg", "f.jpg_large", "g.j2k", "h.jpg?w=3",
  ])
  func `files with an image's suffix are not overlooked`(name: String) throws {
    try folder.write([1, 2, 3], to: "in/\(name)")
    try folder.write(png, to: "in/z.png")
    let source = try ImageTextSources.open(folder.file("in"))
    #expect(names(source) == [name, "z.png"])
    let report = try Packer(.init()).pack(source, to: folder.file("o.zip"), extractor: nil)
    #expect(report.dropped.map(\.name) == [name])
  }

  @Test func `when all is left out the causes are said and listed`() throws {
    try folder.write(Array("<html>sign in</html>".utf8), to: "in/a.jpg")
    try folder.write(try noiseImage(8, seed: 1, height: 16).encodedPNG(level: 0), to: "in/b.png")
    let source = try ImageTextSources.open(folder.file("in"))
    let error = #expect(throws: DatasetError.self) {
      try Packer(.init()).pack(source, to: folder.file("o.zip"), extractor: nil)
    }
    let text = "\(error as Any)"
    #expect(text.contains("unknown format 1 (a.jpg: ") && text.contains("an HTML or XML page"))
    #expect(text.contains("8×16 pixels") && text.contains("give --width, --height"))
    #expect(folder.contents == ["in", "o.zip.left-out.tsv"])
  }

  @Test func `captions of UTF-16 are read by the mark at their beginning`() throws {
    let text = Array("é\n猫".utf16)
    let little = text.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let big = text.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    try folder.write(png, to: "in/1.png")
    for bytes in [[0xff, 0xfe] + little, [0xfe, 0xff] + big] {
      try folder.write(bytes, to: "in/1.txt")
      let item = try ImageTextSources.open(folder.file("in")).item(at: 0)
      #expect(item.captions == ["é", "猫"] && !item.hasRepairedCaptions)
    }
    // Half of a surrogate pair is told.
    try folder.write([0xff, 0xfe, 0x00, 0xd8], to: "in/1.txt")
    #expect(try ImageTextSources.open(folder.file("in")).item(at: 0).hasRepairedCaptions)
  }

  @Test func `captions that only a .json has are told, with the flag that reads them`() throws {
    for name in ["in/1.png", "in/2.png"] { try folder.write(png, to: name) }
    try folder.write(Array("{\"labels\": null}".utf8), to: "in/dataset.json")
    #expect(try ImageTextSources.open(folder.file("in")).remarks.isEmpty)
    try folder.write(Array("{\"caption\": \"a\"}".utf8), to: "in/2.json")
    let remarks = try ImageTextSources.open(folder.file("in")).remarks
    #expect(remarks.map(\.name) == ["2.json"] && remarks.map(\.cause) == [.unreadCaptions])
    #expect(remarks[0].reason.contains("--caption-key"))
    let keyed = try ImageTextSources.open(folder.file("in"), captionKey: "caption")
    #expect(keyed.remarks.isEmpty)
    try folder.write(Array("a".utf8), to: "in/1.txt")
    #expect(try ImageTextSources.open(folder.file("in")).remarks.isEmpty)
  }

  @Test func `images without captions are counted`() throws {
    for number in 0..<3 { try folder.write(png, to: "in/\(number).png") }
    try folder.write(Array("one".utf8), to: "in/1.txt")
    let source = try ImageTextSources.open(folder.file("in"))
    let report = try Packer(.init()).pack(source, to: folder.file("o.zip"), extractor: nil)
    #expect(report.uncaptionedCount == 2)
    let set = try PackedDataset(folder.file("o.zip"), requiresFeatures: false)
    #expect(try set.uncaptionedCount() == 2)
    let featured = try Packer(.init()).pack(
      source,
      to: folder.file("f.zip"),
      extractor: HashExtractor()
    )
    #expect(featured.uncaptionedCount == 2)
    #expect(try PackedDataset(folder.file("f.zip")).uncaptionedCount() == 2)
  }

  @Test func `a set that is merged with itself is told, and none is merged over itself`() throws {
    let path = try packNoise(folder.file("a.zip"), count: 3)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("b.zip"),
      withDestinationPath: path
    )
    let sets = [try PackedDataset(path), try PackedDataset(folder.file("b.zip"))]
    #expect(DatasetMerge.repeated(sets) == [folder.file("b.zip")])
    let over = #expect(throws: DatasetError.self) {
      try DatasetMerge.merge([sets[0]], to: folder.file("a.zip"))
    }
    #expect(over?.description.contains("would be overwritten") == true)
  }

  @Test func `an empty zip is refused with words, as source and as dataset`() throws {
    let empty = Array("PK".utf8) + [5, 6] + [UInt8](repeating: 0, count: 18)
    try folder.write(empty, to: "e.zip")
    #expect(throws: DatasetError.self) { try ImageTextSources.open(folder.file("e.zip")) }
    #expect(throws: DatasetError.self) {
      try PackedDataset(folder.file("e.zip"), requiresFeatures: false)
    }
  }
}
