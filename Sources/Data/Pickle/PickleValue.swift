package import Files

/// A value inside a pickle, as data: nothing is ever imported, constructed or called.
///
/// Containers are reference types, because a pickle is a graph: the same list may be
/// referenced twice, or from inside itself. Classes and functions are only names (``PickleGlobal``), and the
/// objects made by them only records of the call (``PickleObject``).
package enum PickleValue {
  case none
  case bool(Bool)
  case int(Int64)
  /// An integer beyond 64 bits: two's complement, little-endian.
  case bigInt([UInt8])
  case double(Double)
  case string(String)
  case bytes(PickleBytes)
  case tuple(PickleSequence)
  case list(PickleSequence)
  case set(PickleSequence)
  case frozenSet(PickleSequence)
  case dictionary(PickleDictionary)
  case global(PickleGlobal)
  case object(PickleObject)
  /// A reference to something outside the pickle: torch keeps the bytes of tensors this way.
  case persistent(PicklePersistent)
}

/// What a graph of pickled values is made of.
///
/// Nodes free their children one after the other instead of one inside the other, because nesting may
/// be far deeper than the stack. A graph with cycles is never freed: such pickles are rare, and what
/// stays is bounded by the length of the file.
package class PickleNode {
  fileprivate init() {}

  /// Hands the children over and forgets them.
  fileprivate func takeChildren() -> [PickleValue] { [] }

  /// Frees values of any depth; the array is the only owner of what nobody else uses.
  fileprivate static func free(_ pending: inout [PickleValue]) {
    while var value = pending.popLast() {
      guard var node = value.node else { continue }
      value = .none
      if isKnownUniquelyReferenced(&node) { pending += node.takeChildren() }
    }
  }
}

extension PickleValue {
  fileprivate var node: PickleNode? {
    switch self {
    case .tuple(let node), .list(let node), .set(let node), .frozenSet(let node): node
    case .dictionary(let node): node
    case .object(let node): node
    case .persistent(let node): node
    case .none, .bool, .int, .bigInt, .double, .string, .bytes, .global: nil
    }
  }
}

extension [PickleDictionary.Entry] {
  fileprivate var values: [PickleValue] {
    var values: [PickleValue] = []
    values.reserveCapacity(2 * count)
    for (key, value) in self {
      values.append(key)
      values.append(value)
    }
    return values
  }
}

/// A run of bytes, usually a range of the pickle itself.
package final class PickleBytes {
  /// Number of bytes.
  package let count: Int
  /// True for a `bytearray`, false for `bytes`.
  package let isMutable: Bool
  private let source: () -> MappedBytes

  /// The bytes; lazy ones are recomputed at each access.
  package var buffer: MappedBytes { source() }

  /// Wraps a buffer.
  package init(_ buffer: MappedBytes, isMutable: Bool = false) {
    self.isMutable = isMutable
    count = buffer.count
    source = { buffer }
  }

  /// Bytes that are made when they are written, so that they need not be in memory all at once.
  ///
  /// - Parameters:
  ///   - count: How many there will be.
  ///   - make: Makes them.
  package init(count: Int, make: @escaping () -> MappedBytes) {
    isMutable = false
    self.count = count
    source = {
      let buffer = make()
      precondition(buffer.count == count, "\(buffer.count) bytes instead of \(count)")
      return buffer
    }
  }
}

/// The name of a class or function.
package final class PickleGlobal {
  /// The Python module, such as `torch._utils`.
  package let module: String
  /// The qualified name inside the module.
  package let name: String

  /// Makes a name.
  package init(_ module: String, _ name: String) {
    self.module = module
    self.name = name
  }

  /// Module and name with a dot between.
  package var path: String { module + "." + name }
}

/// The items of a tuple, list or set, in order.
package final class PickleSequence: PickleNode {
  /// The items.
  package internal(set) var items: [PickleValue]

  /// Makes a sequence.
  package init(_ items: [PickleValue] = []) { self.items = items }

  deinit {
    var children = takeChildren()
    PickleNode.free(&children)
  }

  fileprivate override func takeChildren() -> [PickleValue] {
    defer { items = [] }
    return items
  }
}

/// The entries of a dictionary in the order of insertion.
package final class PickleDictionary: PickleNode {
  /// Key and value.
  package typealias Entry = (key: PickleValue, value: PickleValue)

  /// The entries; of equal keys the last one counts.
  package internal(set) var entries: [Entry]

  /// Makes a dictionary.
  package init(_ entries: [Entry] = []) { self.entries = entries }

  deinit {
    var children = takeChildren()
    PickleNode.free(&children)
  }

  fileprivate override func takeChildren() -> [PickleValue] {
    defer { entries = [] }
    return entries.values
  }
}

/// What a persistent identifier says, uninterpreted.
package final class PicklePersistent: PickleNode {
  /// The identifier: a string, or torch's tuple `('storage', type, key, location, count)`.
  package internal(set) var id: PickleValue

  /// Wraps an identifier.
  package init(_ id: PickleValue) { self.id = id }

  deinit {
    var children = takeChildren()
    PickleNode.free(&children)
  }

  fileprivate override func takeChildren() -> [PickleValue] {
    defer { id = .none }
    return [id]
  }
}

/// The record of an object: how it would have been made, and what would have been put into it.
package final class PickleObject: PickleNode {
  /// How Python would have made the object.
  package enum Construction {
    /// `callable(*arguments)`.
    case call
    /// `callable.__new__(callable, *arguments, **keywordArguments)`.
    case new
  }

  /// How the object is made.
  package let construction: Construction
  /// The class or function, usually a global.
  package internal(set) var callable: PickleValue
  /// Positional arguments, usually a tuple.
  package internal(set) var arguments: PickleValue
  /// Keyword arguments (a dictionary), when there are any.
  package internal(set) var keywordArguments: PickleValue?
  /// What `__setstate__` or `__dict__` would have received.
  package internal(set) var state: PickleValue?
  /// What would have been appended.
  package internal(set) var items: [PickleValue] = []
  /// What would have been set by key, in order.
  package internal(set) var entries: [PickleDictionary.Entry] = []

  /// Makes a record.
  package init(
    _ construction: Construction,
    _ callable: PickleValue,
    arguments: PickleValue,
    keywordArguments: PickleValue? = nil,
    state: PickleValue? = nil,
    entries: [PickleDictionary.Entry] = []
  ) {
    self.construction = construction
    self.callable = callable
    self.arguments = arguments
    self.keywordArguments = keywordArguments
    self.state = state
    self.entries = entries
  }

  deinit {
    var children = takeChildren()
    PickleNode.free(&children)
  }

  fileprivate override func takeChildren() -> [PickleValue] {
    defer {
      (callable, arguments, keywordArguments, state) = (.none, .none, nil, nil)
      (items, entries) = ([], [])
    }
    return items + entries.values
      + [callable, arguments, keywordArguments ?? .none, state ?? .none]
  }
}
