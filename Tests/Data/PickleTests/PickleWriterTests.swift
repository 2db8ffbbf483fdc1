import Files
import Foundation
import Pickle
import TestSupport
import Testing

@Suite struct PickleWriterTests {
  @Test(arguments: PickleWriter.Version.allCases)
  func `what is written reads back`(version: PickleWriter.Version) throws {
    for seed in 0..<60 as Range<UInt64> {
      var generator = SeededGenerator(state: seed)
      let value = randomValue(&generator, depth: 0)
      let read = try pickle(PickleWriter.bytes(of: value, version: version))
      #expect(canonicalText(read.root) == canonicalText(value))
    }
  }

  @Test(.enabled(if: Python.isAvailable, "python3 is not installed"))
  func `Python loads what is written`() throws {
    try withTemporaryFolder { folder in
      var paths: [String] = []
      var expected: [String] = []
      for version in PickleWriter.Version.allCases {
        for seed in 0..<40 as Range<UInt64> {
          var generator = SeededGenerator(state: 1000 + seed)
          let value = randomValue(&generator, depth: 0)
          let path = folder + "/\(version)-\(seed).pkl"
          try PickleWriter.write(value, to: path, version: version)
          paths.append(path)
          expected.append(canonicalText(value))
        }
      }
      let script = fixtures.appending(path: "canon.py").path
      let lines = try Python.run(file: script, paths).split(separator: "\n")
      #expect(lines.count == expected.count)
      for (line, expected) in zip(lines, expected) { #expect(line == expected) }
    }
  }

  @Test(arguments: PickleWriter.Version.allCases)
  func `sharing and cycles come back`(version: PickleWriter.Version) throws {
    let list = PickleSequence([1])
    let tuple = PickleSequence([.list(list), .list(list)])
    let cyclic = PickleDictionary()
    let value = PickleValue.tuple([.tuple(tuple), .tuple(tuple), .dictionary(cyclic)])
    let read = try pickle(PickleWriter.bytes(of: value, version: version))
    guard let items = read.root.items, case .tuple(let first) = items[0],
      case .tuple(let second) = items[1], case .list(let left) = first.items[0],
      case .list(let right) = first.items[1]
    else {
      Issue.record("the shape of the value is wrong")
      return
    }
    #expect(first === second)
    #expect(left === right)
    // A cycle through a tuple, as Python itself writes it: a = []; t = (a,); a.append(t).
    let source = ascii("(]q\u{0}h\u{0}") + [0x85, 0x71, 1] + ascii("a0h\u{1}t.")
    let original = try pickle(source)
    let again = try pickle(PickleWriter.bytes(of: original.root, version: version))
    guard case .tuple(let outer)? = again.root.items?.first, case .list(let inner) = outer.items[0],
      case .tuple(let back) = inner.items[0]
    else {
      Issue.record("the shape of the cycle is wrong")
      return
    }
    #expect(back === outer)
  }

  @Test func `objects keep class, arguments, entries and state`() throws {
    let instance = PickleValue.instance(
      of: .global("training.networks", "Generator"),
      state: .dictionary([("z_dim", 64), ("mani", nil)])
    )
    let value = PickleValue.dictionary([
      ("G", instance), ("hooks", .orderedDictionary([("a", 1)])), ("again", instance),
    ])
    for version in PickleWriter.Version.allCases {
      let read = try pickle(PickleWriter.bytes(of: value, version: version))
      let object = try #require(read.root["G"]?.object)
      #expect(object.globalPath == "training.networks.Generator")
      #expect(object.construction == .new)
      #expect(object.state?["z_dim"]?.int == 64)
      #expect(read.root["again"]?.object === object)
      #expect(read.root["hooks"]?["a"]?.int == 1)
    }
  }

  @Test func `too deep values are refused`() {
    var value = PickleValue.list([])
    for _ in 0..<1000 { value = .list([value]) }
    #expect {
      try PickleWriter.bytes(of: value)
    } throws: { error in
      if case .limit? = error as? PickleError { true } else { false }
    }
  }

  @Test func `a failed write leaves no file`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/x.pkl"
      var value = PickleValue.list([])
      for _ in 0..<1000 { value = .list([value]) }
      #expect(throws: PickleError.self) { try PickleWriter.write(value, to: path) }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left.isEmpty)
    }
  }
}

private func randomValue(_ generator: inout SeededGenerator, depth: Int) -> PickleValue {
  func pick(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
  switch pick(depth > 3 ? 8 : 13) {
  case 0: return .none
  case 1: return .bool(pick(2) == 0)
  case 2: return .int([0, -1, 255, 256, 65535, 65536, 1 << 31, -1 << 31, .max, .min][pick(10)])
  case 3:
    return .bigInt(
      [UInt8](repeating: UInt8(pick(256)), count: 9 + pick(300)) + [1 + UInt8(pick(100))]
    )
  case 4: return .double([0, -0.0, .infinity, 1.5e-300, Double(pick(1000)) / 7][pick(5)])
  case 5:
    return .string(
      ["", "word", "消防車 🚒", "a\n'\\u0041", String(repeating: "x", count: 300)][pick(5)]
    )
  case 6: return .bytes((0..<pick(20)).map { _ in UInt8(pick(256)) })
  case 7:
    let bytes = [UInt8](repeating: 200, count: pick(400))
    return .bytes(PickleBytes(MappedBytes(copying: bytes), isMutable: true))
  case 8: return .tuple(randomItems(&generator, depth))
  case 9: return .list(randomItems(&generator, depth))
  case 10: return .set(PickleSequence((0..<pick(5)).map { .int(Int64($0)) }))
  case 11: return .frozenSet(PickleSequence((0..<pick(5)).map { .string("k\($0)") }))
  default:
    let items = randomItems(&generator, depth)
    return .dictionary(items.enumerated().map { ("key\($0)", $1) })
  }
}

private func randomItems(_ generator: inout SeededGenerator, _ depth: Int) -> [PickleValue] {
  (0..<Int.random(in: 0..<6, using: &generator)).map { _ in
    randomValue(&generator, depth: depth + 1)
  }
}
