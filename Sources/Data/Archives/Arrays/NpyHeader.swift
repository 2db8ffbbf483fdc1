import Files

/// The element types of the `.npy` files that nifty reads and writes.
package enum NpyElement: String, Sendable, Codable {
  /// IEEE 754 half precision.
  case float16
  /// IEEE 754 single precision.
  case float32
  /// IEEE 754 double precision.
  case float64
  /// 64-bit signed integer.
  case int64

  /// Bytes per element.
  package var size: Int {
    switch self {
    case .float16: 2
    case .float32: 4
    case .float64, .int64: 8
    }
  }

  /// NumPy's name of the type, little-endian.
  var descriptor: String {
    switch self {
    case .float16: "<f2"
    case .float32: "<f4"
    case .float64: "<f8"
    case .int64: "<i8"
    }
  }

  init?(descriptor: Substring) {
    switch descriptor {
    case "<f2": self = .float16
    case "<f4": self = .float32
    case "<f8": self = .float64
    case "<i8": self = .int64
    default: return nil
    }
  }
}

/// The head of an `.npy` file: element type and shape (NumPy format 1.0 to 3.0, NEP 1).
package struct NpyHeader: Equatable {
  package var element: NpyElement
  /// One or two dimensions.
  package var shape: [Int]

  /// Why a header cannot be used.
  struct Damage: Error {
    var reason: String
    /// Whether the array is valid, but of a kind that is not read.
    var isUnsupported = false
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy's own readers refuse longer headers too.
  private static let maximumLength = 10_000

  package init(element: NpyElement, shape: [Int]) {
    self.element = element
    self.shape = shape
  }

  /// Reads a header; `dataStart` is where the elements begin.
  static func read(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Damage) -> (header: NpyHeader, dataStart: Int) {
    guard bytes.count >= 12, bytes.prefix(6).elementsEqual(magic) else {
      throw Damage(reason: "it does not start as an .npy file")
    }
    let version = bytes[6]
    guard (1...3).contains(version) else { throw Damage(reason: ".npy version \(version)") }
    let textStart = version == 1 ? 10 : 12
    let length =
      version == 1
      ? Int(bytes.littleEndian(UInt16.self, at: 8)) : Int(bytes.littleEndian(UInt32.self, at: 8))
    guard length <= min(bytes.count - textStart, maximumLength) else {
      throw Damage(reason: "its .npy header is cut off or too long")
    }
    let text = String(decoding: bytes[textStart..<textStart + length], as: UTF8.self)
    return (try parse(text), textStart + length)
  }

  /// The header as bytes, padded so that the elements start at a multiple of 64.
  package var encoded: [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text =
      "{'descr': '\(element.descriptor)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let padding = 63 - (10 + text.utf8.count) % 64
    text += String(repeating: " ", count: padding) + "\n"
    var bytes = Self.magic + [1, 0]
    bytes.append(littleEndian: UInt16(text.utf8.count))
    return bytes + Array(text.utf8)
  }

  /// Reads the Python dictionary literal of a header: exactly the three keys of the format.
  private static func parse(_ text: String) throws(Damage) -> NpyHeader {
    guard let descriptor = value(of: "descr", in: text, from: "'", to: "'") else {
      throw Damage(reason: "its .npy header names no element type")
    }
    guard let element = NpyElement(descriptor: descriptor) else {
      throw Damage(
        reason: "elements of type \(descriptor.prefix(16)); write it again as <f2, <f4, <f8 or <i8 "
          + "(array.astype in NumPy)",
        isUnsupported: true
      )
    }
    guard text.contains("'fortran_order': False") else {
      throw Damage(
        reason: "its elements are not in C order; write it again after numpy.ascontiguousarray",
        isUnsupported: true
      )
    }
    guard let sizes = value(of: "shape", in: text, from: "(", to: ")") else {
      throw Damage(reason: "its .npy header gives no shape")
    }
    var shape: [Int] = []
    for size in sizes.split(separator: ",") {
      let digits = size.drop { $0 == " " }
      guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
        let size = Int(digits)
      else { throw Damage(reason: "its .npy shape (\(sizes.prefix(40))) is no list of sizes") }
      shape.append(size)
    }
    guard (1...2).contains(shape.count) else {
      throw Damage(reason: "its .npy shape has \(shape.count) dimensions, expected 1 or 2")
    }
    return NpyHeader(element: element, shape: shape)
  }

  /// The text between `opening` and `closing` after a key.
  private static func value(
    of key: String,
    in text: String,
    from opening: Character,
    to closing: Character
  ) -> Substring? {
    let mark = "'\(key)': \(opening)"
    guard let range = text.firstRange(of: mark) else { return nil }
    let rest = text[range.upperBound...]
    guard let end = rest.firstIndex(of: closing) else { return nil }
    return rest[..<end]
  }
}
