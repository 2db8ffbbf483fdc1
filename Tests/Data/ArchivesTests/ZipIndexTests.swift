import Files
import Foundation
import TestSupport
import Testing

@testable import Archives

/// Archives that open by an index, and what becomes of damage that opening does not see.
@Suite struct ZipIndexTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Entries of other sizes, names in order.
  private func names(_ count: Int) -> [String] {
    (0..<count).map { String(10_000 + $0) + String(repeating: "x", count: $0 % 7) }
  }

  private func contents(_ number: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(number % 251), count: number % 5)
  }

  @discardableResult
  private func write(_ name: String, _ names: [String], indexed: Bool = true) throws -> String {
    let zip = try ZipWriter(folder.file(name))
    for (number, entry) in names.enumerated() { try zip.add(entry, contents(number)) }
    try zip.finish(indexed: indexed)
    return folder.file(name)
  }

  @Test(arguments: [1, 63, 64, 65, 128, 300])
  func `an archive with an index gives what one without gives`(count: Int) throws {
    let names = names(count)
    let indexed = try ZipArchive(write("a.zip", names), usesIndex: true)
    #expect(indexed.isIndexed && indexed.count == count + 1)
    let listed = try ZipArchive(folder.file("a.zip"))
    #expect(!listed.isIndexed && listed.count == count + 1)
    for index in [0..<count, (count / 2)..<count].joined() {
      #expect(indexed.name(at: index) == names[index] && listed.name(at: index) == names[index])
      #expect(try indexed.bytes(at: index).array == contents(index))
      #expect(indexed.checksum(at: index) == listed.checksum(at: index))
      #expect(indexed.index(of: names[index]) == index)
    }
    #expect(indexed.index(of: "1") == nil && indexed.index(of: "z") == nil)
    #expect(indexed.firstIndex { $0.last == UInt8(ascii: "x") } == (count > 1 ? 1 : nil))
    #expect(indexed.indexFault() == nil)
    try indexed.verifyChecksums()
  }

  @Test(arguments: [["b", "a"], ["a", "a"], ["a", "nifty.offsets.npy"], ["a", "猫"], []])
  func `there is no index where names do not ascend before it`(names: [String]) throws {
    try write("a.zip", names)
    try write("b.zip", names, indexed: false)
    #expect(try bytes(of: folder.file("a.zip")) == bytes(of: folder.file("b.zip")))
  }

  @Test func `an archive that another program changed is read without its index`() throws {
    let whole = try ZipArchive(write("a.zip", names(200)))
    let index = try whole.contents(at: 200, limit: 1 << 20)
    // An entry less; an entry more, before the index and behind it.
    for (name, names) in [("less", names(199)), ("more", names(201))] {
      let zip = try ZipWriter(folder.file(name))
      for (number, entry) in names.enumerated() { try zip.add(entry, contents(number)) }
      try zip.add(ZipIndex.entryName, index)
      try zip.finish()
      let archive = try ZipArchive(folder.file(name), usesIndex: true)
      #expect(!archive.isIndexed && archive.count == names.count + 1)
    }
    let zip = try ZipWriter(folder.file("behind"))
    for (number, entry) in names(200).enumerated() { try zip.add(entry, contents(number)) }
    try zip.add(ZipIndex.entryName, index)
    try zip.add("z", [1])
    try zip.finish()
    #expect(try !ZipArchive(folder.file("behind"), usesIndex: true).isIndexed)
  }

  /// Each byte of directory, index and end: either the right bytes come, or an error.
  @Test func `a damaged directory behind an index is found when an entry is asked for`() throws {
    let names = names(130)
    let whole = try bytes(of: write("a.zip", names))
    let first = try ZipArchive(folder.file("a.zip")).bytes(at: 130).count
    let start = whole.count - 22 - 131 * 46 - first - 4000
    var (found, fallenBack) = (0, 0)
    for position in stride(from: max(0, start), to: whole.count, by: 13) {
      var copy = whole
      copy[position] ^= 0x11
      try folder.write(copy, to: "b.zip")
      do {
        let zip = try ZipArchive(folder.file("b.zip"), usesIndex: true)
        if !zip.isIndexed { fallenBack += 1 }
        for (number, name) in names.enumerated() {
          guard let index = zip.index(of: name) else { continue }
          #expect(try zip.bytes(at: index).array == contents(number), "byte \(position)")
        }
        if zip.isIndexed, zip.indexFault() != nil { found += 1 }
      } catch { found += 1 }
    }
    #expect(found > 300 && fallenBack > 10, "\(found) found, \(fallenBack) without index")
  }

  @Test func `a forged index with a right checksum gives errors, not other entries`() throws {
    let names = names(200)
    let whole = try ZipArchive(write("a.zip", names))
    let index = try whole.contents(at: 200, limit: 1 << 20)
    let header = NpyHeader(element: .int64, shape: [5, 2]).encoded.count
    #expect(index.count == header + 80)
    for row in 0..<5 {
      for byte in 0..<16 {
        var forged = index
        forged[header + 16 * row + byte] ^= 1
        let zip = try ZipWriter(folder.file("b.zip"))
        for (number, entry) in names.enumerated() { try zip.add(entry, contents(number)) }
        try zip.add(ZipIndex.entryName, forged)
        try zip.finish()
        let archive = try ZipArchive(folder.file("b.zip"), usesIndex: true)
        guard archive.isIndexed else { continue }
        #expect(archive.indexFault()?.entry == ZipIndex.entryName)
        for (number, name) in names.enumerated() {
          guard let entry = archive.index(of: name) else { continue }
          #expect((try? archive.bytes(at: entry).array) ?? contents(number) == contents(number))
        }
      }
    }
  }
}
