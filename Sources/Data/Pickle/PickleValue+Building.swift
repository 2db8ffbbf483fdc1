import Files

extension PickleValue {
  /// A list of the items.
  package static func list(_ items: [PickleValue]) -> PickleValue { .list(PickleSequence(items)) }

  /// A tuple of the items.
  package static func tuple(_ items: [PickleValue]) -> PickleValue { .tuple(PickleSequence(items)) }

  /// A dictionary with string keys, in order.
  package static func dictionary(_ entries: [(String, PickleValue)]) -> PickleValue {
    .dictionary(PickleDictionary(entries.map { (key: .string($0.0), value: $0.1) }))
  }

  /// A class or function by name.
  package static func global(_ module: String, _ name: String) -> PickleValue {
    .global(PickleGlobal(module, name))
  }

  /// A copy of the bytes.
  package static func bytes(_ bytes: [UInt8]) -> PickleValue {
    .bytes(PickleBytes(MappedBytes(copying: bytes)))
  }

  /// The result of `callable(*arguments)`.
  package static func call(_ callable: PickleValue, _ arguments: [PickleValue]) -> PickleValue {
    .object(PickleObject(.call, callable, arguments: .tuple(arguments)))
  }

  /// An instance of `type` that is made without arguments and then given its state.
  package static func instance(of type: PickleValue, state: PickleValue) -> PickleValue {
    .object(PickleObject(.new, type, arguments: .tuple([]), state: state))
  }

  /// A `collections.OrderedDict` with string keys.
  package static func orderedDictionary(_ entries: [(String, PickleValue)]) -> PickleValue {
    .object(
      PickleObject(
        .call,
        .global("collections", "OrderedDict"),
        arguments: .tuple([]),
        entries: entries.map { (key: .string($0.0), value: $0.1) }
      )
    )
  }
}

extension PickleValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral
{
  package init(nilLiteral: ()) { self = .none }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(stringLiteral value: String) { self = .string(value) }
}
