import CFiles

/// The position of the first occurrence of some bytes in others.
///
/// - Parameters:
///   - sought: The bytes to find; not empty.
///   - bytes: The bytes to search.
/// - Returns: The offset; `nil` if there is none.
package func firstPosition(of sought: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
  guard let base = bytes.baseAddress,
    let found = files_find(base, bytes.count, sought, sought.count)
  else { return nil }
  return found - base
}
