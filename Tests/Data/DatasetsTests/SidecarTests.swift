import Archives
import Files
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Datasets

/// Where the features of LAFITE's own zips are kept, and whether they are believed.
@Suite struct SidecarTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func paths(_ environment: [String: String]) -> SidecarPaths {
    // A folder that is not there cannot be written by anybody, root included.
    SidecarPaths(of: folder.file("none/a.zip"), checksum: 0xab, environment: environment)
  }

  @Test func `a sidecar lies beside its zip where that can be written`() throws {
    let paths = SidecarPaths(of: folder.file("a.zip"), checksum: 1, environment: [:])
    #expect(try paths.writable() == folder.file("a.zip.features"))
  }

  @Test func `otherwise it goes to the user's cache folder, which only the user can read`() throws {
    let named = paths(["XDG_CACHE_HOME": folder.file("xdg"), "HOME": folder.path])
    #expect(try named.writable() == folder.file("xdg/nifty/ab-a.zip.features"))
    let home = paths(["XDG_CACHE_HOME": "relative", "HOME": folder.path])
    #expect(try home.writable() == folder.file(".cache/nifty/ab-a.zip.features"))
    let cache = paths(["NIFTY_CACHE": folder.file("own"), "HOME": folder.path])
    #expect(try cache.writable() == folder.file("own/ab-a.zip.features"))
    let made = try FileManager.default.attributesOfItem(atPath: folder.file("xdg/nifty"))
    #expect(made[.posixPermissions] as? Int == 0o700)
    #expect(throws: DatasetError.self) { try paths([:]).writable() }
  }

  @Test func `a cache that others can write is neither read nor written`() throws {
    let cache = paths(["XDG_CACHE_HOME": folder.path])
    let path = try cache.writable()
    try Data([1]).write(to: URL(filePath: path))
    #expect(cache.trusted == [path])
    chmod(folder.file("nifty"), 0o777)
    #expect(cache.trusted == [])
    let error = #expect(throws: DatasetError.self) { try cache.writable() }
    #expect(error?.description.contains("others can write") == true)
  }

  @Test func `a forged sidecar beside the zip is rejected`() throws {
    let path = folder.file("a.zip.features")
    try folder.write([1], to: "a.zip")
    try folder.write([1], to: "a.zip.features")
    chmod(path, 0o644)
    let paths = SidecarPaths(of: folder.file("a.zip"), checksum: 1, environment: [:])
    #expect(paths.trusted == [path])
    chmod(path, 0o666)
    #expect(paths.trusted == [])
    chmod(path, 0o644)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `a sidecar of another user is trusted only beside a zip of the same owner`() throws {
    let path = folder.file("a.zip.features")
    try folder.write([1], to: "a.zip")
    try folder.write([1], to: "a.zip.features")
    chmod(path, 0o644)
    let paths = SidecarPaths(of: folder.file("a.zip"), checksum: 1, environment: [:])
    chown(path, 12_345, 12_345)
    #expect(paths.trusted == [])
    chown(folder.file("a.zip"), 12_345, 12_345)
    #expect(paths.trusted == [path])
  }

  @Test func `links and folders are no sidecars`() throws {
    let cache = paths(["XDG_CACHE_HOME": folder.path])
    let path = try cache.writable()
    try folder.write([1], to: "else")
    symlink(folder.file("else"), path)
    #expect(cache.trusted == [])
    unlink(path)
    mkdir(path, 0o700)
    #expect(cache.trusted == [])
  }

  @Test func `verify finds a sidecar whose features were changed`() throws {
    let path = folder.file("shapes.zip")
    try FileManager.default.copyItem(at: fixture("lafite_shapes.zip"), to: URL(filePath: path))
    #expect(try DatasetCheck.faults(in: PackedDataset(path)) == [])
    var sidecar = try bytes(of: path + ".features")
    let zip = try ZipArchive(path + ".features")
    let entry = try #require(zip.index(of: FeatureStore.imagesName))
    let offset = try zip.bytes(at: entry).withBytes { contents in
      try #require(Data(sidecar).range(of: Data(contents))).lowerBound + 200
    }
    sidecar[offset] ^= 1
    try folder.write(sidecar, to: "shapes.zip.features")
    let found = try DatasetCheck.faults(in: PackedDataset(path))
    #expect(
      found == [
        .init(
          entry: "\(path).features: \(FeatureStore.imagesName)",
          reason: "its checksum differs"
        )
      ]
    )
  }

  /// How much of a mapping is in this process' memory, in KiB.
  private func residentSize(of address: UInt) throws -> Int {
    let maps = try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8)
    var isThere = false
    for line in maps.split(separator: "\n") {
      let first = line.prefix { $0 != " " }
      if let dash = first.firstIndex(of: "-"), let start = UInt(first[..<dash], radix: 16),
        let end = UInt(first[first.index(after: dash)...], radix: 16)
      {
        isThere = (start..<end).contains(address)
      } else if isThere, first == "Rss:" {
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
      }
    }
    return 0
  }

  @Test func `a document is read in memory that does not grow with it, and once`() throws {
    let size = 64 << 20
    let contents = [UInt8](repeating: 0x20, count: size)
    try folder.write(contents, to: "big")
    let document = try MappedBytes.archive(folder.file("big"))
    let walk = OnePass(document)
    let address = document.withBytes { UInt(bitPattern: $0.baseAddress) }
    var (largest, sum) = (0, 0)
    for end in stride(from: 1 << 20, through: size, by: 1 << 20) {
      sum += document.withBytes { bytes in
        stride(from: end - 1 << 20, to: end, by: 4096).reduce(0) { $0 + Int(bytes[$1]) }
      }
      walk.pass(to: end)
      largest = max(largest, try residentSize(of: address))
    }
    #expect(sum == 0x20 * size / 4096)
    #expect(largest <= (OnePass.piece + 2 << 20) >> 10)
    #expect(walk.checksum() == contents.withUnsafeBytes(CRC32.of))
  }

  @Test func `a spool is written to a zip in memory that does not grow with it`() throws {
    let spool = try SpoolFile(in: folder.path)
    for _ in 0..<64 { try spool.append([UInt8](repeating: 1, count: 1 << 20)) }
    let mapped = try spool.mapped()
    var largest = 0
    try mapped.withBytes { bytes in
      let pieces = (0..<64).map { $0 << 20..<($0 + 1) << 20 }
      try ZipWriter(folder.file("a.zip")).add("x", header: [], parts: pieces.map(bytes.slice)) {
        mapped.release(pieces[$0])
        do {
          largest = max(largest, try residentSize(of: UInt(bitPattern: bytes.baseAddress)))
        } catch { Issue.record(error) }
      }
    }
    #expect(largest <= 4 << 10)
  }
}
