import Glibc

/// Reads bytes of an open file from a position on; fewer where the file ends before.
package func readAll(
  _ count: Int,
  of descriptor: Int32,
  from start: Int,
  path: String
) throws(FileError) -> [UInt8] {
  guard count > 0 else { return [] }
  var code: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    while filled < count {
      let got = pread(
        descriptor,
        buffer.baseAddress.map { $0 + filled },
        count - filled,
        off_t(start + filled)
      )
      if got < 0, errno == EINTR { continue }
      if got < 0 { code = errno }
      if got <= 0 { break }
      filled += got
    }
  }
  if code != 0 { throw FileError("read", path: path, code: code) }
  return bytes
}

/// Writes all bytes to an open file from a position on.
package func writeAll(
  _ bytes: [UInt8],
  to descriptor: Int32,
  from start: Int,
  path: String
) throws(FileError) {
  let code: Int32 = bytes.withUnsafeBytes { buffer in
    var done = 0
    while done < buffer.count {
      let count = pwrite(
        descriptor,
        buffer.baseAddress.map { $0 + done },
        buffer.count - done,
        off_t(start + done)
      )
      if count < 0, errno == EINTR { continue }
      if count < 0 { return errno }
      done += count
    }
    return 0
  }
  if code != 0 { throw FileError("write", path: path, code: code) }
}
