/// A number with zeros in front: at least so many digits, more where it has them.
///
/// - Parameters:
///   - number: Not negative.
///   - digits: The least number of digits.
///   - radix: The base of the digits.
/// - Returns: "000042" of 42 and 6.
package func zeroPadded(_ number: some BinaryInteger, to digits: Int, radix: Int = 10) -> String {
  zeroPadded(String(number, radix: radix), to: digits)
}

/// Digits with zeros in front, to at least so many.
package func zeroPadded(_ text: String, to digits: Int) -> String {
  String(repeating: "0", count: max(0, digits - text.count)) + text
}
