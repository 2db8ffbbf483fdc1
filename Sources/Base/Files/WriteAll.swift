import Glibc

/// Writes all bytes to an open file, in as many calls as the system takes.
///
/// - Parameters:
///   - bytes: The bytes.
///   - descriptor: The open file.
///   - path: The file's path, for the error.
/// - Throws: `FileError` if the system refuses; some of the bytes may be written then.
package func writeAll(
  _ bytes: UnsafeRawBufferPointer,
  to descriptor: Int32,
  path: String
) throws(FileError) {
  var done = 0
  while done < bytes.count, let base = bytes.baseAddress {
    let count = write(descriptor, base + done, bytes.count - done)
    if count < 0, errno == EINTR { continue }
    if count < 0, errno == EAGAIN {
      // Another process that shares the terminal or pipe made it non-blocking.
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = poll(&wait, 1, 1000)
      continue
    }
    if count < 0 { throw FileError("write", path: path) }
    done += count
  }
}

/// Writes all bytes to an open file.
package func writeAll(
  _ bytes: [UInt8],
  to descriptor: Int32,
  path: String
) throws(FileError) {
  let failure: FileError? = bytes.withUnsafeBytes { buffer in
    do throws(FileError) { try writeAll(buffer, to: descriptor, path: path) } catch { return error }
    return nil
  }
  if let failure { throw failure }
}

/// Appends bytes to a file of records, whole or not at all.
///
/// Half a record would end the file for its readers: after a failed write it is truncated again.
///
/// - Parameters:
///   - bytes: The record.
///   - descriptor: The file, opened for appending.
///   - path: The file's path, for the error.
/// - Throws: `FileError` if the system refuses.
package func appendRecord(
  _ bytes: [UInt8],
  to descriptor: Int32,
  path: String
) throws(FileError) {
  let end = lseek(descriptor, 0, SEEK_END)
  do throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
  } catch {
    if end >= 0 { ftruncate(descriptor, end) }
    throw error
  }
}
