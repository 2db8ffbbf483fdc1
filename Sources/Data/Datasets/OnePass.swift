import Files

/// Reads a mapped document in one pass: updates the checksum behind a scanner, and releases the pages.
///
/// Otherwise a document of tens of gigabytes would fill the memory with its pages, or be read twice.
final class OnePass {
  /// The document.
  let document: MappedBytes

  private var crc = CRC32()
  private var passed = 0

  /// Bytes between two releases.
  static let piece = 8 << 20

  init(_ document: MappedBytes) { self.document = document }

  /// Marks everything before an offset as read.
  func pass(to position: Int) { if position - passed >= Self.piece { take(position) } }

  /// The checksum of the whole document; reads the rest for it.
  func checksum() -> UInt32 {
    while passed < document.count { take(min(passed + Self.piece, document.count)) }
    return crc.value
  }

  private func take(_ end: Int) {
    document.withBytes { crc.update($0.slice(passed..<end)) }
    document.release(passed..<end)
    passed = end
  }
}
