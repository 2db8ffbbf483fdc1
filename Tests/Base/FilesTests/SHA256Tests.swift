import Files
import Foundation
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// The vectors of FIPS 180-4's examples and of NIST's CAVP.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `published vectors`(text: String, digest: String) {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    #expect(hash.digest() == digest)
  }

  @Test func `the digest does not depend on chunk sizes`() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var whole = SHA256()
    whole.update(bytes)
    for size in [1, 3, 55, 56, 63, 64, 65, 119, 128, 999] {
      var pieces = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        pieces.update(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(pieces.digest() == whole.digest(), "pieces of \(size)")
    }
  }

  @Test func `every length around a block boundary agrees with hashlib`() {
    // The digest of the digests of 0 … 129 bytes "a", from Python's hashlib.
    var all = SHA256()
    for length in 0..<130 {
      var one = SHA256()
      one.update([UInt8](repeating: 0x61, count: length))
      all.update(Array(one.digest().utf8))
    }
    #expect(all.digest() == "c665ed20ef30f158e90c7e921d8182bc0943c4b087a82f64a18d417bcdfadce7")
  }

  @Test func `files are hashed, missing ones reported`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("abc")
    try AtomicFile.write("abc", to: path)
    #expect(try SHA256.digest(ofFile: path).hasPrefix("ba7816bf8f01cfea"))
    #expect(throws: FileError.self) { try SHA256.digest(ofFile: path + "-missing") }
  }

  @Test func `a digest in the background is the file's, however often it is asked for`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("file")
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try folder.write(bytes, to: "file")
    let digest = BackgroundDigest(ofFile: path)
    let expected = bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    #expect(try digest.value() == expected)
    #expect(try digest.value() == expected)
    let missing = BackgroundDigest(ofFile: folder.file("missing"))
    #expect(throws: FileError.self) { try missing.value() }
  }
}
