import Files

extension Unpickler {
  /// Opcodes that name, make or complete objects.
  mutating func object(_ opcode: PickleOpcode, at start: Int) throws(PickleError) {
    switch opcode {
    case .global: try push(.global(globalFromLines(at: start)))
    case .stackGlobal:
      let name = try pop()
      let module = try pop()
      guard let module = module.string, let name = name.string else {
        throw .malformed(offset: start, reason: "a global whose name is no string")
      }
      try spend(64)
      try push(.global(PickleGlobal(module, name)))
    case .inst:
      let type = PickleValue.global(try globalFromLines(at: start))
      let arguments = PickleValue.tuple(try counted(PickleSequence(popToMark())))
      try push(call(type, arguments))
    case .obj:
      var values = try popToMark()
      guard !values.isEmpty else {
        throw .malformed(offset: start, reason: "an object without a class")
      }
      let type = values.removeFirst()
      try push(call(type, .tuple(counted(PickleSequence(values)))))
    case .reduce:
      let arguments = try pop()
      let callable = try pop()
      guard case .tuple = arguments else {
        throw .malformed(offset: start, reason: "the arguments of a call are no tuple")
      }
      try push(call(callable, arguments))
    case .newObj:
      let arguments = try pop()
      let type = try pop()
      try push(.object(counted(PickleObject(.new, type, arguments: arguments), size: 224)))
    case .newObjEx:
      let keywords = try pop()
      let arguments = try pop()
      let object = PickleObject(
        .new,
        try pop(),
        arguments: arguments,
        keywordArguments: keywords
      )
      try push(.object(counted(object, size: 224)))
    case .build: try build(at: start)
    case .persID: try meet(persistentID: .string(line(at: start, limit: 1 << 16)))
    default: try meet(persistentID: pop())
    }
  }

  private mutating func build(at start: Int) throws(PickleError) {
    let state = try pop()
    let target = try pop()
    guard case .object(let object) = target else {
      throw .malformed(offset: start, reason: "a state for something that is no object")
    }
    object.state = state
    stack.append(target)
  }

  private mutating func globalFromLines(at start: Int) throws(PickleError) -> PickleGlobal {
    let module = try line(at: start, limit: 1 << 12)
    let name = try line(at: start, limit: 1 << 12)
    try spend(64 + module.utf8.count + name.utf8.count)
    return PickleGlobal(module, name)
  }

  private mutating func line(at start: Int, limit: Int) throws(PickleError) -> String {
    guard let line = String(validating: try reader.line(limit: limit), as: UTF8.self) else {
      throw .malformed(offset: start, reason: "a name that is not UTF-8")
    }
    return line
  }

  /// The record of a call; calls by which old protocols spell bytes and sets become those.
  private mutating func call(
    _ callable: PickleValue,
    _ arguments: PickleValue
  ) throws(PickleError) -> PickleValue {
    if let path = callable.globalPath, let items = arguments.items,
      let value = try builtin(path, items)
    {
      return value
    }
    return try .object(counted(PickleObject(.call, callable, arguments: arguments), size: 224))
  }

  private mutating func builtin(
    _ path: String,
    _ arguments: [PickleValue]
  ) throws(PickleError) -> PickleValue? {
    switch (path, arguments.count) {
    case ("_codecs.encode", 2):
      guard let text = arguments[0].string, arguments[1].string == "latin1" else { return nil }
      try spend(text.utf8.count)
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.utf8.count)
      for scalar in text.unicodeScalars {
        guard let byte = UInt8(exactly: scalar.value) else { return nil }
        bytes.append(byte)
      }
      return .bytes(bytes)
    case ("__builtin__.bytes", 0), ("builtins.bytes", 0): return .bytes([])
    case ("__builtin__.bytearray", 0), ("builtins.bytearray", 0):
      return .bytes(PickleBytes(MappedBytes(copying: []), isMutable: true))
    case ("__builtin__.bytearray", 1), ("builtins.bytearray", 1):
      guard case .bytes(let bytes) = arguments[0] else { return nil }
      return .bytes(PickleBytes(bytes.buffer, isMutable: true))
    case ("__builtin__.set", 0), ("builtins.set", 0): return try .set(counted(PickleSequence()))
    case ("__builtin__.set", 1), ("builtins.set", 1):
      guard case .list(let list) = arguments[0] else { return nil }
      return try .set(copy(list))
    case ("__builtin__.frozenset", 1), ("builtins.frozenset", 1):
      guard case .list(let list) = arguments[0] else { return nil }
      return try .frozenSet(copy(list))
    default: return nil
    }
  }

  private mutating func copy(_ list: PickleSequence) throws(PickleError) -> PickleSequence {
    // The same remembered list may be copied often: each copy counts. Swift shares the storage, so
    // that the items are not really doubled until somebody adds to one of them.
    try spend(list.items.count * MemoryLayout<PickleValue>.stride)
    return try counted(PickleSequence(list.items))
  }
}
