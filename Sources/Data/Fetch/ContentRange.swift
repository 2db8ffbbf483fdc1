/// The byte range of a partial response, from its `Content-Range` (RFC 9110, section 14.4).
package struct ContentRange: Equatable {
  /// The position of the first byte.
  package let start: Int
  /// The number of bytes, at least one.
  package let count: Int
  /// The size of the whole file; `nil` if the server does not give it.
  package let total: Int?

  /// Reads `bytes 0-99/300` or `bytes 0-99/*`; `nil` for anything else.
  package init?(_ text: String) {
    guard text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    let ends = parts.first?.split(separator: "-", omittingEmptySubsequences: false) ?? []
    guard parts.count == 2, ends.count == 2, let start = Self.number(ends[0]),
      let last = Self.number(ends[1]), last >= start, last < .max
    else { return nil }
    (self.start, count) = (start, last - start + 1)
    if parts[1] == "*" {
      total = nil
      return
    }
    guard let total = Self.number(parts[1]), total > last else { return nil }
    self.total = total
  }

  private static func number(_ digits: Substring) -> Int? {
    digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
  }
}
