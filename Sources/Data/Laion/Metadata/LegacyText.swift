import Text

/// Text decoded as UTF-8, else as Windows-1252, the encoding of most old pages and a superset of
/// Latin-1's letters.
struct LegacyText: Equatable {
  let string: String
  /// Whether it was not UTF-8.
  let isRecoded: Bool

  init(_ bytes: UnsafeRawBufferPointer) {
    if let string = String(validating: bytes, as: UTF8.self) {
      (self.string, isRecoded) = (string, false)
      return
    }
    var scalars = String.UnicodeScalarView()
    for byte in bytes {
      scalars.append(windows1252[UInt32(byte)] ?? Unicode.Scalar(byte))
    }
    (string, isRecoded) = (String(scalars), true)
  }
}
