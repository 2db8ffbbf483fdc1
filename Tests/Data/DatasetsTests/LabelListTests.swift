import Archives
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Labels as people write them by hand, and files that nobody reads.
@Suite("Lists of labels") struct LabelListTests {
  private let folder: TemporaryFolder
  private let png: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    png = try noiseImage(8, seed: 0).encodedPNG(level: 0)
  }

  @Test func `labels behind a mark of UTF-8 are read, and those under another key are told`() throws
  {
    try folder.write(png, to: "in/1.png")
    try folder.write(Array("\u{FEFF}{\"labels\": [[\"1.png\", 3]]}".utf8), to: "in/dataset.json")
    let marked = try ImageTextSources.open(folder.file("in"))
    #expect(try marked.item(at: 0).label == .index(3) && marked.remarks.isEmpty)
    try folder.write(Array(#"{"label": [["1.png", 3]]}"#.utf8), to: "in/dataset.json")
    let misnamed = try ImageTextSources.open(folder.file("in"))
    #expect(misnamed.remarks.map(\.cause) == [.noLabels])
    #expect(misnamed.remarks.first?.reason.hasPrefix("it has no labels, only label; ") == true)
    for document in [#"{"labels": null}"#, "{}", #"{"labels": []}"#] {
      try folder.write(Array(document.utf8), to: "in/dataset.json")
      #expect(try ImageTextSources.open(folder.file("in")).remarks.isEmpty)
    }
  }

  @Test(arguments: [
    (#"{"labels": [["1.png", "cat"]]}"#, "a label that is a word: classes are numbered 0, 1, …"),
    (#"{"labels": [["1.png", true]]}"#, "a label that is a word: classes are numbered 0, 1, …"),
    (#"{"labels": [["1.png", 0, 1]]}"#, "more than a name and a value: numbers go into a list"),
    (#"{"labels": {"1.png": 0}}"#, "no '[' where expected"),
    ("\u{FFFE}{", "no '{' where expected"),
  ])
  func `labels written otherwise say how they are written`(text: String, reason: String) throws {
    try folder.write(png, to: "in/1.png")
    try folder.write(Array(text.utf8), to: "in/dataset.json")
    let error = #expect(throws: DatasetError.self) { try ImageTextSources.open(folder.file("in")) }
    let said = error.map { "\($0)" } ?? ""
    #expect(
      said.contains(reason) && said.contains(#"write {"labels": [["a/1.png", 3], "#),
      "\(said)"
    )
    #expect(!said.contains("download"))
  }

  @Test func `labels of a tar come from its dataset.json and from .cls, and words are told`() throws
  {
    let list = Array(#"{"labels": [["a.png", 3], ["b.png", 4]]}"#.utf8)
    let members: [(String, [UInt8])] = [
      ("a.png", png), ("b.png", png), ("b.cls", Array("7\n".utf8)), ("c.png", png),
      ("c.cls", Array("dog".utf8)), ("dataset.json", list),
    ]
    let bytes = members.flatMap { name, content in
      let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
      return Tar.header(name, size: content.count, type: "0") + content + padding
    }
    try folder.write(bytes + [UInt8](repeating: 0, count: 1024), to: "a.tar")
    let source = try ImageTextSources.open(folder.file("a.tar"))
    #expect(try (0..<3).map { try source.item(at: $0).label } == [.index(3), .index(7), nil])
    #expect(source.remarks.map(\.name) == ["c.png"] && source.remarks[0].cause == .wordLabel)
  }

  @Test func `captions of no image and files of other kinds are told`() throws {
    for name in ["a.png", "b.png"] { try folder.write(png, to: "in/" + name) }
    for name in ["a.txt", "z.txt", "a.caption", "b.caption", "metadata.jsonl", "a.json", "a.cls"] {
      try folder.write(Array("x".utf8), to: "in/" + name)
    }
    let remarks = try ImageTextSources.open(folder.file("in")).remarks
    let told = remarks.map { "\($0.name): \($0.cause)" }
    #expect(
      told == [
        "z.txt: caption of an unknown image", "*.caption: kind of file that is not read",
        "*.cls: kind of file that is not read", "*.jsonl: kind of file that is not read",
      ]
    )
    #expect(remarks[1].reason == "2 files" && !remarks.contains { $0.cause.leavesOutImage })
  }
}
