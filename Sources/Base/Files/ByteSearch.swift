import CFiles

/// Where some bytes first stand in others.
///
/// - Parameters:
///   - sought: What is looked for; not empty.
///   - bytes: Where.
/// - Returns: The number of bytes before it; `nil` if it is not there.
package func firstPosition(of sought: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
  guard let base = bytes.baseAddress,
    let found = files_find(base, bytes.count, sought, sought.count)
  else { return nil }
  return found - base
}
