import Files
import TestSupport
import Testing

@Suite struct MappedBytesTests {
  @Test func `releasing pages of owned memory changes nothing`() {
    let copy = MappedBytes(copying: [UInt8](repeating: 7, count: 1 << 20))
    copy.release(0..<copy.count)
    #expect(copy.withBytes { $0.allSatisfy { $0 == 7 } })
  }

  @Test func `released pages of a file are read again`() throws {
    let folder = try TemporaryFolder()
    try folder.write([UInt8](repeating: 7, count: 1 << 20), to: "a")
    let bytes = MappedBytes(try MappedFile(folder.file("a")))
    for range in [0..<bytes.count, 1..<2, 5..<5, 100..<1 << 30] { bytes.release(range) }
    bytes.slice(5000..<90_000).release(0..<85_000)
    bytes.slice(5000..<90_000).adviseRandomAccess()
    #expect(bytes.withBytes { $0.allSatisfy { $0 == 7 } })
  }

  @Test func `a slice retains its mapping`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3, 4], to: "a")
    func slice() throws -> MappedBytes {
      MappedBytes(try MappedFile(folder.file("a"))).slice(1..<3)
    }
    #expect(try slice().array == [2, 3])
    #expect(MappedBytes(copying: [1, 2, 3]).slice(1..<3).slice(1..<2).array == [3])
  }

  @Test func `two byte ranges are joined`() {
    let joined = [3, 4].withUnsafeBytes { MappedBytes(copying: [1, 2], $0) }
    #expect(joined.count == 2 + 2 * MemoryLayout<Int>.size)
    #expect(joined[1] == 2 && joined[2] == 3)
  }

  @Test func `a spool is mapped with all appended bytes and truncated on resume`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("part")
    let first = try SpoolFile(path, keeping: 0)
    try first.append([1, 2, 3])
    try [UInt8](repeating: 9, count: 1 << 19).withUnsafeBytes { try first.append($0) }
    #expect(try first.mapped().count == 3 + (1 << 19))
    try first.synchronize()
    let second = try SpoolFile(path, keeping: 2)
    try second.append([7])
    #expect(try second.mapped().array == [1, 2, 7])
  }
}
