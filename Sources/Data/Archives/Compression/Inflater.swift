import CZlib
package import Files

/// Decompresses a deflate stream (RFC 1951) piece by piece, bare or inside of gzip (RFC 1952).
///
/// Memory: zlib's window and the bytes that the caller requests, whatever the stream claims. Not thread-safe.
package final class Inflater {
  /// How the stream is wrapped.
  package enum Form {
    /// Bare, as in zip entries.
    case raw
    /// With gzip's header and checksum; members may follow one another.
    case gzip
  }

  /// What is wrong with the stream.
  package struct Damage: Error {
    /// In words, about "it".
    package var reason: String

    /// The reason.
    package init(reason: String) { self.reason = reason }
  }

  private let source: MappedBytes
  private let form: Form
  private var stream = z_stream()
  /// What zlib said to the start; without memory it does not start.
  private let start: Int32
  private var consumed = 0
  private var isFinished = false
  /// zlib counts input in 32 bits.
  private static let largestInput = 1 << 30

  /// Prepares to decompress.
  package init(_ source: MappedBytes, form: Form) {
    self.source = source
    self.form = form
    // 15 is the largest window; negative: no header; plus 16: gzip.
    let window: Int32 = form == .raw ? -15 : 15 + 16
    let size = Int32(MemoryLayout<z_stream>.size)
    start = inflateInit2_(&stream, window, ZLIB_VERSION, size)
  }

  deinit { inflateEnd(&stream) }

  /// The next bytes: `count` of them, fewer at the end of the stream, none behind it.
  package func read(_ count: Int) throws(Damage) -> [UInt8] {
    // What really comes decides how much memory is taken, not what a header promised.
    let piece = 1 << 20
    var bytes: [UInt8] = []
    while bytes.count < count && !isFinished {
      let before = bytes.count
      try append(min(piece, count - before), to: &bytes)
      if bytes.count == before && !isFinished { throw Damage(reason: "it ends too early") }
    }
    return bytes
  }

  private func append(_ count: Int, to bytes: inout [UInt8]) throws(Damage) {
    guard start == Z_OK else { throw Damage(reason: "zlib does not start: \(start)") }
    var status = Z_OK
    let piece = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
      status = source.withBytes { input in
        let left = min(input.count - consumed, Self.largestInput)
        guard left > 0, let base = input.baseAddress else { return Z_BUF_ERROR }
        let start = base.assumingMemoryBound(to: UInt8.self) + consumed
        stream.next_in = UnsafeMutablePointer(mutating: start)
        stream.avail_in = UInt32(left)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(count)
        let status = inflate(&stream, Z_NO_FLUSH)
        consumed += left - Int(stream.avail_in)
        filled = count - Int(stream.avail_out)
        return status
      }
    }
    bytes += piece
    switch status {
    case Z_OK: break
    case Z_BUF_ERROR: if piece.isEmpty { throw Damage(reason: "it ends too early") }
    case Z_STREAM_END:
      if form == .gzip && consumed < source.count {
        inflateReset(&stream)
      } else {
        isFinished = true
      }
    default: throw Damage(reason: stream.msg.map { String(cString: $0) } ?? "zlib says \(status)")
    }
  }
}
