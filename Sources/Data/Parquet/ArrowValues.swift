import CParquet

/// How Arrow stores a flat column, from its format string.
///
/// <https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings>
indirect enum ArrowFormat: Equatable {
  case null
  case boolean
  case int8, uint8, int16, uint16, int32, uint32, int64, uint64
  case float16, float32, float64
  /// Text or bytes with 32-bit offsets.
  case text32
  /// Text or bytes with 64-bit offsets.
  case text64
  /// Text or bytes as views: short values inline, long ones in one of several buffers.
  case textView
  /// Whole numbers of so many bytes, and how many decimal digits of them stand behind the point.
  case decimal(bytes: Int, scale: Int)
  /// Lists of texts, with offsets of 32 or 64 bits.
  case list32(of: ArrowFormat)
  case list64(of: ArrowFormat)

  /// - Parameters:
  ///   - format: Arrow's format string.
  ///   - element: That of the elements of a list.
  init?(_ format: String, _ element: String? = nil) {
    switch format {
    case "n": self = .null
    case "b": self = .boolean
    case "c": self = .int8
    case "C": self = .uint8
    case "s": self = .int16
    case "S": self = .uint16
    case "i": self = .int32
    case "I": self = .uint32
    case "l": self = .int64
    case "L": self = .uint64
    case "e": self = .float16
    case "f": self = .float32
    case "g": self = .float64
    case "u", "z": self = .text32
    case "U", "Z": self = .text64
    case "vu", "vz": self = .textView
    case "+l", "+L":
      guard let element = element.flatMap({ ArrowFormat($0) }), element.isText else { return nil }
      self = format == "+l" ? .list32(of: element) : .list64(of: element)
    case let format where format.hasPrefix("d:"):
      // "d:precision,scale" of 128 bits, or with the bits behind them.
      let numbers = format.dropFirst(2).split(separator: ",").map { Int($0) }
      guard (2...3).contains(numbers.count), let scale = numbers[1], (-64...64).contains(scale),
        let bits = numbers.count == 3 ? numbers[2] : 128, [32, 64, 128].contains(bits)
      else { return nil }
      self = .decimal(bytes: bits / 8, scale: scale)
    default: return nil
    }
  }

  private var isText: Bool { [.text32, .text64, .textView].contains(self) }
}

/// One value of a column.
enum ArrowValue {
  /// UTF-8 bytes inside the batch, valid while the batch is.
  case text(UnsafeRawBufferPointer)
  /// The texts of a list; those that are null are left out.
  case texts([UnsafeRawBufferPointer])
  case integer(Int64)
  case real(Double)
}

/// Reads values out of an Arrow array.
///
/// The C++ side has validated that buffers are as long as the array's length demands and that the
/// last offset lies inside the text; what it has not looked at (each single offset, each dictionary
/// index) is checked here on every access.
struct ArrowValues {
  // Keeps the memory that `array` points into.
  private let owner: ArrowBatch
  private let array: UnsafePointer<ArrowArray>
  private let format: ArrowFormat
  private let dictionaryFormat: ArrowFormat?

  init(
    owner: ArrowBatch,
    array: UnsafePointer<ArrowArray>,
    format: ArrowFormat,
    dictionary: ArrowFormat?
  ) {
    self.owner = owner
    self.array = array
    self.format = format
    dictionaryFormat = dictionary
  }

  func value(_ row: Int) -> ArrowValue? {
    let own = Self.value(row, of: array.pointee, as: format)
    guard let dictionaryFormat, let dictionary = array.pointee.dictionary else { return own }
    guard case .integer(let key)? = own, key >= 0, key < dictionary.pointee.length else {
      return nil
    }
    return Self.value(Int(key), of: dictionary.pointee, as: dictionaryFormat)
  }

  private static func value(
    _ row: Int,
    of array: ArrowArray,
    as format: ArrowFormat
  ) -> ArrowValue? {
    let index = row + Int(array.offset)
    if array.n_buffers < 2 { return nil }
    if let validity = array.buffers[0], !bit(index, of: validity) { return nil }
    guard let values = array.buffers[1] else { return nil }
    func load<Number: BitwiseCopyable>(_: Number.Type) -> Number {
      values.load(fromByteOffset: index * MemoryLayout<Number>.stride, as: Number.self)
    }
    switch format {
    case .null: return nil
    case .boolean: return .integer(bit(index, of: values) ? 1 : 0)
    case .int8: return .integer(Int64(load(Int8.self)))
    case .uint8: return .integer(Int64(load(UInt8.self)))
    case .int16: return .integer(Int64(load(Int16.self)))
    case .uint16: return .integer(Int64(load(UInt16.self)))
    case .int32: return .integer(Int64(load(Int32.self)))
    case .uint32: return .integer(Int64(load(UInt32.self)))
    case .int64: return .integer(load(Int64.self))
    case .uint64:
      let value = load(UInt64.self)
      return Int64(exactly: value).map { .integer($0) } ?? .real(Double(value))
    case .float16: return .real(Double(widened(load(UInt16.self))))
    case .float32: return .real(Double(load(Float.self)))
    case .float64: return .real(load(Double.self))
    case .text32: return text(index, of: array, offsets: values, as: Int32.self)
    case .text64: return text(index, of: array, offsets: values, as: Int64.self)
    case .textView: return view(values + index * 16, of: array)
    case .decimal(let bytes, let scale): return decimal(values + index * bytes, bytes, scale)
    case .list32(let element): return list(index, of: array, element, offsets: values, Int32.self)
    case .list64(let element): return list(index, of: array, element, offsets: values, Int64.self)
    }
  }

