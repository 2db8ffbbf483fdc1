import Files
import Foundation
import Pickle
import TestSupport
import Testing

@Suite struct ModuleStateTests {
  @Test func `a module that is written reads back`() throws {
    let module = linear(weight: [1, 2, 3, 4, 5, 6], shape: [2, 3])
    let network = PickleValue.instance(
      of: .global("training.networks", "Generator"),
      state: .dictionary([
        ("z_dim", 64), ("_parameters", .dictionary([("absent", nil)])),
        (
          "_buffers",
          .dictionary([("w_avg", tensor([0.5, 0.25], [2])), ("scratch", tensor([9], [1]))])
        ),
        ("_non_persistent_buffers_set", .set(PickleSequence(["scratch"]))),
        ("_modules", .dictionary([("mapping", module), ("none", nil), ("fc", module)])),
        ("_init_kwargs", .dictionary([("z_dim", 64)])), ("_forward_hooks", .orderedDictionary([])),
      ])
    )
    let bytes = try PickleWriter.bytes(of: .dictionary([("G", network)]))
    let pickle = try Pickle(MappedBytes(copying: bytes))
    let state = try ModuleState(try #require(pickle.root["G"]))
    #expect(state.className == "Generator")
    #expect(state.tensors.map(\.name) == ["w_avg", "mapping.weight", "fc.weight"])
    #expect(state.tensors[0].tensor.contiguousFloats() == [0.5, 0.25])
    #expect(state.tensors[1].tensor.shape == [2, 3])
    #expect(state.tensors[2].tensor.contiguousFloats() == [1, 2, 3, 4, 5, 6])
    #expect(state.attributes.map(\.name) == ["z_dim"])
    #expect(state.initKeywordArguments["z_dim"]?.int == 64)
  }

  @Test(.enabled(if: torchPython != nil, "PyTorch is not installed in .deps"))
  func `PyTorch loads tensors that are written`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/tensors.pkl"
      let half = MappedBytes(copying: [0x00, 0x3C, 0x00, 0xC0])
      let value: PickleValue = .dictionary([
        ("weight", tensor([1, 2, 3, 4, 5, 6], [2, 3], isParameter: true)),
        ("scalar", tensor([0.5], [])), ("empty", tensor([], [0, 3])),
        ("half", .tensor(half, type: .float16, shape: [2], isParameter: false)),
      ])
      try PickleWriter.write(value, to: path)
      let script = """
        import pickle, sys
        for name, t in pickle.load(open(sys.argv[1], "rb")).items():
            print(name, type(t).__name__, str(t.dtype), list(t.shape), t.flatten().tolist())
        """
      let output = try run(try #require(torchPython), ["-c", script, path])
      #expect(
        output == """
          weight Parameter torch.float32 [2, 3] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
          scalar Tensor torch.float32 [] [0.5]
          empty Tensor torch.float32 [0, 3] []
          half Tensor torch.float16 [2] [1.0, -2.0]

          """
      )
    }
  }

  @Test func `mutations of a module end in tensors or errors`() throws {
    let module = linear(weight: [1, 2, 3, 4, 5, 6], shape: [2, 3])
    let source = try PickleWriter.bytes(of: module)
    var generator = SeededGenerator(state: 11)
    let rounds = Int(ProcessInfo.processInfo.environment["NIFTY_FUZZ_ROUNDS"] ?? "") ?? 2000
    var opened = 0
    for _ in 0..<rounds {
      var bytes = source
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let offset = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[offset] = UInt8.random(in: 0...255, using: &generator)
      }
      guard let pickle = try? pickle(bytes), let state = try? ModuleState(pickle.root) else {
        continue
      }
      opened += 1
      for (_, tensor) in state.tensors where tensor.count < 1000 {
        #expect(tensor.contiguousFloats().count == tensor.count)
      }
    }
    #expect(opened > 0 && opened < rounds)
  }

  @Test func `a module inside itself is refused`() throws {
    // The writer builds trees only, so that the cycle is said in opcodes.
    var bytes =
      ascii("cm\nC\n)") + [0x81] + ascii("q\u{0}}(V_parameters\n}V_buffers\n}V_modules\n}")
    bytes += ascii("Vself\nh\u{0}sub.")
    #expect {
      let pickle = try pickle(bytes)
      _ = try ModuleState(pickle.root)
    } throws: { error in
      if case .limit? = error as? PickleError { true } else { false }
    }
  }

  @Test(.enabled(if: snapshotFolder != nil, "NIFTY_GOLDENS or Tests/Goldens has no snapshot"))
  func `opens a snapshot of LAFITE's own training loop`() throws {
    let folder = try #require(snapshotFolder)
    let path = folder.appending(path: "network-snapshot-000000.pkl")
    let pickle = try Pickle(MappedBytes(copying: Array(try Data(contentsOf: path))))
    #expect(
      pickle.root.entries?.map(\.key.string).suffix(4) == ["G", "D", "G_ema", "augment_pipe"]
    )
    for (key, name) in [("G", "Generator"), ("D", "Discriminator"), ("G_ema", "Generator")] {
      let module = try ModuleState(try #require(pickle.root[key]))
      #expect(module.className == name)
      #expect(module.initKeywordArguments["img_resolution"]?.int == 32)
      let golden = try SafetensorsHeader(folder.appending(path: "state_\(key)_digest.safetensors"))
      #expect(Set(module.tensors.map(\.name)) == golden.baseNames)
      var compared = 0
      for (name, tensor) in module.tensors {
        guard let entry = golden.entries[name] else { continue }
        #expect(tensor.shape == entry.shape, "\(name)")
        #expect(tensor.contiguousBytes() == entry.bytes, "\(name)")
        compared += 1
      }
      #expect(compared > 20)
    }
    let options = try #require(pickle.root["args"])
    #expect(options["loss_kwargs"]?["r1_gamma"]?.double == 1.7)
    #expect(options["temp"]?.double == 0.5)
  }
}

