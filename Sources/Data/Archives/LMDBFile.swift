package import Files

/// The values of an LMDB database file in the order of their keys, read in place.
///
/// Reads the main database of version 1 files: meta pages, branch and leaf pages, overflow pages.
/// Written from the format's description because the C library trusts its file: a damaged one ends
/// the process, here it ends in an error. Every page number, offset and length is checked; no page
/// is visited twice.
package final class LMDBFile: Sendable {
  /// Number of entries.
  package var count: Int { values.count }

  private let file: MappedBytes
  private let keys: [Range<Int>]
  private let values: [Range<Int>]

  /// What is wrong with the file.
  struct Damage: Error { var reason: String }

  /// Maps a `data.mdb` and walks its pages.
  package init(_ path: String) throws(ArchiveError) {
    file = try .archive(path)
    do throws(Damage) {
      var walk = try LMDBWalk(file.bytes)
      try walk.run()
      (keys, values) = (walk.keys, walk.values)
    } catch {
      throw .damaged(path: path, entry: "the database", reason: error.reason)
    }
  }

  /// The key of an entry, as text.
  package func key(at index: Int) -> String {
    String(decoding: file.bytes[keys[index]], as: UTF8.self)
  }

  /// The value of an entry.
  package func value(at index: Int) -> MappedBytes { file.slice(values[index]) }
}

/// One walk over the pages of an LMDB file.
private struct LMDBWalk {
  private(set) var keys: [Range<Int>] = []
  private(set) var values: [Range<Int>] = []

  private let bytes: UnsafeRawBufferPointer
  private var pageSize = 0
  private var root = UInt64.max
  private var stated = 0
  /// Pages seen so far.
  private var isUsed: [Bool] = []

  private static let magic: UInt32 = 0xBEEF_C0DE
  private static let headerSize = 16
  private static let noPage = UInt64.max
  private static let (branch, leaf, overflow): (UInt16, UInt16, UInt16) = (1, 2, 4)

  init(_ bytes: UnsafeRawBufferPointer) throws(LMDBFile.Damage) {
    self.bytes = bytes
    guard let first = meta(at: 0), (512...65_536).contains(first.pageSize),
      first.pageSize.nonzeroBitCount == 1
    else { throw .init(reason: "it does not start as an LMDB file") }
    pageSize = first.pageSize
    // Transactions alternate between the two meta pages: the later one counts.
    var newest = first
    if let second = meta(at: pageSize), second.transaction > first.transaction { newest = second }
    guard newest.flags == 0 else { throw .init(reason: "it has duplicate or reversed keys") }
    (root, stated) = (newest.root, newest.entries)
    isUsed = .init(repeating: false, count: bytes.count / pageSize)
  }

  mutating func run() throws(LMDBFile.Damage) {
    if root == Self.noPage { return }
    var pending = [root]
    while let number = pending.popLast() {
      let page = try start(of: number)
      try use(page / pageSize..<page / pageSize + 1)
      let flags = bytes.littleEndian(UInt16.self, at: page + 10)
      let nodes = try nodes(of: page)
      if flags & Self.branch != 0 {
        let children = nodes.map { node in
          UInt64(bytes.littleEndian(UInt32.self, at: node))
            | UInt64(bytes.littleEndian(UInt16.self, at: node + 4)) << 32
        }
        pending += children.reversed()
      } else if flags & Self.leaf != 0 {
        for node in nodes { try addEntry(node, pageEnd: page + pageSize) }
      } else {
        throw .init(reason: "page \(number) is neither branch nor leaf")
      }
    }
    guard values.count == stated else {
      throw .init(reason: "\(values.count) entries found, \(stated) stated")
    }
  }

  private func meta(
    at page: Int
  ) -> (pageSize: Int, flags: UInt16, entries: Int, root: UInt64, transaction: UInt64)? {
    let body = page + Self.headerSize
    guard bytes.count - body >= 136, bytes.littleEndian(UInt32.self, at: body) == Self.magic,
      bytes.littleEndian(UInt32.self, at: body + 4) == 1
    else { return nil }
    // Two database records of 48 bytes: free pages, then the main database.
    let main = body + 24 + 48
    return (
      Int(bytes.littleEndian(UInt32.self, at: body + 24)),
      bytes.littleEndian(UInt16.self, at: main + 4),
      Int(truncatingIfNeeded: bytes.littleEndian(UInt64.self, at: main + 32)),
      bytes.littleEndian(UInt64.self, at: main + 40),
      bytes.littleEndian(UInt64.self, at: body + 24 + 96 + 8)
    )
  }

  /// Where a page begins; the whole page lies inside of the file.
  private func start(of number: UInt64) throws(LMDBFile.Damage) -> Int {
    guard number >= 2, number < UInt64(bytes.count / pageSize) else {
      throw .init(reason: "page \(number) lies outside of the file")
    }
    return Int(number) * pageSize
  }

  /// Refuses loops in the tree, and values that share pages: they could make gigabytes of a small file.
  private mutating func use(_ pages: Range<Int>) throws(LMDBFile.Damage) {
    for page in pages {
      if isUsed[page] { throw .init(reason: "page \(page) is used twice") }
      isUsed[page] = true
    }
  }

  /// Where the nodes of a page begin, in the order of their keys.
  private func nodes(of page: Int) throws(LMDBFile.Damage) -> [Int] {
    let lower = Int(bytes.littleEndian(UInt16.self, at: page + 12))
    guard lower >= Self.headerSize, lower <= pageSize, lower % 2 == 0 else {
      throw .init(reason: "a page with a broken header")
    }
    var nodes: [Int] = []
    for slot in stride(from: Self.headerSize, to: lower, by: 2) {
      let offset = Int(bytes.littleEndian(UInt16.self, at: page + slot))
      guard offset >= lower, offset <= pageSize - 8 else {
        throw .init(reason: "a node outside of its page")
      }
      nodes.append(page + offset)
    }
    return nodes
  }

  private mutating func addEntry(_ node: Int, pageEnd: Int) throws(LMDBFile.Damage) {
    let size = Int(bytes.littleEndian(UInt32.self, at: node))
    let flags = bytes.littleEndian(UInt16.self, at: node + 4)
    let keyStart = node + 8
    let keyEnd = keyStart + Int(bytes.littleEndian(UInt16.self, at: node + 6))
    let isBig = flags & 1 == 1
    guard flags & ~1 == 0 else { throw .init(reason: "it holds databases inside of entries") }
    guard keyEnd <= pageEnd, (isBig ? 8 : size) <= pageEnd - keyEnd else {
      throw .init(reason: "an entry reaches outside of its page")
    }
    keys.append(keyStart..<keyEnd)
    guard isBig else {
      values.append(keyEnd..<keyEnd + size)
      return
    }
    let page = try start(of: bytes.littleEndian(UInt64.self, at: keyEnd))
    let start = page + Self.headerSize
    let pages = Int(bytes.littleEndian(UInt32.self, at: page + 12))
    guard bytes.littleEndian(UInt16.self, at: page + 10) & Self.overflow != 0,
      pages <= (bytes.count - page) / pageSize, size <= pages * pageSize - Self.headerSize
    else { throw .init(reason: "an entry's overflow page is broken") }
    try use(page / pageSize..<page / pageSize + pages)
    values.append(start..<start + size)
  }
}