  /// A view of 16 bytes: the length, then the bytes, or four of them, a buffer index and an offset.
  private static func view(_ view: UnsafeRawPointer, of array: ArrowArray) -> ArrowValue? {
    let length = Int(view.load(as: Int32.self))
    if length < 0 { return nil }
    if length == 0 { return .text(UnsafeRawBufferPointer(start: nil, count: 0)) }
    if length <= 12 { return .text(UnsafeRawBufferPointer(start: view + 4, count: length)) }
    let buffer = Int(view.load(fromByteOffset: 8, as: Int32.self))
    let start = Int(view.load(fromByteOffset: 12, as: Int32.self))
    // Validity and views come first, the sizes of the others last.
    let count = Int(array.n_buffers) - 3
    guard (0..<max(0, count)).contains(buffer), start >= 0,
      let sizes = array.buffers[2 + count]?.assumingMemoryBound(to: Int64.self),
      Int64(start + length) <= sizes[buffer], let bytes = array.buffers[2 + buffer]
    else { return nil }
    return .text(UnsafeRawBufferPointer(start: bytes + start, count: length))
  }

  private static func decimal(
    _ value: UnsafeRawPointer,
    _ bytes: Int,
    _ scale: Int
  ) -> ArrowValue {
    // Little-endian; the last byte has the sign.
    let negative = Int8(bitPattern: value.load(fromByteOffset: bytes - 1, as: UInt8.self)) < 0
    var magnitude = 0.0
    var carry: UInt16 = 1
    var digits: [UInt8] = []
    for offset in 0..<bytes {
      let byte = value.load(fromByteOffset: offset, as: UInt8.self)
      if negative {
        let sum = UInt16(~byte) + carry
        digits.append(UInt8(truncatingIfNeeded: sum))
        carry = sum >> 8
      } else {
        digits.append(byte)
      }
    }
    for digit in digits.reversed() { magnitude = magnitude * 256 + Double(digit) }
    var result = negative ? -magnitude : magnitude
    // Ten to a small power is exact, a tenth is not.
    for _ in 0..<abs(scale) { result = scale > 0 ? result / 10 : result * 10 }
    return Int64(exactly: result).map { .integer($0) } ?? .real(result)
  }

  private static func list<Offset: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int,
    of array: ArrowArray,
    _ format: ArrowFormat,
    offsets: UnsafeRawPointer,
    _: Offset.Type
  ) -> ArrowValue? {
    func offset(_ index: Int) -> Int {
      Int(offsets.load(fromByteOffset: index * MemoryLayout<Offset>.stride, as: Offset.self))
    }
    let (start, end) = (offset(index), offset(index + 1))
    guard array.n_children == 1, let elements = array.children[0]?.pointee,
      start >= 0, start <= end, end <= Int(elements.length), end - start <= maximumList
    else { return nil }
    return .texts(
      (start..<end).compactMap { element in
        if case .text(let bytes)? = value(element, of: elements, as: format) { bytes } else { nil }
      }
    )
  }

  /// More texts of one row are no captions.
  private static let maximumList = 4096

  private static func text<Offset: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int,
    of array: ArrowArray,
    offsets: UnsafeRawPointer,
    as: Offset.Type
  ) -> ArrowValue? {
    func offset(_ index: Int) -> Int {
      Int(offsets.load(fromByteOffset: index * MemoryLayout<Offset>.stride, as: Offset.self))
    }
    let (start, end) = (offset(index), offset(index + 1))
    guard start >= 0, start <= end, end <= offset(Int(array.offset + array.length)) else {
      return nil
    }
    if start == end { return .text(UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard array.n_buffers > 2, let bytes = array.buffers[2] else { return nil }
    return .text(UnsafeRawBufferPointer(start: bytes + start, count: end - start))
  }

  private static func bit(_ index: Int, of bitmap: UnsafeRawPointer) -> Bool {
    bitmap.load(fromByteOffset: index >> 3, as: UInt8.self) & (1 << UInt8(index & 7)) != 0
  }

  // Float16 is not available on every platform that Swift compiles for.
  private static func widened(_ bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Float(bits & 0x3FF)
    switch exponent {
    case 0: return sign * Float(sign: .plus, exponent: -24, significand: fraction)
    case 0x1F: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  }
}
