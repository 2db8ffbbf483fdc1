/// Byte pair encoding as a table of merges (Sennrich et al., arXiv 1508.07909, on bytes).
///
/// Ids 0..<256 are the bytes, 256..<512 the bytes at the end of a word, and 512 + i the result of the
/// i-th merge, which is also its priority.
struct BytePairMerges: Sendable {
  /// The two parts of id 512 + i.
  private(set) var parts: [(left: Int32, right: Int32)] = []
  private var merged: [UInt64: Int32] = [:]

  /// Ids 0..<256 in the published order: printable bytes first, then the rest.
  private static let byteOrder: [UInt8] = {
    let printable = Array(UInt8(33)...126) + Array(UInt8(161)...172) + Array(UInt8(174)...255)
    return printable + (UInt8.min...UInt8.max).filter { !printable.contains($0) }
  }()

  private static let idOfByte: [Int32] = {
    var ids = [Int32](repeating: 0, count: 256)
    for (id, byte) in byteOrder.enumerated() { ids[Int(byte)] = Int32(id) }
    return ids
  }()

  /// Reads "left right" lines; a header line starting with `"` or `#` is skipped.
  ///
  /// - Parameters:
  ///   - text: The merge list, one a line; bytes are written as the published printable stand-ins.
  ///   - limit: Merges after this many are ignored.
  /// - Throws: `CLIPError.vocabulary` with the first line that is no pair of known tokens.
  init(text: String, limit: Int) throws(CLIPError) {
    // Bytes, not characters: 49,000 lines are read at the start of every process that paints.
    var idOfToken: [ArraySlice<UInt8>: Int32] = [:]
    let lines = Array(text.utf8).split(
      separator: UInt8(ascii: "\n"),
      omittingEmptySubsequences: false
    )
    idOfToken.reserveCapacity(512 + min(lines.count, limit))
    merged.reserveCapacity(min(lines.count, limit))
    for (id, byte) in Self.byteOrder.enumerated() {
      let standIn = Array(String(Self.standIn(for: byte, id: id)).utf8)[...]
      idOfToken[standIn] = Int32(id)
      idOfToken[standIn + "</w>".utf8] = Int32(256 + id)
    }
    var number = 0
    for line in lines {
      number += 1
      if parts.count == limit { return }
      let isHeader =
        number == 1 && (line.first == UInt8(ascii: "\"") || line.first == UInt8(ascii: "#"))
      if isHeader || line.isEmpty { continue }
      guard let space = line.firstIndex(of: UInt8(ascii: " ")),
        let left = idOfToken[line[..<space]], let right = idOfToken[line[(space + 1)...]]
      else { throw .vocabulary(line: number, reason: "is no pair of known tokens") }
      let id = Int32(512 + parts.count)
      idOfToken[line[..<space] + line[(space + 1)...]] = id
      merged[Self.key(left, right)] = id
      parts.append((left, right))
    }
    if parts.isEmpty { throw .vocabulary(line: number, reason: "holds no merges") }
  }

  /// The ids of one word.
  ///
  /// The pair of highest priority anywhere in the word is merged first. A heap finds it in
  /// logarithmic time, so that a hostile caption of a single endless word stays cheap.
  func encode(_ word: some Sequence<UInt8>) -> [Int32] {
    var ids = word.map { Self.idOfByte[Int($0)] }
    guard let last = ids.indices.last else { return [] }
    ids[last] += 256
    // A linked list over positions; a position whose id is −1 has been merged into its left neighbour.
    var next = ids.indices.map { $0 + 1 }
    var previous = ids.indices.map { $0 - 1 }
    var heap = MergeHeap()
    for position in ids.indices.dropLast() {
      if let id = merge(ids[position], ids[position + 1]) { heap.push(id, position) }
    }
    while let (id, position) = heap.pop() {
      let right = next[position]
      // Entries are not removed when a neighbour changes: a stale one no longer gives its id.
      guard ids[position] >= 0, right < ids.count, merge(ids[position], ids[right]) == id else {
        continue
      }
      ids[position] = id
      ids[right] = -1
      next[position] = next[right]
      if next[position] < ids.count {
        previous[next[position]] = position
        if let id = merge(id, ids[next[position]]) { heap.push(id, position) }
      }
      let left = previous[position]
      if left >= 0, let id = merge(ids[left], id) { heap.push(id, left) }
    }
    return ids.filter { $0 >= 0 }
  }

  /// The bytes that ids below `count` stand for, in order.
  func bytes(of id: Int32) -> [UInt8] {
    if id < 512 { return [Self.byteOrder[Int(id) % 256]] }
    let (left, right) = parts[Int(id) - 512]
    return bytes(of: left) + bytes(of: right)
  }

  private func merge(_ left: Int32, _ right: Int32) -> Int32? { merged[Self.key(left, right)] }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Printable bytes stand for themselves, the others for code points from 256 on, in order.
  private static func standIn(for byte: UInt8, id: Int) -> Character {
    let printable = 188
    let value = id < printable ? UInt32(byte) : UInt32(256 + id - printable)
    return Character(Unicode.Scalar(value) ?? "?")
  }
}

/// A binary heap of merges: lowest id first, then leftmost.
private struct MergeHeap {
  private var entries: [(id: Int32, position: Int)] = []

  mutating func push(_ id: Int32, _ position: Int) {
    entries.append((id, position))
    var child = entries.count - 1
    while child > 0, entries[child] < entries[(child - 1) / 2] {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (id: Int32, position: Int)? {
    guard let last = entries.indices.last else { return nil }
    entries.swapAt(0, last)
    let top = entries.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
        if entries[child] < entries[least] { least = child }
      }
      if least == parent { return top }
      entries.swapAt(parent, least)
      parent = least
    }
  }
}
