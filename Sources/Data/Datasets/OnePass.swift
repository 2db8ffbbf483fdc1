import Files

/// Reads a mapped document once: takes the checksum of what a scanner has passed, and lets go of it.
///
/// A document of tens of gigabytes would else fill the memory with its pages, or be read twice.
final class OnePass {
  /// The document.
  let document: MappedBytes

  private var crc = CRC32()
  private var passed = 0

  /// How much is kept in memory, in bytes.
  static let piece = 8 << 20

  init(_ document: MappedBytes) { self.document = document }

  /// Says that everything before a place has been read.
  func pass(to position: Int) { if position - passed >= Self.piece { take(position) } }

  /// The checksum of the whole document; what was not passed yet is read for it.
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
