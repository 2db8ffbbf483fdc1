import Archives
import Files
import Foundation
import Glibc
import Text

/// Pairs in tar files of so many each, `00000.tar` and so on, as WebDataset reads them.
///
/// Pair K is `KKKKKKKKK.png` and `KKKKKKKKK.txt`. A shard that is being filled has a dot before its
/// name; it is appended to, flushed, and truncated to the ledger's pairs after a crash.
struct TarSink: PairSink {
  let folder: SplitFolder
  /// Pairs in a full shard.
  let pairsPerShard: Int
  private let images: StagedSegments

  var staging: any ImageStaging { images }

  init(folder: SplitFolder, pairsPerShard: Int) {
    self.folder = folder
    self.pairsPerShard = pairsPerShard
    images = StagedSegments(folder)
  }

  /// The name of shard `number`.
  func shardPath(_ number: Int) -> String { "\(folder.path)/\(zeroPadded(number, to: 5)).tar" }

  private func openPath(_ number: Int) -> String {
    "\(folder.path)/.\(zeroPadded(number, to: 5)).tar"
  }

  func resume(after pairs: Int) throws(FileError) -> Int {
    let (shard, rest) = pairs.quotientAndRemainder(dividingBy: pairsPerShard)
    // A crash leaves at most a batch beyond the ledger.
    let last = (pairs + SplitFolder.maximumBatch) / pairsPerShard + 1
    for number in shard...last where number > shard || rest == 0 {
      folder.remove(shardPath(number))
      folder.remove(openPath(number))
    }
    if rest == 0 { return pairs }
    if access(shardPath(shard), F_OK) == 0 {
      try folder.move(shardPath(shard), to: openPath(shard))
    }
    let path = openPath(shard)
    let stored = TarShard(MappedBytes(try MappedFile(path)), limit: 2 * rest)
    guard stored.members.count == 2 * rest else {
      throw FileError("continue", path: path, reason: "it has lost pairs that were stored")
    }
    try RegularFile.cut(path, to: stored.end)
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
    for pair in pairs { images.discard(row: pair.row) }
    if !pairs.isEmpty { try ScratchFile.flushFileSystem(of: folder.path) }
  }

  func finish(pairs: Int) throws(FileError) {
    let (shard, rest) = pairs.quotientAndRemainder(dividingBy: pairsPerShard)
    if rest == 0 || access(openPath(shard), F_OK) != 0 { return }
    try append([], isFull: true, to: openPath(shard))
    try folder.move(openPath(shard), to: shardPath(shard))
    try ScratchFile.flushFileSystem(of: folder.path)
  }

  func finished(from before: Int, to pairs: Int) -> [String] {
    (before / pairsPerShard..<pairs / pairsPerShard).map(shardPath)
  }

  func missing(after pairs: Int) -> String? {
    let (shard, rest) = pairs.quotientAndRemainder(dividingBy: pairsPerShard)
    let path = shardPath(shard)
    return rest == 0 || exists(openPath(shard)) || exists(path) ? nil : path
  }

  private func append(
    _ pairs: ArraySlice<StagedPair>,
    isFull: Bool,
    to path: String
  ) throws(FileError) {
    let descriptor = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(descriptor) }
    for pair in pairs {
      let name = zeroPadded(pair.number, to: 9)
      let image = try images.read(row: pair.row).withUnsafeBytes { bytes in
        Tar.entry("\(name).\(folder.imageSuffix(of: bytes))", bytes)
      }
      let caption = Array(pair.caption.utf8).withUnsafeBytes { Tar.entry("\(name).txt", $0) }
      try writeAll(image + caption, to: descriptor, path: path)
    }
    if isFull { try writeAll(Tar.end, to: descriptor, path: path) }
    if fsync(descriptor) != 0 { throw FileError("flush", path: path) }
  }
}
