import Files

/// Writes values as a pickle that Python loads.
///
/// Shared nodes are written once and memoized, so that the graph comes back as
/// the same graph, cycles included.
package struct PickleWriter {
  /// The protocols that can be written: 4 needs Python 3.4, 2 is read by everything.
  package enum Version: UInt8, Sendable, CaseIterable {
    case two = 2
    case three = 3
    case four = 4
  }

  private let version: Version
  private let sink: PickleSink
  private var nodes: [ObjectIdentifier: Int] = [:]
  private var strings: [String: Int] = [:]
  private var globals: [String: Int] = [:]
  private var remembered = 0

  /// Deeper nesting is refused: it would not fit on the stack, here and in Python.
  private static let depthLimit = 400

  private init(_ version: Version, _ sink: PickleSink) {
    self.version = version
    self.sink = sink
  }

  /// The pickle of a value.
  ///
  /// - Throws: `PickleError.limit` when it is nested too deeply, `PickleError.content` when the
  ///   protocol cannot say it.
  package static func bytes(
    of value: PickleValue,
    version: Version = .four
  ) throws(PickleError) -> [UInt8] {
    let sink = PickleSink(file: nil)
    try write(value, version, to: sink)
    return sink.pending
  }

  /// Writes the pickle of a value to a file, which appears when it is complete.
  package static func write(
    _ value: PickleValue,
    to path: String,
    version: Version = .four
  ) throws(PickleError) {
    let file: AtomicFile
    do throws(FileError) {
      file = try AtomicFile(path, flushInterval: AtomicFile.runInterval)
    } catch { throw .file(error) }
    let sink = PickleSink(file: file)
    try write(value, version, to: sink)
    try sink.flush()
    do throws(FileError) { try file.commit() } catch { throw .file(error) }
  }

  private static func write(
    _ value: PickleValue,
    _ version: Version,
    to sink: PickleSink
  ) throws(PickleError) {
    var writer = PickleWriter(version, sink)
    sink.put(.proto)
    sink.put(byte: version.rawValue)
    try writer.save(value, depth: 0)
    sink.put(.stop)
  }

  private mutating func save(_ value: PickleValue, depth: Int) throws(PickleError) {
    guard depth < Self.depthLimit else { throw .limit(what: "values are nested too deeply") }
    let depth = depth + 1
    switch value {
    case .none: sink.put(.none)
    case .bool(let bool): sink.put(bool ? .newTrue : .newFalse)
    case .int(let number): saveInt(number)
    case .bigInt(let bytes): try saveBigInt(bytes)
    case .double(let number):
      sink.put(.binFloat)
      sink.put(number.bitPattern.byteSwapped)
    case .string(let text): try saveString(text)
    case .bytes(let bytes): try saveBytes(bytes, depth)
    case .tuple(let sequence): try saveTuple(sequence, depth)
    case .list(let sequence): try saveList(sequence, depth)
    case .set(let sequence): try saveSet(sequence, depth)
    case .frozenSet(let sequence): try saveFrozenSet(sequence, depth)
    case .dictionary(let dictionary):
      if recall(dictionary) { return }
      sink.put(.emptyDict)
      remember(dictionary)
      try saveEntries(dictionary.entries, depth)
    case .global(let global): try saveGlobal(global)
    case .object(let object): try saveObject(object, depth)
    case .persistent(let persistent):
      try save(persistent.id, depth: depth)
      sink.put(.binPersID)
    }
    try sink.flushIfFull()
  }

  // MARK: Memo

  private mutating func recall(_ node: AnyObject) -> Bool {
    guard let index = nodes[ObjectIdentifier(node)] else { return false }
    get(index)
    return true
  }

  private mutating func remember(_ node: AnyObject) {
    nodes[ObjectIdentifier(node)] = remembered
    memoize()
  }

  private func get(_ index: Int) {
    if index < 256 {
      sink.put(.binGet)
      sink.put(byte: UInt8(index))
    } else {
      sink.put(.longBinGet)
      sink.put(UInt32(index))
    }
  }

  private mutating func memoize() {
    if version == .four {
      sink.put(.memoize)
    } else if remembered < 256 {
      sink.put(.binPut)
      sink.put(byte: UInt8(remembered))
    } else {
      sink.put(.longBinPut)
      sink.put(UInt32(remembered))
    }
    remembered += 1
  }

  // MARK: Scalars

  private func saveInt(_ number: Int64) {
    if let byte = UInt8(exactly: number) {
      sink.put(.binInt1)
      sink.put(byte: byte)
    } else if let short = UInt16(exactly: number) {
      sink.put(.binInt2)
      sink.put(short)
    } else if let word = Int32(exactly: number) {
      sink.put(.binInt)
      sink.put(word)
    } else {
      sink.put(.long1)
      sink.put(byte: 8)
      sink.put(number)
    }
  }

  private func saveBigInt(_ bytes: [UInt8]) throws(PickleError) {
    if bytes.count < 256 {
      sink.put(.long1)
      sink.put(byte: UInt8(bytes.count))
    } else {
      sink.put(.long4)
      sink.put(Int32(clamping: bytes.count))
    }
    try sink.put(MappedBytes(copying: bytes))
  }

  private mutating func saveString(_ text: String) throws(PickleError) {
    if let index = strings[text] {
      get(index)
      return
    }
    let bytes = Array(text.utf8)
    if version == .four, bytes.count < 256 {
      sink.put(.shortBinUnicode)
      sink.put(byte: UInt8(bytes.count))
    } else if let count = UInt32(exactly: bytes.count) {
      sink.put(.binUnicode)
      sink.put(count)
    } else {
      throw .content(reason: "a string of \(bytes.count) bytes, which is too long to be written")
    }
    try sink.put(MappedBytes(copying: bytes))
    strings[text] = remembered
    memoize()
  }

  private mutating func saveBytes(_ bytes: PickleBytes, _ depth: Int) throws(PickleError) {
    if recall(bytes) { return }
    if bytes.isMutable {
      try saveGlobal(builtin("bytearray"))
      try saveBytes(bytes.buffer, depth)
      sink.put(.tuple1)
      sink.put(.reduce)
    } else {
      try saveBytes(bytes.buffer, depth)
    }
    remember(bytes)
  }

  private mutating func saveBytes(_ buffer: MappedBytes, _ depth: Int) throws(PickleError) {
    if version == .two {
      // Protocol 2 has no bytes; Python spells them as text.
      try saveGlobal(PickleGlobal("_codecs", "encode"))
      let text = String(String.UnicodeScalarView(buffer.array.map { Unicode.Scalar($0) }))
      try saveString(text)
      try saveString("latin1")
      sink.put(.tuple2)
      sink.put(.reduce)
      return
    }
    if buffer.count < 256 {
      sink.put(.shortBinBytes)
      sink.put(byte: UInt8(buffer.count))
    } else if let count = UInt32(exactly: buffer.count) {
      sink.put(.binBytes)
      sink.put(count)
    } else if version == .four {
      sink.put(.binBytes8)
      sink.put(UInt64(buffer.count))
    } else {
      throw .content(reason: "\(buffer.count) bytes in one piece need pickle protocol 4")
    }
    try sink.put(buffer)
  }

  // MARK: Containers

  private mutating func saveTuple(_ sequence: PickleSequence, _ depth: Int) throws(PickleError) {
    if sequence.items.isEmpty {
      sink.put(.emptyTuple)
      return
    }
    if recall(sequence) { return }
    let count = sequence.items.count
    if count > 3 { sink.put(.mark) }
    for item in sequence.items { try save(item, depth: depth) }
    if nodes[ObjectIdentifier(sequence)] != nil {
      // The tuple holds a list that holds the tuple: it has been written on the way.
      if count > 3 { sink.put(.popMark) } else { for _ in 0..<count { sink.put(.pop) } }
      _ = recall(sequence)
      return
    }
    sink.put(count > 3 ? .tuple : [.tuple1, .tuple2, .tuple3][count - 1])
    remember(sequence)
  }

  private mutating func saveList(_ sequence: PickleSequence, _ depth: Int) throws(PickleError) {
    if recall(sequence) { return }
    sink.put(.emptyList)
    remember(sequence)
    try saveItems(sequence.items, depth, closing: .appends)
  }

  private mutating func saveItems(
    _ items: [PickleValue],
    _ depth: Int,
    closing: PickleOpcode
  ) throws(PickleError) {
    if items.isEmpty { return }
    sink.put(.mark)
    for item in items { try save(item, depth: depth) }
    sink.put(closing)
  }

  private mutating func saveEntries(
    _ entries: [PickleDictionary.Entry],
    _ depth: Int
  ) throws(PickleError) {
    if entries.isEmpty { return }
    sink.put(.mark)
    for (key, value) in entries {
      try save(key, depth: depth)
      try save(value, depth: depth)
    }
    sink.put(.setItems)
  }

  private mutating func saveSet(_ sequence: PickleSequence, _ depth: Int) throws(PickleError) {
    if recall(sequence) { return }
    if version == .four {
      sink.put(.emptySet)
      remember(sequence)
      try saveItems(sequence.items, depth, closing: .addItems)
    } else {
      try saveSetCall("set", sequence, depth)
    }
  }

  private mutating func saveFrozenSet(
    _ sequence: PickleSequence,
    _ depth: Int
  ) throws(PickleError) {
    if recall(sequence) { return }
    if version == .four {
      sink.put(.mark)
      for item in sequence.items { try save(item, depth: depth) }
      sink.put(.frozenSet)
      remember(sequence)
    } else {
      try saveSetCall("frozenset", sequence, depth)
    }
  }

  /// `set([…])`, as protocols without sets spell it.
  private mutating func saveSetCall(
    _ name: String,
    _ sequence: PickleSequence,
    _ depth: Int
  ) throws(PickleError) {
    try saveGlobal(builtin(name))
    sink.put(.emptyList)
    try saveItems(sequence.items, depth, closing: .appends)
    sink.put(.tuple1)
    sink.put(.reduce)
    remember(sequence)
  }

  // MARK: Names and objects

  private func builtin(_ name: String) -> PickleGlobal {
    PickleGlobal(version == .two ? "__builtin__" : "builtins", name)
  }

  private mutating func saveGlobal(_ global: PickleGlobal) throws(PickleError) {
    let key = "\(global.module)\n\(global.name)"
    if let index = globals[key] {
      get(index)
      return
    }
    if version == .four {
      try saveString(global.module)
      try saveString(global.name)
      sink.put(.stackGlobal)
    } else {
      guard !global.module.utf8.contains(0x0A), !global.name.utf8.contains(0x0A) else {
        throw .content(reason: "a global with a line break in its name")
      }
      sink.put(.global)
      try sink.put(MappedBytes(copying: Array("\(global.module)\n\(global.name)\n".utf8)))
    }
    globals[key] = remembered
    memoize()
  }

  private mutating func saveObject(_ object: PickleObject, _ depth: Int) throws(PickleError) {
    if recall(object) { return }
    guard case .tuple = object.arguments else {
      throw .content(reason: "an object whose arguments are no tuple")
    }
    try save(object.callable, depth: depth)
    try save(object.arguments, depth: depth)
    if let keywords = object.keywordArguments {
      guard version == .four else {
        throw .content(reason: "an object with keyword arguments needs pickle protocol 4")
      }
      try save(keywords, depth: depth)
      sink.put(.newObjEx)
    } else {
      sink.put(object.construction == .call ? .reduce : .newObj)
    }
    remember(object)
    try saveItems(object.items, depth, closing: .appends)
    try saveEntries(object.entries, depth)
    if let state = object.state {
      try save(state, depth: depth)
      sink.put(.build)
    }
  }
}
