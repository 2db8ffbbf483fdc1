import CZstd
package import Files

/// A zstd file (RFC 8878) as a stream of its decompressed bytes; frames may follow one another.
///
/// Memory: the window that a frame asks for, at most `largestWindow`, whatever else the stream claims.
package final class ZstdStream: ByteStream {
  package private(set) var position = 0
  private let source: MappedBytes
  private let decoder: OpaquePointer
  private var consumed = 0
  private var isInFrame = false

  /// Windows of at most 2²⁷ bytes, as the `zstd` program takes without being told more.
  private static let largestWindow: Int32 = 27

  /// - Throws: `Inflater.Damage` where there is no memory for a decoder.
  package init(_ source: MappedBytes) throws(Inflater.Damage) {
    self.source = source
    guard let decoder = ZSTD_createDCtx() else {
      throw Inflater.Damage(reason: "there is no memory to decompress it")
    }
    self.decoder = decoder
    ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, Self.largestWindow)
  }

  deinit { ZSTD_freeDCtx(decoder) }

  package func read(_ count: Int) throws(Inflater.Damage) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let piece = try next(min(count - bytes.count, 1 << 20))
      if piece.isEmpty { break }
      bytes += piece
    }
    position += bytes.count
    return bytes
  }

  /// Some bytes, at most so many; none at the end.
  private func next(_ count: Int) throws(Inflater.Damage) -> [UInt8] {
    var damage: String?
    let piece = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
      source.withBytes { input in
        var out = ZSTD_outBuffer(dst: output.baseAddress, size: count, pos: 0)
        while out.pos == 0 {
          if consumed == input.count {
            // What a frame still holds back comes without more input.
            if !isInFrame { break }
          }
          var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: consumed)
          let status = ZSTD_decompressStream(decoder, &out, &from)
          if ZSTD_isError(status) != 0 {
            damage = "it is no zstd: \(String(cString: ZSTD_getErrorName(status)))"
            break
          }
          let isStuck = from.pos == consumed && out.pos == 0
          consumed = from.pos
          isInFrame = status != 0
          if isStuck {
            if isInFrame { damage = "it ends too early" }
            break
          }
        }
        filled = out.pos
      }
    }
    if let damage { throw Inflater.Damage(reason: damage) }
    return piece
  }
}
