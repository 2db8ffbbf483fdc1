import Files
import Foundation
import Glibc

/// Pairs in tar files of so many each, `00000.tar` and so on, as WebDataset reads them.
///
/// Pair K is `KKKKKKKKK.png` and `KKKKKKKKK.txt`. A shard that is being filled has a dot before its
/// name; it is appended to, flushed, and cut back to what the ledger vouches for after a crash.
struct TarSink: PairSink {
  let folder: SplitFolder
  /// Pairs in a full shard.
  let pairsPerShard: Int

  /// The name of shard `number`.
  func shardPath(_ number: Int) -> String { "\(folder.path)/\(Tar.padded(number, 5)).tar" }

  private func openPath(_ number: Int) -> String { "\(folder.path)/.\(Tar.padded(number, 5)).tar" }

  func resume(after pairs: Int) throws(FileError) -> Int {
    let (shard, rest) = pairs.quotientAndRemainder(dividingBy: pairsPerShard)
    // What a crash leaves is at most a batch beyond the ledger.
    let last = (pairs + SplitFolder.maximumBatch) / pairsPerShard + 1
    for number in shard...last where number > shard || rest == 0 {
      folder.remove(shardPath(number))
      folder.remove(openPath(number))
    }
    if rest == 0 { return pairs }
    if access(shardPath(shard), F_OK) == 0 {
      try folder.move(shardPath(shard), to: openPath(shard))
    }
    let size = try Tar.size(ofFirst: 2 * rest, in: openPath(shard))
    try RegularFile.cut(openPath(shard), to: size)
    return pairs
  }

  func publish(_ pairs: [StagedPair]) throws(FileError) {
    var rest = pairs[...]
    while let first = rest.first {
      let shard = first.number / pairsPerShard
      let batch = rest.prefix { $0.number / pairsPerShard == shard }
      rest = rest.dropFirst(batch.count)
      let isFull = batch.last?.number == (shard + 1) * pairsPerShard - 1
      try append(batch, isFull: isFull, to: openPath(shard))
      if isFull { try folder.move(openPath(shard), to: shardPath(shard)) }
    }
    for pair in pairs { folder.remove(folder.stagedImage(row: pair.row)) }
    if !pairs.isEmpty { try ScratchFile.flushFileSystem(of: folder.path) }
  }

  func finish(pairs: Int) throws(FileError) {
    let (shard, rest) = pairs.quotientAndRemainder(dividingBy: pairsPerShard)
    if rest == 0 || access(openPath(shard), F_OK) != 0 { return }
    try append([], isFull: true, to: openPath(shard))
    try folder.move(openPath(shard), to: shardPath(shard))
    try ScratchFile.flushFileSystem(of: folder.path)
  }

  private func append(
    _ pairs: ArraySlice<StagedPair>,
    isFull: Bool,
    to path: String
  ) throws(FileError) {
    let descriptor = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(descriptor) }
    for pair in pairs {
      let name = Tar.padded(pair.number, 9)
      let image = try MappedFile(folder.stagedImage(row: pair.row))
      let entry =
        Tar.entry("\(name).\(folder.imageSuffix)", image.bytes)
        + Array(pair.caption.utf8).withUnsafeBytes { Tar.entry("\(name).txt", $0) }
      withExtendedLifetime(image) {}
      try writeAll(entry, to: descriptor, path: path)
    }
    if isFull { try writeAll(Tar.end, to: descriptor, path: path) }
    if fsync(descriptor) != 0 { throw FileError("flush", path: path) }
  }
}

/// The tar format of POSIX.1-1988 (ustar), for plain files with short names.
enum Tar {
  static let blockSize = 512
  /// Two blocks of zeros end an archive.
  static let end = [UInt8](repeating: 0, count: 2 * blockSize)

  /// A number with leading zeros.
  static func padded(_ number: Int, _ digits: Int, radix: Int = 10) -> String {
    let text = String(number, radix: radix)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// An entry: its header, its bytes, and zeros up to the next block.
  static func entry(_ name: String, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    precondition(name.utf8.count < 100 && bytes.count < 1 << 33, "\(name) of \(bytes.count) bytes")
    var header = [UInt8](repeating: 0, count: blockSize)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(padded(bytes.count, 11, radix: 8), at: 124)
    put("00000000000", at: 136)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(padded(checksum(header), 6, radix: 8) + "\0 ", at: 148)
    let padding = (blockSize - bytes.count % blockSize) % blockSize
    return header + bytes + [UInt8](repeating: 0, count: padding)
  }

  /// The entry whose header is at `offset`: its name and where its bytes are; `nil` at the end.
  static func entry(
    at offset: Int,
    in bytes: UnsafeRawBufferPointer
  ) -> (name: String, content: Range<Int>, next: Int)? {
    guard offset + blockSize <= bytes.count else { return nil }
    let header = Array(bytes[offset..<offset + blockSize])
    func text(_ range: Range<Int>) -> String {
      String(decoding: header[range].prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self)
    }
    guard text(257..<262) == "ustar", Int(text(148..<156), radix: 8) == checksum(header),
      let size = Int(text(124..<136), radix: 8), size >= 0
    else { return nil }
    let start = offset + blockSize
    let next = start + (size + blockSize - 1) / blockSize * blockSize
    guard next <= bytes.count else { return nil }
    return (text(0..<100), start..<start + size, next)
  }

  /// The bytes that the first entries of an archive take.
  static func size(ofFirst count: Int, in path: String) throws(FileError) -> Int {
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    var offset = 0
    for _ in 0..<count {
      guard let entry = entry(at: offset, in: file.bytes) else {
        throw FileError("continue", path: path, reason: "it has lost pairs that were stored")
      }
      offset = entry.next
    }
    return offset
  }

  /// The sum of a header's bytes, its own field counted as spaces.
  private static func checksum(_ header: [UInt8]) -> Int {
    header.enumerated().reduce(0) { sum, item in
      sum + ((148..<156).contains(item.offset) ? 0x20 : Int(item.element))
    }
  }
}
