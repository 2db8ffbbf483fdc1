import JSON
import Pickle

extension OptionValue {
  /// A pickled setting: NumPy's scalars become numbers, `EasyDict` and its like dictionaries.
  ///
  /// - Parameters:
  ///   - value: What the pickle holds.
  ///   - name: What it is called, for `omitted`.
  ///   - omitted: Receives the names of values that are no settings, such as class instances.
  /// - Returns: The setting; `nil` if it was omitted.
  /// - Throws: `PickleError.limit` where shared or cyclic values would multiply.
  static func reading(
    _ value: PickleValue,
    name: String,
    omitted: inout [String]
  ) throws(PickleError) -> OptionValue? {
    var reader = Reader(omitted: omitted)
    defer { omitted = reader.omitted }
    return try reader.read(value, name: name, depth: 0)
  }

  /// The setting as a pickled value.
  var pickled: PickleValue {
    switch self {
    case .null: nil
    case .bool(let value): .bool(value)
    case .int(let value): .int(Int64(value))
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    case .tuple(let items): .tuple(items.map(\.pickled))
    case .list(let items): .list(items.map(\.pickled))
    case .dictionary(let entries): .dictionary(entries.map { ($0.key, $0.value.pickled) })
    }
  }

  private struct Reader {
    var omitted: [String]
    /// Values and bytes of text left.
    private var budget = 1 << 20

    init(omitted: [String]) { self.omitted = omitted }

    mutating func read(
      _ value: PickleValue,
      name: String,
      depth: Int
    ) throws(PickleError) -> OptionValue? {
      budget -= 16 + name.utf8.count
      guard depth < 32, budget > 0 else {
        throw .limit(what: "the settings are nested too deeply or without end")
      }
      switch value {
      case .none: return .null
      case .string(let text):
        budget -= text.utf8.count
        return .string(text)
      case .tuple(let sequence): return .tuple(try items(sequence.items, name, depth))
      case .list(let sequence): return .list(try items(sequence.items, name, depth))
      default: break
      }
      if let flag = value.bool { return .bool(flag) }
      if let number = value.int { return .int(number) }
      if let number = value.double { return .double(number) }
      if let entries = value.entries { return try dictionary(entries, name, depth) }
      omitted.append(name)
      return nil
    }

    private mutating func items(
      _ values: [PickleValue],
      _ name: String,
      _ depth: Int
    ) throws(PickleError) -> [OptionValue] {
      var items: [OptionValue] = []
      for (index, value) in values.enumerated() {
        // A dropped item leaves a null, so that the others keep their index.
        items.append(try read(value, name: "\(name)[\(index)]", depth: depth + 1) ?? .null)
      }
      return items
    }

    private mutating func dictionary(
      _ entries: [PickleDictionary.Entry],
      _ name: String,
      _ depth: Int
    ) throws(PickleError) -> OptionValue {
      var result: [Entry] = []
      for (key, value) in entries {
        guard let key = key.string else {
          budget -= 16
          omitted.append("a key of \(name)")
          continue
        }
        if let value = try read(value, name: "\(name).\(key)", depth: depth + 1) {
          result.append(Entry(key, value))
        }
      }
      return .dictionary(result)
    }
  }
}
