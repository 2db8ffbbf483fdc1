import Dispatch
import Files
import Glibc

/// Reads a file that is being uploaded, apart from the threads of tasks: a disk may take its time.
struct FilePieces: Sendable {
  let path: String

  /// The file's size in bytes.
  func size() async throws(StoreError) -> Int {
    try await apart { () throws(FileError) in
      var status = stat()
      if stat(path, &status) != 0 { throw FileError("read", path: path) }
      return Int(status.st_size)
    }
  }

  /// The file's SHA-256.
  func sha256() async throws(StoreError) -> String {
    try await apart { () throws(FileError) in
      let descriptor = try RegularFile.open(path, O_RDONLY, to: "read")
      defer { close(descriptor) }
      // Not mapped: pages of a mapped file count as memory of the process.
      var (hash, block) = (SHA256(), [UInt8](repeating: 0, count: 1 << 20))
      while true {
        let count = read(descriptor, &block, block.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { throw FileError("read", path: path) }
        if count == 0 { return hash.digest() }
        block.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      }
    }
  }

  /// Some bytes of the file.
  ///
  /// - Throws: `StoreError` if it has become shorter, too.
  func bytes(_ range: Range<Int>) async throws(StoreError) -> [UInt8] {
    try await apart { () throws(FileError) in
      let descriptor = try RegularFile.open(path, O_RDONLY, to: "read")
      defer { close(descriptor) }
      let bytes = try readAll(
        range.count,
        of: descriptor,
        from: range.lowerBound,
        path: path
      )
      if bytes.count < range.count {
        throw FileError("read", path: path, reason: "it became shorter while it was uploaded")
      }
      return bytes
    }
  }

  private func apart<Value: Sendable>(
    _ body: @escaping @Sendable () throws(FileError) -> Value
  ) async throws(StoreError) -> Value {
    let result: Result<Value, FileError> = await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async {
        continuation.resume(returning: Result { () throws(FileError) in try body() })
      }
    }
    return try disk { () throws(FileError) in try result.get() }
  }
}