private func tensor(_ values: [Float], _ shape: [Int], isParameter: Bool = false) -> PickleValue {
  .tensor(
    MappedBytes(copying: values.flatMap { withUnsafeBytes(of: $0, Array.init) }),
    type: .float32,
    shape: shape,
    isParameter: isParameter
  )
}

private func linear(weight: [Float], shape: [Int]) -> PickleValue {
  let state: PickleValue = .dictionary([
    ("_parameters", .dictionary([("weight", tensor(weight, shape, isParameter: true))])),
    ("_buffers", .dictionary([])), ("_modules", .orderedDictionary([])),
  ])
  return .call(
    .global("torch_utils.persistence", "_reconstruct_persistent_obj"),
    [.dictionary([("type", "class"), ("class_name", "FullyConnectedLayer"), ("state", state)])]
  )
}

private let snapshotFolder: URL? = {
  let goldens =

    Repository.goldens
  let folder = goldens.appending(path: "snapshot")
  let file = folder.appending(path: "network-snapshot-000000.pkl")
  return FileManager.default.fileExists(atPath: file.path) ? folder : nil
}()

/// As much of the safetensors format as the comparison needs.
private struct SafetensorsHeader {
  var entries: [String: (shape: [Int], bytes: [UInt8])] = [:]

  init(_ url: URL) throws {
    let data = Array(try Data(contentsOf: url))
    let length = data.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    let json = try JSONSerialization.jsonObject(with: Data(data[8..<8 + length]))
    for (name, value) in try #require(json as? [String: [String: Any]]) {
      guard let shape = value["shape"] as? [Int], let range = value["data_offsets"] as? [Int] else {
        continue
      }
      entries[name] = (shape, Array(data[8 + length + range[0]..<8 + length + range[1]]))
    }
  }

  /// The names without the marks of digests of large tensors.
  var baseNames: Set<String> { Set(entries.keys.map { String($0.prefix { $0 != "#" }) }) }
}
