private let windows1252Bytes: [Unicode.Scalar: UInt8] = Dictionary(
  uniqueKeysWithValues: windows1252.map { ($1, UInt8($0)) }
)

/// Repairs UTF-8 that somebody read as Windows-1252: "Ã©" becomes "é".
///
/// A run of such sequences is replaced only if no sensible text would contain it: it starts with Ã, Â,
/// â, ï or ð, or it is at least two sequences long.
package func withoutMojibake(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  if scalars.allSatisfy(\.isASCII) { return scalars }
  var result: [Unicode.Scalar] = []
  result.reserveCapacity(scalars.count)
  var index = 0
  while index < scalars.count {
    var (end, run): (Int, [Unicode.Scalar]) = (index, [])
    while let (decoded, length) = decodedSequence(scalars, at: end) {
      run.append(decoded)
      end += length
    }
    let convincing = ["Ã", "Â", "â", "ï", "ð"].contains(scalars[index])
    if run.count >= 2 || (run.count == 1 && convincing) {
      result += run
      index = end
    } else {
      result.append(scalars[index])
      index += 1
    }
  }
  return result
}

/// The character whose UTF-8 bytes, read as Windows-1252, are the scalars at `start`.
private func decodedSequence(
  _ scalars: [Unicode.Scalar],
  at start: Int
) -> (Unicode.Scalar, length: Int)? {
  guard start < scalars.count, let lead = byte(scalars[start]) else { return nil }
  let length: Int
  switch lead {
  case 0xC2...0xDF: length = 2
  case 0xE0...0xEF: length = 3
  case 0xF0...0xF4: length = 4
  default: return nil
  }
  guard start + length <= scalars.count else { return nil }
  let bytes = scalars[start..<start + length].compactMap(byte)
  guard bytes.count == length,
    let text = String(validating: bytes, as: UTF8.self),
    let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
  else { return nil }
  return (scalar, length)
}

private func byte(_ scalar: Unicode.Scalar) -> UInt8? {
  if 0x80...0xFF ~= scalar.value { return UInt8(scalar.value) }
  return windows1252Bytes[scalar]
}
