import CFiles

/// The Secure Hash Algorithm with 256 bits (FIPS 180-4, section 6.2).
///
/// It identifies weights, images and datasets in protocols and checks downloads. Nettle computes it, with
/// the processor's own instructions where it has them.
package struct SHA256: Sendable {
  private var context = sha256_ctx()

  /// The hash of no bytes.
  package init() { nettle_sha256_init(&context) }

  /// Adds bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    nettle_sha256_update(&context, bytes.count, start)
  }

  /// Adds bytes.
  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The digest of all bytes so far, 64 lower-case hexadecimal digits.
  package func digest() -> String { hexadecimal(bytes()) }

  /// The digest of all bytes so far, 32 bytes.
  package func bytes() -> [UInt8] {
    // Reading a digest resets nettle's state.
    var final = context
    let size = Int(SHA256_DIGEST_SIZE)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      nettle_sha256_digest(&final, size, buffer.baseAddress)
      count = size
    }
  }

  /// The digest of bytes in memory.
  package static func digest(of bytes: UnsafeRawBufferPointer) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hash.digest()
  }

  /// The digest of a whole file.
  package static func digest(ofFile path: String) throws(FileError) -> String {
    let file = try MappedFile(path)
    file.adviseWillNeed()
    return file.withBytes { digest(of: $0) }
  }
}

extension SHA256 {
  /// The keyed hash of a message, 32 bytes (HMAC, RFC 2104, section 2).
  package static func authenticationCode(of message: [UInt8], key: [UInt8]) -> [UInt8] {
    let blockSize = Int(SHA256_BLOCK_SIZE)
    var block = key
    if key.count > blockSize {
      var short = SHA256()
      short.update(key)
      block = short.bytes()
    }
    block += [UInt8](repeating: 0, count: blockSize - block.count)
    var (inner, outer) = (SHA256(), SHA256())
    inner.update(block.map { $0 ^ 0x36 })
    inner.update(message)
    outer.update(block.map { $0 ^ 0x5C })
    outer.update(inner.bytes())
    return outer.bytes()
  }
}

/// Bytes as lower-case hexadecimal digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
    as: UTF8.self
  )
}
