import CFiles

/// The message digest 5 (RFC 1321), which protects from accidents only.
///
/// Object stores check uploads by it (`Content-MD5`) and name objects by it (entity tags).
package enum MD5 {
  /// The digest of bytes, 16 bytes.
  package static func digest(of bytes: [UInt8]) -> [UInt8] {
    var context = md5_ctx()
    nettle_md5_init(&context)
    bytes.withUnsafeBytes { buffer in
      guard let start = buffer.bindMemory(to: UInt8.self).baseAddress else { return }
      nettle_md5_update(&context, buffer.count, start)
    }
    let size = Int(MD5_DIGEST_SIZE)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      nettle_md5_digest(&context, size, buffer.baseAddress)
      count = size
    }
  }
}
