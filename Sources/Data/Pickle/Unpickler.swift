import Files

/// The stack machine of Python's pickle, executing nothing: calls become records.
///
/// Memory is bounded by a budget that grows with the length of the input, so that a small file cannot
/// ask for much; nothing recurses, so that depth costs no stack.
struct Unpickler {
  private(set) var persistentIDs: [PickleValue] = []

  var reader: ByteReader
  var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Bytes that may still be spent on values; see `spend(_:)`.
  private var budget: Int

  /// The longest line of a text opcode that is looked for.
  static let lineLimit = 1 << 24

  init(_ buffer: MappedBytes, at offset: Int) {
    reader = ByteReader(buffer, at: offset)
    // The smallest values take a byte of the file and some hundred of memory; files of more than a few
    // megabytes are mostly numbers and text.
    budget = 32 << 20
    budget += 4 * reader.remaining
  }

  /// Where the next byte is read.
  var offset: Int { reader.offset }

  /// Runs until the STOP opcode and gives the value that is on top then.
  mutating func run() throws(PickleError) -> PickleValue {
    while true {
      let start = offset
      let byte = try reader.byte()
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw .malformed(offset: start, reason: "unknown opcode 0x\(String(byte, radix: 16))")
      }
      if opcode == .stop { return try pop() }
      try execute(opcode, at: start)
    }
  }

  private mutating func execute(_ opcode: PickleOpcode, at start: Int) throws(PickleError) {
    switch opcode {
    case .proto:
      let version = try reader.byte()
      if version > 5 { throw .unsupported(offset: start, what: "pickle protocol \(version)") }
    case .frame: _ = try reader.length(UInt64.self)
    case .stop: break
    case .none, .newTrue, .newFalse, .int, .binInt, .binInt1, .binInt2, .long, .long1, .long4,
      .float, .binFloat:
      try push(number(opcode, at: start))
    case .string, .binString, .shortBinString, .unicode, .shortBinUnicode, .binUnicode,
      .binUnicode8, .shortBinBytes, .binBytes, .binBytes8, .byteArray8:
      try push(text(opcode, at: start))
    case .mark:
      try spend(MemoryLayout<Int>.size)
      marks.append(stack.count)
    case .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3, .emptyList, .list, .emptyDict, .dict,
      .emptySet, .frozenSet:
      try push(container(opcode))
    case .append, .appends, .setItem, .setItems, .addItems: try fill(opcode, at: start)
    case .pop:
      if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup:
      guard stack.count > floor, let top = stack.last else { throw underflow }
      try push(top)
    case .put, .binPut, .longBinPut, .get, .binGet, .longBinGet, .memoize:
      try remember(opcode, at: start)
    case .global, .stackGlobal, .inst, .obj, .newObj, .newObjEx, .reduce, .build, .persID,
      .binPersID:
      try object(opcode, at: start)
    case .ext1, .ext2, .ext4: throw .unsupported(offset: start, what: "a copyreg extension code")
    case .nextBuffer, .readOnlyBuffer:
      throw .unsupported(offset: start, what: "an out-of-band buffer")
    }
  }

  // MARK: Stack

  /// Values below this index belong to an enclosing mark.
  private var floor: Int { marks.last ?? 0 }

  mutating func push(_ value: PickleValue) throws(PickleError) {
    // A value is counted when it is made; later it only moves from the stack into its container.
    try spend(2 * MemoryLayout<PickleValue>.stride)
    stack.append(value)
  }

  mutating func pop() throws(PickleError) -> PickleValue {
    guard stack.count > floor else { throw underflow }
    return stack.removeLast()
  }

  mutating func popToMark() throws(PickleError) -> [PickleValue] {
    guard let mark = marks.popLast() else {
      throw .malformed(offset: offset, reason: "no mark on the stack")
    }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  private var underflow: PickleError { .malformed(offset: offset, reason: "the stack is empty") }

  /// Counts memory that the next value takes.
  mutating func spend(_ bytes: Int) throws(PickleError) {
    budget -= bytes
    if budget < 0 {
      throw .limit(
        what: "the values up to byte \(offset) take far more memory than the file is long"
      )
    }
  }

  /// Counts the memory of a container.
  mutating func counted<Node: PickleNode>(
    _ node: Node,
    size: Int = 64
  ) throws(PickleError) -> Node {
    try spend(size)
    return node
  }

  // MARK: Containers

  private mutating func container(_ opcode: PickleOpcode) throws(PickleError) -> PickleValue {
    switch opcode {
    case .emptyTuple: return try .tuple(counted(PickleSequence()))
    case .tuple: return try .tuple(counted(PickleSequence(popToMark())))
    case .tuple1: return try .tuple(counted(PickleSequence(popLast(1))))
    case .tuple2: return try .tuple(counted(PickleSequence(popLast(2))))
    case .tuple3: return try .tuple(counted(PickleSequence(popLast(3))))
    case .emptyList: return try .list(counted(PickleSequence()))
    case .list: return try .list(counted(PickleSequence(popToMark())))
    case .emptySet: return try .set(counted(PickleSequence()))
    case .frozenSet: return try .frozenSet(counted(PickleSequence(popToMark())))
    case .dict: return try .dictionary(counted(PickleDictionary(pairs(popToMark()))))
    default: return try .dictionary(counted(PickleDictionary()))
    }
  }

  private mutating func popLast(_ count: Int) throws(PickleError) -> [PickleValue] {
    guard stack.count - floor >= count else { throw underflow }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    return items
  }

  /// Moves values from the stack into the container below them, which stays on the stack.
  private mutating func fill(_ opcode: PickleOpcode, at start: Int) throws(PickleError) {
    let single = opcode == .append ? 1 : 2
    let isSingle = opcode == .append || opcode == .setItem
    let values = try isSingle ? popLast(single) : popToMark()
    guard stack.count > floor, let target = stack.last else { throw underflow }
    switch (opcode, target) {
    case (.append, .list(let list)), (.appends, .list(let list)): list.items += values
    case (.append, .object(let object)), (.appends, .object(let object)): object.items += values
    case (.addItems, .set(let set)): set.items += values
    case (.addItems, .object(let object)): object.items += values
    case (.setItem, .dictionary(let dictionary)), (.setItems, .dictionary(let dictionary)):
      dictionary.entries += try pairs(values)
    case (.setItem, .object(let object)), (.setItems, .object(let object)):
      object.entries += try pairs(values)
    default:
      throw .malformed(offset: start, reason: "\(opcode) on something that is no container for it")
    }
  }

  private func pairs(_ values: [PickleValue]) throws(PickleError) -> [PickleDictionary.Entry] {
    guard values.count.isMultiple(of: 2) else {
      throw .malformed(offset: offset, reason: "a key without a value")
    }
    return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  // MARK: Memo

  private mutating func remember(_ opcode: PickleOpcode, at start: Int) throws(PickleError) {
    switch opcode {
    case .get, .binGet, .longBinGet:
      let key = try memoKey(opcode, at: start)
      guard let value = memo[key] else {
        throw .malformed(offset: start, reason: "nothing is remembered under \(key)")
      }
      try push(value)
    default:
      let key = try memoKey(opcode, at: start)
      guard stack.count > floor, let top = stack.last else { throw underflow }
      try spend(2 * MemoryLayout<(Int, PickleValue)>.stride)
      memo[key] = top
    }
  }

  private mutating func memoKey(
    _ opcode: PickleOpcode,
    at start: Int
  ) throws(PickleError) -> Int {
    switch opcode {
    case .binPut, .binGet: return Int(try reader.byte())
    case .longBinPut, .longBinGet: return Int(try reader.integer(UInt32.self))
    case .put, .get:
      let line = String(decoding: try reader.line(limit: 32), as: UTF8.self)
      guard let key = Int(line), key >= 0 else {
        throw .malformed(offset: start, reason: "a memo key that is no number")
      }
      return key
    default: return memo.count
    }
  }

  mutating func meet(persistentID id: PickleValue) throws(PickleError) {
    let value = PickleValue.persistent(try counted(PicklePersistent(id)))
    persistentIDs.append(value)
    try push(value)
  }
}
