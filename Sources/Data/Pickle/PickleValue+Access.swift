package import Files

extension PickleValue {
  /// The text of a string.
  package var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The truth value of a bool, also of a NumPy one.
  package var bool: Bool? {
    if case .bool(let value) = self { return value }
    if case .bool(let value)? = numpyScalar { return value }
    return nil
  }

  /// The value of an integer within 64 bits, also of a NumPy one.
  package var int: Int? {
    if case .int(let value) = self { return Int(value) }
    if case .int(let value)? = numpyScalar { return Int(value) }
    return nil
  }

  /// The value of a float or an integer, also of a NumPy one.
  package var double: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    case .object:
      switch numpyScalar {
      case .double(let value)?: value
      case .int(let value)?: Double(value)
      default: nil
      }
    default: nil
    }
  }

  /// The bytes of `bytes`, `bytearray`, or of a Python 2 string.
  package var bytes: MappedBytes? {
    switch self {
    case .bytes(let bytes): bytes.buffer
    case .string(let text): MappedBytes(copying: Array(text.utf8))
    default: nil
    }
  }

  /// The items of a tuple, list or set, or of an object that is one (`torch.Size`).
  package var items: [PickleValue]? {
    switch self {
    case .tuple(let sequence), .list(let sequence), .set(let sequence), .frozenSet(let sequence):
      sequence.items
    case .object(let object):
      if !object.items.isEmpty {
        object.items
      } else if object.globalPath == "torch.Size", case .tuple(let sequence) = object.arguments {
        sequence.items.first?.items
      } else {
        nil
      }
    default: nil
    }
  }

  /// The entries of a dictionary or of an object that is one (`OrderedDict`, `EasyDict`).
  ///
  /// An instance of a class without entries is no dictionary: `nil`, not an empty array.
  package var entries: [PickleDictionary.Entry]? {
    switch self {
    case .dictionary(let dictionary): return dictionary.entries
    case .object(let object):
      if !object.entries.isEmpty { return object.entries }
      guard let path = object.globalPath, path.hasSuffix("Dict") || path.hasSuffix("dict") else {
        return nil
      }
      // Python 2 wrote OrderedDict as a call with a list of pairs.
      guard let pairs = object.arguments.items?.first?.items else { return [] }
      return pairs.compactMap { pair in
        guard let pair = pair.items, pair.count == 2 else { return nil }
        return (key: pair[0], value: pair[1])
      }
    default: return nil
    }
  }

  /// The value under a string key of a dictionary; the last one where the key occurs twice.
  package subscript(key: String) -> PickleValue? {
    entries?.last { $0.key.string == key }?.value
  }

  /// The module and name of a global, with a dot between.
  package var globalPath: String? {
    if case .global(let global) = self { global.path } else { nil }
  }

  /// The record of an object.
  package var object: PickleObject? {
    if case .object(let object) = self { object } else { nil }
  }

  /// A NumPy scalar: `numpy.core.multiarray.scalar(numpy.dtype('f8', False, True), b'…')`.
  private var numpyScalar: PickleValue? {
    guard let object, let path = object.globalPath,
      path == "numpy.core.multiarray.scalar" || path == "numpy._core.multiarray.scalar",
      let arguments = object.arguments.items, arguments.count == 2,
      let type = arguments[0].object, type.globalPath == "numpy.dtype",
      let code = type.arguments.items?.first?.string,
      let buffer = arguments[1].bytes
    else { return nil }
    // The byte order is the second item of the state: '<', '>' or '|'.
    if let order = type.state?.items?.dropFirst().first?.string, order == ">" { return nil }
    return buffer.withBytes { bytes in Self.numpyScalar(code: code, bytes) }
  }

  private static func numpyScalar(code: String, _ bytes: UnsafeRawBufferPointer) -> PickleValue? {
    switch (code, bytes.count) {
    case ("f8", 8): .double(bytes.loadUnaligned(as: Double.self))
    case ("f4", 4): .double(Double(bytes.loadUnaligned(as: Float.self)))
    case ("f2", 2): .double(Double(Float16(bitPattern: bytes.loadUnaligned(as: UInt16.self))))
    case ("i8", 8): .int(bytes.loadUnaligned(as: Int64.self))
    case ("i4", 4): .int(Int64(bytes.loadUnaligned(as: Int32.self)))
    case ("i2", 2): .int(Int64(bytes.loadUnaligned(as: Int16.self)))
    case ("i1", 1): .int(Int64(bytes.loadUnaligned(as: Int8.self)))
    case ("u8", 8): Int64(exactly: bytes.loadUnaligned(as: UInt64.self)).map { .int($0) }
    case ("u4", 4): .int(Int64(bytes.loadUnaligned(as: UInt32.self)))
    case ("u2", 2): .int(Int64(bytes.loadUnaligned(as: UInt16.self)))
    case ("u1", 1): .int(Int64(bytes.loadUnaligned(as: UInt8.self)))
    case ("b1", 1): .bool(bytes[0] != 0)
    default: nil
    }
  }
}

extension PickleObject {
  /// The module and name of what makes the object, with a dot between.
  package var globalPath: String? { callable.globalPath }
}
