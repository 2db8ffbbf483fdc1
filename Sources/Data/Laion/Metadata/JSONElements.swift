/// Streams the elements of a JSON array as texts, in constant memory.
///
/// A file that does not begin with `[` is read as concatenated objects, with or without line ends.
final class JSONElements {
  private let file: TextFile
  private let limit: Int
  private var isArray: Bool?

  /// - Parameters:
  ///   - file: At its beginning.
  ///   - limit: The maximum size of an element in bytes.
  init(_ file: TextFile, limit: Int) {
    self.file = file
    self.limit = limit
  }

  /// The next element; `nil` at the end.
  ///
  /// - Parameter row: Its number, for messages.
  /// - Returns: Its text; whether it is JSON is not checked.
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
      throw .damagedMetadata(path: file.path, row: row, reason: Self.ending(element))
    }
    return nil
  }

  private static func ending(_ element: [UInt8]) -> String {
    [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(element[0])
      ? "it ends inside of an object" : "it holds no objects, but a single value"
  }

  /// Whether a byte separates elements, or precedes the first.
  private func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","): return true
    // The byte order mark.
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
