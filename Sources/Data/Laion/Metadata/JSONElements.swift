/// Reads the elements of one array of JSON as texts, one after the other; memory does not grow with the file.
///
/// A file that begins with no `[` is taken for objects that follow each other, with or without line ends.
final class JSONElements {
  private let file: TextFile
  private let limit: Int
  private var isArray: Bool?

  /// - Parameters:
  ///   - file: At its beginning.
  ///   - limit: The most bytes of an element.
  init(_ file: TextFile, limit: Int) {
    self.file = file
    self.limit = limit
  }

  /// The next element; `nil` at the end.
  ///
  /// - Parameter row: Its number, for messages.
  /// - Returns: Its text, which need not be JSON.
  /// - Throws: `LaionError.damagedMetadata` for an element that does not end, or is too large.
  func next(row: Int) throws(LaionError) -> [UInt8]? {
    var element: [UInt8] = []
    var (depth, isString, isEscaped) = (0, false, false)
    while let byte = try file.next() {
      if element.isEmpty, isSeparator(byte) { continue }
      // The end of the array, or of an element that is no object.
      if depth == 0, !isString, byte == UInt8(ascii: "]") || byte == UInt8(ascii: ",") {
        return element.isEmpty ? nil : element
      }
      element.append(byte)
      guard element.count <= limit else {
        throw .damagedMetadata(path: file.path, row: row, reason: "an object of over a megabyte")
      }
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth <= 0 { return element }
      default: break
      }
    }
    guard element.isEmpty else {
      throw .damagedMetadata(path: file.path, row: row, reason: "it ends inside of an object")
    }
    return nil
  }

  /// Whether a byte stands between elements, before the first one too.
  private func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","): return true
    // The mark of UTF-8.
    case 0xEF, 0xBB, 0xBF: return isArray == nil
    case UInt8(ascii: "[") where isArray == nil:
      isArray = true
      return true
    default:
      isArray = isArray ?? false
      return false
    }
  }
}
