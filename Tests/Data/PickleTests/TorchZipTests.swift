import Archives
import Files
import Pickle
import TestSupport
import Testing

/// What zips around `torch.save`'s pickles may look like.
@Suite struct TorchZipTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A zip of these entries.
  private func zip(_ entries: [(String, [UInt8])]) throws -> [UInt8] {
    let path = folder.file("a.pt")
    let writer = try ZipWriter(path)
    for (name, contents) in entries { try writer.add(name, contents) }
    try writer.finish()
    return try bytes(of: path)
  }

  /// The number that the pickle of a zip is.
  private func number(_ bytes: [UInt8]) throws -> Int? {
    try TorchArchive(MappedBytes(copying: bytes)).pickle.root.int
  }

  private func pickled(_ number: UInt8) -> [UInt8] { [0x80, 2, 0x4B, number, 0x2E] }

  @Test func `of entries of one name the last counts`() throws {
    let bytes = try zip([
      ("z/data.pkl", pickled(1)), ("a/data.pkl", pickled(2)), ("z/data.pkl", pickled(3)),
      ("a/data.pkl", pickled(4)),
    ])
    #expect(try number(bytes) == 3)
  }

  @Test func `the folder may have any name, or none`() throws {
    #expect(try number(zip([("data.pkl", pickled(1))])) == 1)
    #expect(try number(zip([("a/b/data.pkl", pickled(2)), ("a/b/byteorder", [])])) == 2)
    #expect(try number(zip([("xdata.pkl", pickled(2)), ("猫/data.pkl", pickled(3))])) == 3)
    // A name that is not UTF-8, in its local header too.
    var bytes = try zip([("name/data.pkl", pickled(4)), ("name/byteorder", Array("big".utf8))])
    for offset in bytes.indices where bytes[offset...].starts(with: Array("name/".utf8)) {
      bytes[offset] = 0xE9
    }
    #expect(throws: PickleError.content(reason: "a torch file written on a big-endian machine")) {
      try number(bytes)
    }
  }

  @Test func `a zip without its pickle, or with a damaged one, is refused in words`() throws {
    func refusal(_ bytes: [UInt8]) throws -> String {
      "\(try #require(throws: PickleError.self) { try number(bytes) })"
    }
    #expect(try refusal(zip([("a/other", [])])).contains("data.pkl is missing"))
    var whole = try zip([("a/data.pkl", pickled(1))])
    #expect(try refusal(Array(whole.dropLast())).contains("no end-of-directory record"))
    let offset = try #require(whole.firstRange(of: Array("a/data.pkl".utf8))?.lowerBound)
    whole[offset] = UInt8(ascii: "b")
    #expect(try refusal(whole).contains("'data.pkl': its local header carries another name"))
  }

  @Test(.enabled(if: Python.isAvailable, "needs python3"))
  func `a compressed entry is refused, which torch never writes`() throws {
    let script = """
      import sys, zipfile
      with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a/data.pkl", b"\\x80\\x02K\\x01." + bytes(100))
      """
    _ = try Python.run(script, folder.file("a.pt"))
    #expect(
      throws: PickleError.content(
        reason: "the entry 'data.pkl' is compressed, which torch never does"
      )
    ) { try number(bytes(of: folder.file("a.pt"))) }
  }

  @Test func `a zip cut at any byte is refused`() throws {
    let whole = try zip([("a/data.pkl", pickled(1)), ("a/byteorder", Array("little".utf8))])
    for length in 0..<whole.count {
      #expect(throws: PickleError.self, "\(length) bytes") { try number(Array(whole[..<length])) }
    }
  }
}
