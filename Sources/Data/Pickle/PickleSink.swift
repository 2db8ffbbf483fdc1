import Files

/// Collects bytes, and hands them to a file now and then when there is one.
final class PickleSink {
  /// What is not in the file yet.
  private(set) var pending: [UInt8] = []
  private let file: AtomicFile?

  init(file: AtomicFile?) { self.file = file }

  func put(_ opcode: PickleOpcode) { pending.append(opcode.rawValue) }

  func put(byte: UInt8) { pending.append(byte) }

  /// A number of fixed width, little-endian.
  func put(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { pending.append(contentsOf: $0) }
  }

  /// Bytes; long runs go to the file directly.
  func put(_ buffer: MappedBytes) throws(PickleError) {
    if let file, buffer.count >= 1 << 16 {
      try flush()
      try buffer.withBytes { bytes throws(PickleError) in
        do throws(FileError) { try file.write(bytes) } catch { throw .file(error) }
      }
    } else {
      buffer.withBytes { pending.append(contentsOf: $0) }
    }
  }

  func flushIfFull() throws(PickleError) {
    if file != nil, pending.count >= 1 << 20 { try flush() }
  }

  func flush() throws(PickleError) {
    guard let file else { return }
    do throws(FileError) { try file.write(pending) } catch { throw .file(error) }
    pending.removeAll(keepingCapacity: true)
  }
}
