import Archives
import Files
import TestSupport
import Testing

/// Damaged archives: each must end in a value or an error, soon and in little memory.
///
/// `NIFTY_FUZZ=100000` makes every test a full run; npy, which is quick, always is.
@Suite(.tags(.slow)) struct FuzzTests {
  private let folder: TemporaryFolder
  private let file: MemoryFile

  init() throws {
    folder = try TemporaryFolder()
    file = try MemoryFile()
  }

  /// The path of a published dataset's archive.
  private static func fixture(_ name: String) -> String {
    Repository.path("Tests/Data/DatasetsTests/Fixtures/" + name)
  }

  /// An archive of two deflated entries.
  private var deflated: [UInt8] {
    get throws {
      let script = """
        import sys, zipfile
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
          z.writestr("a.png", b"x" * 3000); z.writestr("a.txt", "words\\n" * 50)
        """
      _ = try Python.run(script, folder.file("d.zip"))
      return try bytes(of: folder.file("d.zip"))
    }
  }

  @Test func `zip directories and entries`() throws {
    let writer = try ZipWriter(folder.file("a.zip"))
    for name in ["00000/img00000000.png", "00000/img00000001.png", "captions.jsonl", "nifty.json"] {
      try writer.add(name, Array("the contents of \(name)".utf8))
    }
    try writer.finish()
    var seeds = [try bytes(of: folder.file("a.zip"))]
    if Python.isAvailable { seeds.append(try deflated) }
    expectSafe(DamagedInputs(seeds), 6000, refused: 0.3) { copy in
      try file.write(copy)
      let zip = try ZipArchive(file.path)
      for index in 0..<zip.count { _ = try zip.contents(at: index, limit: 1 << 20) }
    }
  }

  @Test func `npy arrays`() {
    let seeds = [
      NpyArray.encode([[1, 2, 3], [4, 5, 6]], columns: 3, as: .float16),
      NpyArray.encode([0, 1, 5]), NpyArray.encode([[1.5]], columns: 1, as: .float32),
    ]
    let alphabet = Array("0123456789(),'<f248i: {}TrueFals".utf8)
    expectSafe(DamagedInputs(seeds, alphabet: alphabet), 100_000, refused: 0.3) { copy in
      let array = try NpyArray(MappedBytes(copying: copy), path: "p", entry: "e")
      for row in 0..<array.rows {
        if array.element == .int64 {
          _ = array.integer(row: row)
        } else {
          _ = array.floats(row: row)
        }
      }
    }
  }

  @Test func `gzip streams, and tars in them`() throws {
    let seed = try bytes(of: Self.fixture("cifar-10-python.tar.gz"))
    expectSafe(DamagedInputs([seed]), 20_000, refused: 0.2) { copy in
      let stream = GzipStream(MappedBytes(copying: copy))
      var reader = TarReader(stream)
      while let member = try reader.member() { _ = try stream.read(min(member.size, 1 << 16)) }
    }
  }

  @Test func `the pages of LSUN's databases`() throws {
    let structure = LMDBStructure(try bytes(of: Self.fixture("bedroom_tiny_lmdb/data.mdb")))
    expectSafe(DamagedInputs([structure.bytes]), 2000, refused: 0.3) { copy in
      try file.write(structure.file(copy))
      let database = try LMDBFile(file.path)
      for index in 0..<database.count {
        _ = database.key(at: index)
        _ = database.value(at: index).withBytes { $0.last }
      }
    }
  }
}

/// The bytes of an LMDB file that say where others are; the rest is picture data.
private struct LMDBStructure {
  private let whole: [UInt8]
  private let offsets: [Int]

  init(_ whole: [UInt8]) {
    self.whole = whole
    let page = 4096
    func word(_ offset: Int) -> Int { Int(whole[offset]) | Int(whole[offset + 1]) << 8 }
    var offsets = [0, page].flatMap { $0..<$0 + 160 }
    for start in stride(from: 2 * page, to: whole.count, by: page) {
      let flags = word(start + 10)
      guard [1, 2, 4].contains(flags) else { continue }
      offsets += start..<start + 16
      guard flags != 4 else { continue }
      let lower = min(word(start + 12), page)
      offsets += start + 16..<start + lower
      for slot in stride(from: start + 16, to: start + lower, by: 2) {
        let node = start + word(slot)
        // The node's header; in a leaf with a large value its page, which stands behind the key.
        let key = word(node + 6)
        offsets += node..<node + 8
        if flags == 2, word(node + 4) & 1 == 1 { offsets += node + 8 + key..<node + 16 + key }
      }
    }
    self.offsets = offsets
  }

  /// The structure alone.
  var bytes: [UInt8] { offsets.map { whole[$0] } }

  /// The file with another structure.
  func file(_ structure: [UInt8]) -> [UInt8] {
    var file = whole
    for (offset, byte) in zip(offsets, structure) { file[offset] = byte }
    return file
  }
}
