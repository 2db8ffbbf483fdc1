import Text

/// Text that should be UTF-8 and may be older: what is not UTF-8 is read as Windows-1252, of which
/// Latin-1 is a part, and most old pages are written in it.
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
