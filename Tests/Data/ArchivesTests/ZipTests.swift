import Files
import Foundation
import TestSupport
import Testing

@testable import Archives

@Suite struct ZipTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func writeSmall(_ name: String) throws -> String {
    let path = folder.file(name)
    let zip = try ZipWriter(path)
    try zip.add("b/second.bin", [UInt8](0...255))
    try zip.add("a.txt", Array("hello".utf8))
    try zip.add("猫.txt", Array("a cat".utf8))
    try zip.add("empty", [])
    try zip.finish()
    return path
  }

  private func contents(_ zip: ZipArchive, _ name: String) throws -> [UInt8] {
    let index = try #require(zip.index(of: name))
    return try zip.bytes(at: index).withBytes { Array($0) }
  }

  @Test func `CRC-32 has the check value of the standard`() {
    #expect(Array("123456789".utf8).withUnsafeBytes(CRC32.of) == 0xCBF4_3926)
    #expect([UInt8]().withUnsafeBytes(CRC32.of) == 0)
    var crc = CRC32()
    for part in ["1", "2345678", "9"] { Array(part.utf8).withUnsafeBytes { crc.update($0) } }
    #expect(crc.value == 0xCBF4_3926)
  }

  @Test func `entries come back, in the order of their names`() throws {
    let zip = try ZipArchive(writeSmall("a.zip"))
    #expect((0..<zip.count).map(zip.name) == ["a.txt", "b/second.bin", "empty", "猫.txt"])
    #expect(try contents(zip, "b/second.bin") == [UInt8](0...255))
    #expect(try contents(zip, "猫.txt") == Array("a cat".utf8))
    #expect(try contents(zip, "empty") == [])
    #expect(zip.index(of: "b") == nil)
    #expect(zip.index(of: "zzz") == nil)
  }

  @Test(arguments: [(0, 2), (40, 0), (1000, 77), (0, 70_000)])
  func `bytes before and behind an archive are skipped and counted where that is allowed`(
    before: Int,
    behind: Int
  ) throws {
    let archive = try bytes(of: writeSmall("a.zip"))
    // Zeros, and a mark of an archive's end that is none.
    let tail = [UInt8](repeating: 0, count: behind)
    try folder.write([UInt8](repeating: 0x50, count: before) + archive + tail, to: "b.zip")
    let zip = try ZipArchive(folder.file("b.zip"), allowsSurplus: true)
    #expect(zip.surplus == before + behind)
    #expect(try contents(zip, "b/second.bin") == [UInt8](0...255))
    #expect(try contents(zip, "猫.txt") == Array("a cat".utf8))
    #expect(throws: ArchiveError.self) { try ZipArchive(folder.file("b.zip")) }
    #expect(try ZipArchive(folder.file("a.zip"), allowsSurplus: true).surplus == 0)
  }

  @Test func `bytes between the directory and the end move nothing`() throws {
    let archive = try bytes(of: writeSmall("a.zip"))
    let end = archive.count - 22
    try folder.write(archive[..<end] + [1, 2, 3] + archive[end...], to: "b.zip")
    for allowsSurplus in [true, false] {
      let zip = try ZipArchive(folder.file("b.zip"), allowsSurplus: allowsSurplus)
      #expect(try contents(zip, "a.txt") == Array("hello".utf8) && zip.surplus == 0)
    }
  }

  @Test func `a part of a split archive says what to do`() throws {
    var archive = try bytes(of: writeSmall("a.zip"))
    archive[archive.count - 18] = 2
    try folder.write(archive, to: "b.zip")
    let error = #expect(throws: ArchiveError.self) { try ZipArchive(folder.file("b.zip")) }
    #expect(error?.description.contains("one part of a split archive; join the parts") == true)
  }

  @Test func `equal entries give equal bytes`() throws {
    #expect(try bytes(of: writeSmall("a.zip")) == bytes(of: writeSmall("b.zip")))
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `Python reads what we write`() throws {
    let script = """
      import sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      assert z.testzip() is None
      print([(i.filename, i.file_size, i.compress_type, i.date_time[0]) for i in z.infolist()])
      """
    #expect(
      try Python.run(script, writeSmall("a.zip")) == """
        [('b/second.bin', 256, 0, 1980), ('a.txt', 5, 0, 1980), ('猫.txt', 5, 0, 1980), \
        ('empty', 0, 0, 1980)]\n
        """
    )
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `we read what Python writes, streamed entries and comments too`() throws {
    let path = folder.file("python.zip")
    let script = """
      import sys, zipfile
      z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_STORED)
      z.comment = b"PK\\x05\\x06 not the end"
      z.writestr("one", b"1" * 1000)
      with z.open("large", "w", force_zip64=True) as f: f.write(b"2" * 3)
      z.writestr("squeezed", b"3" * 1000, zipfile.ZIP_DEFLATED)
      z.close()
      """
    _ = try Python.run(script, path)
    let zip = try ZipArchive(path)
    #expect(try contents(zip, "one") == [UInt8](repeating: 0x31, count: 1000))
    #expect(try contents(zip, "large") == [0x32, 0x32, 0x32])
    let error = #expect(throws: ArchiveError.self) { try contents(zip, "squeezed") }
    #expect("\(try #require(error))".contains("re-zip with zip -0"))
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `more than 65,535 entries need Zip64 and get it`() throws {
    let path = folder.file("many.zip")
    let writer = try ZipWriter(path)
    for index in 0..<66_000 { try writer.add("n\(index)", [UInt8(index & 255)]) }
    try writer.finish()
    let zip = try ZipArchive(path)
    #expect(zip.count == 66_000)
    for index in [0, 1, 65_534, 65_535, 65_999] {
      #expect(try contents(zip, "n\(index)") == [UInt8(index & 255)])
    }
    let script = "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).infolist()))"
    #expect(try Python.run(script, path) == "66000\n")
  }

  @Test(arguments: [65_534, 65_535, 65_536])
  func `the entry count at the edge of 16 bits`(count: Int) throws {
    let path = folder.file("edge.zip")
    let writer = try ZipWriter(path)
    for index in 0..<count { try writer.add("\(index)", []) }
    try writer.finish()
    #expect(try ZipArchive(path).count == count)
  }

  @Test func `Zip64 sizes and positions in the directory are understood`() throws {
    // An archive of one entry whose directory states everything in the Zip64 extra field.
    let path = folder.file("wide.zip")
    let writer = try ZipWriter(path)
    try writer.add("x", Array("data".utf8))
    try writer.finish()
    var file = try bytes(of: path)
    let directory = 30 + 1 + 4
    for offset in [20, 24, 42] {
      file.replaceSubrange(
        directory + offset..<directory + offset + 4,
        with: repeatElement(255, count: 4)
      )
    }
    var extra: [UInt8] = []
    extra.append(littleEndian: 1 as UInt16)
    extra.append(littleEndian: 24 as UInt16)
    for value in [4, 4, 0] as [UInt64] { extra.append(littleEndian: value) }
    file[directory + 30] = UInt8(extra.count)
    file.insert(contentsOf: extra, at: directory + 47)
    file[file.count - 10] += UInt8(extra.count)
    try folder.write(file, to: "wide.zip")
    #expect(try contents(ZipArchive(path), "x") == Array("data".utf8))
  }

  @Test func `an unfinished archive leaves nothing behind`() throws {
    do {
      let writer = try ZipWriter(folder.file("late.zip"))
      try writer.add("a", [UInt8](repeating: 1, count: 3_000_000))
      #expect(!folder.contents.contains("late.zip"))
    }
    #expect(folder.contents == [])
  }

  @Test func `a finished archive replaces an older one`() throws {
    try folder.write([1, 2, 3], to: "a.zip")
    _ = try writeSmall("a.zip")
    #expect(folder.contents == ["a.zip"])
    #expect(try ZipArchive(folder.file("a.zip")).count == 4)
  }

  @Test func `a folder that does not exist is an error in one line`() {
    let error = #expect(throws: FileError.self) { try ZipWriter("/nonexistent/a.zip") }
    #expect(error?.description.contains("/nonexistent/") == true)
    #expect(throws: ArchiveError.missing(path: "/nonexistent.zip")) {
      try ZipArchive("/nonexistent.zip")
    }
  }

  @Test func `two entries of one name are refused`() throws {
    let path = folder.file("twice.zip")
    let writer = try ZipWriter(path)
    try writer.add("x", [1])
    try writer.add("x", [2])
    try writer.finish()
    let error = #expect(throws: ArchiveError.self) { try ZipArchive(path) }
    #expect(error?.description.contains("two entries are called x") == true)
  }

  @Test func `a changed byte of an entry is noticed`() throws {
    let path = try writeSmall("a.zip")
    var file = try bytes(of: path)
    let offset = try #require(file.firstRange(of: Array("hello".utf8))?.lowerBound)
    file[offset] ^= 1
    try folder.write(file, to: "a.zip")
    let zip = try ZipArchive(path)
    #expect(
      throws: ArchiveError.damaged(path: path, entry: "a.txt", reason: "its checksum differs")
    ) { try contents(zip, "a.txt") }
    #expect(try contents(zip, "猫.txt") == Array("a cat".utf8))
  }

  @Test func `an archive cut at any byte is refused`() throws {
    let whole = try bytes(of: writeSmall("a.zip"))
    for length in 0..<whole.count {
      try folder.write(Array(whole[..<length]), to: "cut.zip")
      #expect(throws: ArchiveError.self, "\(length) bytes") {
        try ZipArchive(folder.file("cut.zip"))
      }
    }
  }

  @Test func `damaged archives end in errors or in the right bytes`() throws {
    let whole = try bytes(of: writeSmall("a.zip"))
    var (refused, read) = (0, 0)
    let inputs = DamagedInputs([whole])
    for copy in (0..<1500).lazy.map(inputs.input) {
      try folder.write(copy, to: "bad.zip")
      do {
        let zip = try ZipArchive(folder.file("bad.zip"))
        for index in 0..<zip.count {
          let crc = try zip.bytes(at: index).withBytes(CRC32.of)
          #expect(crc == zip.checksum(at: index))
        }
        read += 1
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100 && read > 10)
  }
}
