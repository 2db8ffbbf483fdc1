import Files
import Foundation
import Pickle
import Testing

/// Small pickles of modules that would take for ever, or all memory, to unfold.
@Suite("Hostile modules")
struct HostileModuleTests {
  private func module(
    parameters: PickleValue = .dictionary([]),
    modules: PickleValue = .dictionary([]),
    more: [(String, PickleValue)] = []
  ) -> PickleValue {
    .instance(
      of: .global("training.networks", "Layer"),
      state: .dictionary(
        more + [("_parameters", parameters), ("_buffers", .dictionary([])), ("_modules", modules)]
      )
    )
  }

  /// Writes a value, reads it again and opens it as a module, which must be refused.
  private func refusal(_ value: PickleValue) throws -> (error: PickleError?, time: Duration) {
    let bytes = try PickleWriter.bytes(of: value)
    let start = ContinuousClock.now
    let error = #expect(throws: PickleError.self) {
      _ = try ModuleState(Pickle(MappedBytes(copying: bytes)).root)
    }
    return (error, ContinuousClock.now - start)
  }

  private func expectLimit(_ value: PickleValue, within bound: Duration = .seconds(20)) throws {
    let (error, time) = try refusal(value)
    guard case .limit? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(time < bound)
  }

  @Test func `a module shared by its own levels does not unfold`() throws {
    var level = module()
    for _ in 0..<50 { level = module(modules: .dictionary([("a", level), ("b", level)])) }
    try expectLimit(level)
  }

  @Test func `a wide module that is referenced many times is not searched again and again`() throws
  {
    let wide = module(more: (0..<20_000).map { ("\($0)", 0) })
    try expectLimit(module(modules: .dictionary((0..<5000).map { ("m\($0)", wide) })))
  }

  @Test func `long names that many modules share do not multiply`() throws {
    var level = module()
    for _ in 0..<20 {
      level = module(
        modules: .dictionary((0..<4).map { (String(repeating: "n", count: 200) + "\($0)", level) })
      )
    }
    try expectLimit(level)
    let name = String(repeating: "n", count: 1 << 20)
    try expectLimit(module(modules: .dictionary([(name, module())])))
  }

  private func rebuild(_ storage: PickleValue, shape: [PickleValue]) -> PickleValue {
    .call(
      .global("torch._utils", "_rebuild_tensor_v2"),
      [storage, 0, .tuple(shape), .tuple(shape), false, .orderedDictionary([])]
    )
  }

  @Test func `a tensor of thousands of dimensions is refused before they are read`() throws {
    let storage = PickleValue.call(.global("torch.storage", "_load_from_bytes"), [.bytes([])])
    let shape = [PickleValue](repeating: 1, count: 1 << 14)
    let tensor = rebuild(storage, shape: shape)
    let (error, _) = try refusal(module(parameters: .dictionary([("w", tensor)])))
    #expect(error?.description.contains("unknown form") == true)
  }

  @Test func `storages with endless names are refused`() throws {
    let id: PickleValue = .tuple([
      "storage", .global("torch", "FloatStorage"), .string(String(repeating: "k", count: 1 << 16)),
      "cpu", 1, .none,
    ])
    let bytes = try PickleWriter.bytes(of: .persistent(PicklePersistent(id)), version: .two)
    let header: [UInt8] =
      [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
      + [0x80, 2, 0x4D, 0xE9, 3, 0x2E, 0x80, 2, 0x7D, 0x2E]
    #expect {
      try TorchArchive(MappedBytes(copying: header + bytes + [0x80, 2, 0x5D, 0x2E]))
    } throws: { error in
      if case .limit? = error as? PickleError { true } else { false }
    }
  }

  @Test func `numbers of thousands of digits are read in time`() throws {
    // 10^4000 − 1 two hundred times: 800 kB, some thirty seconds digit by digit in a debug build.
    let line = ascii("I" + String(repeating: "9", count: 4000) + "\n0")
    let bytes = Array([[UInt8]](repeating: line, count: 200).joined()) + ascii("I-1000000000000\n.")
    let start = ContinuousClock.now
    #expect(try pickle(bytes).root.int == -1_000_000_000_000)
    #expect(ContinuousClock.now - start < .seconds(20))
    // 2^127 + 12345 and its negative, in two's complement.
    let text = "170141183460469231731687303715884118073"
    guard case .bigInt(let positive) = try pickle(ascii("I\(text)\n.")).root,
      case .bigInt(let negative) = try pickle(ascii("I-\(text)\n.")).root
    else {
      Issue.record("no large integers")
      return
    }
    #expect(positive == [0x39, 0x30] + [UInt8](repeating: 0, count: 13) + [0x80, 0])
    #expect(negative == [0xC7, 0xCF] + [UInt8](repeating: 0xFF, count: 13) + [0x7F, 0xFF])
  }
}
