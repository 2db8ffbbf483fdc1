import Foundation
import TestSupport
import Testing

@testable import Files

@Suite("Digest cache")
struct DigestCacheTests {
  private let folder: TemporaryFolder
  private let path: String
  private let cache: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("model")
    cache = folder.file("cache")
    try folder.write(Array("abc".utf8), to: "model")
  }

  private func digest() throws -> String { try DigestCache.digest(ofFile: path, cache: cache) }

  private func entries() throws -> [String] {
    let folder = cache + "/digests"
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder)
  }

  /// Waits until the file is old enough to be kept.
  private func rest() {
    Thread.sleep(forTimeInterval: Double(DigestCache.secondsAtRest) + 1)
  }

  private func setDate() throws {
    let date = Date(timeIntervalSince1970: 1_000_000_000)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
  }

  @Test func `an unchanged file is not read again, a changed one is`() throws {
    try setDate()
    rest()
    let first = try digest()
    #expect(first.hasPrefix("ba7816bf8f01cfea"))
    let entry = cache + "/digests/" + (try #require(entries().first))
    // What is kept is what is answered.
    let text = try String(contentsOfFile: entry, encoding: .utf8)
    let forged = String(repeating: "0", count: 64)
    try text.replacing(first, with: forged).write(toFile: entry, atomically: true, encoding: .utf8)
    #expect(try digest() == forged)
    // The same size, and the date set back to what it was.
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.write(contentsOf: Data("abd".utf8))
    try file.close()
    try setDate()
    #expect(try digest().hasPrefix("a52d159f262b2c6d"))
    rest()
    #expect(try digest().hasPrefix("a52d159f262b2c6d"))
    #expect(try entries().count == 1)
  }

  @Test func `a file that has just changed is not kept`() throws {
    #expect(try digest().hasPrefix("ba7816bf8f01cfea"))
    #expect(try entries().isEmpty)
  }

  @Test(arguments: ["", "x", "3 0 0 0 0\n00\n", String(repeating: "a", count: 5000)])
  func `a damaged entry is computed again`(damage: String) throws {
    rest()
    _ = try digest()
    let entry = cache + "/digests/" + (try #require(entries().first))
    try damage.write(toFile: entry, atomically: true, encoding: .utf8)
    #expect(try digest().hasPrefix("ba7816bf8f01cfea"))
  }

  @Test func `without a cache folder that can be written digests are computed`() throws {
    rest()
    for cache in [nil, path + "/below-a-file", "/proc/nifty"] {
      #expect(
        try DigestCache.digest(ofFile: path, cache: cache).hasPrefix("ba7816bf8f01cfea"),
        "\(cache ?? "none")"
      )
    }
    #expect(throws: FileError.self) {
      try DigestCache.digest(ofFile: path + "-missing", cache: cache)
    }
  }
}
