import Archives
import Files
import Glibc

/// Reads a file byte by byte through a buffer; decompresses `.gz` and `.zst`.
final class TextFile {
  let path: String

  private let descriptor: Int32
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private var range = 0..<0
  private var compressed: (any ByteStream)?

  init(_ path: String) throws(LaionError) {
    self.path = path
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw .file(FileError("open", path: path)) }
    let name = path.lowercased()
    guard name.hasSuffix(".gz") || name.hasSuffix(".zst") else { return }
    let bytes: MappedBytes
    do throws(FileError) { bytes = MappedBytes(try MappedFile(path)) } catch { throw .file(error) }
    do throws(Inflater.Damage) {
      compressed = name.hasSuffix(".gz") ? GzipStream(bytes) : try ZstdStream(bytes)
    } catch {
      throw .damagedText(path: path, reason: error.reason)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    buffer.deallocate()
  }

  /// The next byte; `nil` at the end.
  func next() throws(LaionError) -> UInt8? {
    if range.isEmpty {
      let count = try fill()
      if count == 0 { return nil }
      range = 0..<count
    }
    let byte = buffer[range.lowerBound]
    range = range.lowerBound + 1..<range.upperBound
    return byte
  }

  /// Fills the buffer; 0 at the end.
  private func fill() throws(LaionError) -> Int {
    if let compressed {
      do throws(Inflater.Damage) {
        let bytes = try compressed.read(buffer.count)
        buffer.copyBytes(from: bytes)
        return bytes.count
      } catch {
        throw .damagedText(path: path, reason: error.reason)
      }
    }
    var count = 0
    repeat {
      count = read(descriptor, buffer.baseAddress, buffer.count)
    } while count < 0
      && errno == EINTR
    if count < 0 { throw .file(FileError("read", path: path)) }
    return count
  }

  /// The next line without its end, cut after `limit` bytes; `nil` at the end of the file.
  func line(limit: Int) throws(LaionError) -> [UInt8]? {
    var line: [UInt8] = []
    var isAtEnd = true
    while let byte = try next() {
      isAtEnd = false
      if byte == 0x0A { break }
      if line.count < limit { line.append(byte) }
    }
    if isAtEnd { return nil }
    if line.last == 0x0D { line.removeLast() }
    return line
  }
}
