import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct MergeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `merged sets hold the images, features and captions of all, in order`() throws {
    let parts = try [
      packNoise(folder.file("a.zip"), count: 3),
      packNoise(folder.file("b.zip"), count: 4, first: 3, captions: { $0 % 2 }),
    ].map { try PackedDataset($0) }
    let manifest = try DatasetMerge.merge(parts, to: folder.file("all.zip"))
    #expect(manifest.imageCount == 7 && manifest.source == "noise + noise")
    let all = try PackedDataset(folder.file("all.zip"))
    for index in 0..<7 {
      let (part, own) = index < 3 ? (parts[0], index) : (parts[1], index - 3)
      #expect(try all.encodedImage(at: index) == part.encodedImage(at: own))
      #expect(all.imageFeature(at: index) == part.imageFeature(at: own))
      #expect(try all.captions(at: index) == part.captions(at: own))
      #expect(all.textFeatureCount(at: index) == part.textFeatureCount(at: own))
    }
    #expect(DatasetCheck.faults(in: all) == [])
  }

  @Test func `sets that do not fit together are refused`() throws {
    let first = try PackedDataset(packNoise(folder.file("a.zip"), count: 1))
    let larger = try PackedDataset(packNoise(folder.file("b.zip"), count: 1, side: 16))
    let longer = try PackedDataset(packNoise(folder.file("c.zip"), count: 1, dimension: 4))
    for other in [larger, longer] {
      #expect(throws: DatasetError.self) {
        try DatasetMerge.merge([first, other], to: folder.file("all.zip"))
      }
    }
    #expect(!folder.contents.contains("all.zip"))
  }

  @Test func `the check finds every fault and names its entry`() throws {
    let path = try packNoise(folder.file("a.zip"), count: 4)
    #expect(try DatasetCheck.faults(in: PackedDataset(path)) == [])
    var damaged = try bytes(of: path)
    let zip = try ZipArchive(path)
    for name in ["00000/img00000002.png", "captions.jsonl"] {
      let entry = try #require(zip.index(of: name))
      let content = try zip.bytes(at: entry).withBytes { Array($0) }
      let place = try #require(damaged.firstRange(of: content)).lowerBound
      damaged[place + content.count - 2] ^= 1
    }
    try folder.write(damaged, to: "bad.zip")
    let faults = try DatasetCheck.faults(in: PackedDataset(folder.file("bad.zip")))
    #expect(faults.map(\.entry).contains("00000/img00000002.png"))
    #expect(faults.contains { $0.entry == "captions.jsonl" && $0.reason == "its checksum differs" })
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `Python reads the tars that are written`() throws {
    let tar = try TarWriter(folder.file("a.tar"))
    try tar.add("a/1.txt", Array("one".utf8))
    try tar.add("a/2.txt", [UInt8](repeating: 7, count: 1024))
    try tar.finish()
    let script = """
      import sys, tarfile
      t = tarfile.open(sys.argv[1])
      print([(m.name, m.size, m.mtime) for m in t], t.extractfile("a/1.txt").read())
      """
    #expect(
      try Python.run(script, folder.file("a.tar"))
        == "[('a/1.txt', 3, 0), ('a/2.txt', 1024, 0)] b'one'\n"
    )
  }
}
