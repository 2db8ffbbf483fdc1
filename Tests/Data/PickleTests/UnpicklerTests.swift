import Files
import Foundation
import Pickle
import TestSupport
import Testing

@Suite struct UnpicklerTests {
  @Test(arguments: 0...5)
  func `reads what Python writes, in every protocol`(version: Int) throws {
    let expected = String(decoding: try fixture("values.txt"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    let buffer = MappedBytes(copying: try fixture("values-\(version).pkl"))
    var offset = 0
    var lines: [String] = []
    while offset < buffer.count {
      let pickle = try Pickle(buffer, at: offset)
      lines.append(canonicalText(pickle.root))
      offset = pickle.end
    }
    #expect(lines.count == expected.count)
    for (line, expected) in zip(lines, expected) { #expect(line == expected) }
  }

  @Test func `keeps sharing and cycles`() throws {
    // a = []; a.append(a); (a, a)
    let cyclic = try pickle(ascii("]q\u{0}h\u{0}a") + [0x68, 0, 0x86] + ascii("."))
    guard case .tuple(let pair) = cyclic.root, case .list(let first) = pair.items[0],
      case .list(let second) = pair.items[1], case .list(let inner) = first.items[0]
    else {
      Issue.record("the shape of the value is wrong")
      return
    }
    #expect(first === second)
    #expect(first === inner)
  }

  @Test func `frees the graph with the last value`() throws {
    weak var list: PickleSequence?
    do {
      let root = try pickle(ascii("(]K\u{1}at.")).root
      if case .list(let inner)? = root.items?.first { list = inner }
      #expect(list != nil)
    }
    #expect(list == nil)
  }

  @Test func `nesting of any depth costs no stack`() throws {
    let levels = 300_000
    let lists = [UInt8](repeating: 0x5D, count: levels)
    let tuples = [UInt8](repeating: 0x85, count: levels)
    let identifiers = [UInt8](repeating: 0x51, count: levels)
    let appends = [UInt8](repeating: 0x61, count: levels - 1)
    _ = try pickle(lists + appends + ascii("."))
    _ = try pickle(ascii("N") + tuples + ascii("."))
    _ = try pickle(ascii("N") + identifiers + ascii("."))
    // The same while an error unwinds.
    #expect(throws: PickleError.self) { try pickle(lists + appends + ascii("a")) }
  }

  @Test func `executes nothing and records calls`() throws {
    let pickle = try pickle(ascii("cos\nsystem\n(S'echo hello'\ntR."))
    let object = try #require(pickle.root.object)
    #expect(object.globalPath == "os.system")
    #expect(object.arguments.items?.first?.string == "echo hello")
  }

  @Test func `reads instances with arguments, keywords, items and state`() throws {
    var bytes = ascii("cm\nC\n)}") + [0x8C, 1] + ascii("k") + ascii("K\u{7}s") + [0x92]
    bytes += ascii("(K\u{1}K\u{2}e") + ascii("(K\u{3}K\u{4}u") + ascii("}b.")
    let object = try #require(try pickle(bytes).root.object)
    #expect(object.construction == .new)
    #expect(object.keywordArguments?["k"]?.int == 7)
    #expect(object.items.map(\.int) == [1, 2])
    #expect(object.entries.map(\.key.int) == [3])
    #expect(object.state?.entries?.isEmpty == true)
  }

  @Test func `reads INST and OBJ of old protocols`() throws {
    let inst = try #require(try pickle(ascii("(K\u{5}im\nC\n.")).root.object)
    #expect(inst.globalPath == "m.C")
    #expect(inst.arguments.items?.map(\.int) == [5])
    let object = try #require(try pickle(ascii("(cm\nC\nK\u{5}o.")).root.object)
    #expect(object.globalPath == "m.C")
    #expect(object.arguments.items?.map(\.int) == [5])
  }

  @Test func `reads NumPy scalars as numbers`() throws {
    var bytes = ascii("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(S'f8'\nI00\nI01\ntR")
    bytes += ascii("(K\u{3}S'<'\nNNNK\u{0}K\u{0}K\u{0}tb")
    bytes += [0x43, 8] + withUnsafeBytes(of: 0.125, Array.init) + [0x86] + ascii("R.")
    #expect(try pickle(bytes).root.double == 0.125)
  }

  @Test func `bytes are ranges of the source`() throws {
    let buffer = MappedBytes(copying: [0x80, 4, 0x43, 3, 10, 20, 30, 0x2E])
    let value = try Pickle(buffer).root
    let inside = try #require(value.bytes)
    #expect(inside.array == [10, 20, 30])
    let outer = buffer.withBytes { $0.baseAddress }
    let inner = inside.withBytes { $0.baseAddress }
    #expect(try #require(inner) - #require(outer) == 4)
  }

  @Test(arguments: [
    ("", 0), (".", 1), ("]", 1), ("N0.", 3), ("(.", 2), ("K", 1), ("h\u{1}.", 0), ("e.", 1),
    ("NNa.", 2), ("(K\u{1}d.", 4), ("]Nb.", 2), ("NNR.", 2), ("I12x\n.", 0), ("Fabc\n.", 0),
    ("S'abc\n.", 0), ("V\\u12\n.", 0), ("Kaé.", 2),
  ])
  func `names the byte where a broken pickle breaks`(text: String, offset: Int) {
    #expect {
      try pickle(ascii(text))
    } throws: { error in
      guard case .malformed(let found, let reason) = error as? PickleError else { return false }
      return found == offset && !reason.isEmpty && !"\(error)".contains("\n")
    }
  }

  @Test func `refuses extensions, out-of-band buffers and future protocols`() {
    for bytes: [UInt8] in [
      [0x82, 1], [0x83, 1, 0], [0x84, 1, 0, 0, 0], [0x97], [0x98], [0x80, 6],
    ] {
      #expect {
        try pickle(bytes + ascii("."))
      } throws: { error in
        if case .unsupported? = error as? PickleError { true } else { false }
      }
    }
  }

  @Test func `lengths beyond the file are refused before anything is allocated`() {
    let lengths: [[UInt8]] = [
      [0x8E] + [UInt8](repeating: 0xFF, count: 8), [0x8D, 0, 0, 0, 0, 0, 0, 0, 0x7F],
      [0x42, 0xFF, 0xFF, 0xFF, 0xFF], [0x58, 0xFF, 0xFF, 0xFF, 0x7F],
      [0x8B, 0xFF, 0xFF, 0xFF, 0xFF], [0x54, 0, 0, 0, 0x80], [0x95, 9, 0, 0, 0, 0, 0, 0, 0],
    ]
    for bytes in lengths {
      #expect(throws: PickleError.self) { try pickle(bytes + ascii("N.")) }
    }
  }

  @Test func `a small file cannot ask for much memory`() {
    // 3 MB of empty dictionaries would be some hundred megabytes.
    let bytes = [UInt8](repeating: 0x7D, count: 3_000_000)
    #expect {
      try pickle(bytes + ascii("."))
    } throws: { error in
      if case .limit? = error as? PickleError { true } else { false }
    }
  }

  @Test func `mutated pickles give values or errors`() throws {
    var generator = SeededGenerator(state: 7)
    let sources = try (0...5).map { try fixture("values-\($0).pkl") }
    let rounds = Int(ProcessInfo.processInfo.environment["NIFTY_FUZZ_ROUNDS"] ?? "") ?? 2000
    var failures = 0
    for round in 0..<rounds {
      let source = sources[round % sources.count]
      // A window keeps the rounds short; it usually begins inside of some value.
      let start = round.isMultiple(of: 2) ? 0 : Int.random(in: 0..<source.count, using: &generator)
      var bytes = Array(source[start..<min(start + 2000, source.count)])
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let offset = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[offset] = UInt8.random(in: 0...255, using: &generator)
      }
      do { _ = try pickle(bytes) } catch { failures += 1 }
    }
    #expect(failures > rounds / 4)
  }
}
