import Testing
import Torch
import TorchNN
import TorchTestSupport

private final class Leaf: Module {
  @Parameter var weight: Tensor
  @Buffer var runningMean: Tensor
  let width: Int

  init(_ width: Int) {
    self.width = width
    _weight = Parameter(wrappedValue: .ones([width]))
    _runningMean = Buffer(wrappedValue: .zeros([width]))
  }
}

private final class Tree: Module {
  let blocks: [Leaf]
  let lnPre: Leaf
  let missing: Leaf?
  let present: Leaf?
  @Parameter(key: "const") var constant: Tensor = .zeros([2, 2])

  init() {
    blocks = [Leaf(1), Leaf(2)]
    lnPre = Leaf(3)
    missing = nil
    present = Leaf(4)
  }
}

private final class Careless: Module {
  let lost: Tensor = .zeros([1])
}

private final class ListOfTensors: Module {
  let lost: [Tensor] = [.zeros([1])]
}

private final class DictionaryOfModules: Module {
  let lost = ["a": Leaf(1)]
}

private final class TupleOfModules: Module {
  let lost = (Leaf(1), 3)
}

private final class Nested: Module {
  let lost: [[Leaf]] = [[Leaf(1)]]
}

private final class MaybeTensors: Module {
  let lost: [String: Tensor]? = ["a": .zeros([1])]
}

/// Collections without state are nobody's business.
private final class Harmless: Module {
  let sizes = [1, 2]
  let names = ["a": (1, "b")]
  let none: [Tensor] = []
}

@Suite("Module")
struct ModuleTests {
  @Test func `state is found in declaration order under snake-case names`() {
    #expect(
      Tree().state.map(\.name) == [
        "blocks.0.weight", "blocks.0.running_mean", "blocks.1.weight", "blocks.1.running_mean",
        "ln_pre.weight", "ln_pre.running_mean", "present.weight", "present.running_mean", "const",
      ]
    )
  }

  @Test func `parameters are told from buffers`() {
    let tree = Tree()
    #expect(tree.parameterCount == 1 + 2 + 3 + 4 + 4)
    #expect(tree.parameters.allSatisfy { $0.requiresGradient })
    #expect(tree.state.filter { !$0.isParameter }.allSatisfy { !$0.tensor.requiresGradient })
    tree.setTrainable(false)
    #expect(!tree.parameters.contains { $0.requiresGradient })
  }

  @Test func `a bare tensor stops the program with its name`() async {
    let result = await #expect(
      processExitsWith: .failure,
      observing: [\.standardErrorContent]
    ) {
      _ = Careless().state
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("Careless.lost: mark it @Parameter or @Buffer"))
  }

  @Test func `tensors and modules that would not be saved stop the program with their name`() async
  {
    func message(_ result: ExitTest.Result?) -> String {
      String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }
    let list = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ListOfTensors().state
    }
    #expect(message(list).contains("ListOfTensors.lost: Array<Tensor> is not saved"))
    let dictionary = await #expect(
      processExitsWith: .failure,
      observing: [\.standardErrorContent]
    ) { _ = DictionaryOfModules().state }
    #expect(message(dictionary).contains("DictionaryOfModules.lost: Dictionary<String, Leaf>"))
    let tuple = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TupleOfModules().state
    }
    #expect(message(tuple).contains("TupleOfModules.lost: (Leaf, Int) is not saved"))
    let nested = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Nested().state
    }
    #expect(message(nested).contains("Nested.lost: Array<Array<Leaf>> is not saved"))
    let maybe = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = MaybeTensors().state
    }
    #expect(message(maybe).contains("MaybeTensors.lost: Dictionary<String, Tensor>"))
  }

  @Test func `collections without tensors and modules are left alone`() {
    #expect(Harmless().state.isEmpty)
  }

  @Test func `the state lives: a loaded value is seen by the module`() throws {
    let tree = Tree()
    var state = tree.stateDictionary
    state["const"] = .ones([2, 2])
    try tree.load(state)
    #expect(tree.constant.sum().item == 4)
    #expect(tree.constant.requiresGradient)
  }

  @Test func `what does not fit is named and changes nothing`() {
    let tree = Tree()
    var state = tree.stateDictionary.mapValues { $0.detached() + 1 }
    state["const"] = nil
    state["ln_pre.weight"] = .zeros([5])
    for name in ["x", "y", "z", "w"] { state[name] = .zeros([1]) }
    let mismatch = #expect(throws: StateMismatch.self) { try tree.load(state) }
    #expect(
      mismatch?.description
        == "wrong shape: ln_pre.weight is [5], not [3]; missing: const; "
        + "unexpected: w, x, y and 1 more"
    )
    #expect(tree.blocks[0].weight.item == 1)
    let byName = #expect(throws: StateMismatch.self) { try tree.load(state, matching: .byName) }
    #expect(byName?.mismatched == ["ln_pre.weight is [5], not [3]"])
    #expect(byName?.missing == [] && byName?.unexpected == [])
    state["ln_pre.weight"] = nil
    #expect(throws: Never.self) { try tree.load(state, matching: .byName) }
    #expect(tree.blocks[0].weight.item == 2 && tree.lnPre.weight.sum().item == 3)
  }

  @Test
  func
    `a module adopts the tensors of a state, converts what has another type, and refuses what does not fit`()
    throws
  {
    let tree = Tree()
    var state = tree.stateDictionary.mapValues { $0.detached() + 1 }
    state["const"] = Tensor.full([2, 2], 3).to(.bfloat16)
    let lnWeight = try #require(state["ln_pre.weight"])
    try tree.adopt(state)
    // Its memory, not a copy.
    withoutGradients { lnWeight.fill(9) }
    #expect(tree.lnPre.weight.sum().item == 27)
    #expect(tree.constant.dtype == .float32 && tree.constant.sum().item == 12)
    #expect(tree.constant.requiresGradient)
    state["const"] = nil
    let mismatch = #expect(throws: StateMismatch.self) { try tree.adopt(state) }
    #expect(mismatch?.missing == ["const"])
    #expect(tree.constant.sum().item == 12)
  }

  @Test func `a copy of the state shares nothing`() {
    let (a, b) = (Tree(), Tree())
    withoutGradients { a.constant.fill(5) }
    b.copyState(from: a)
    withoutGradients { a.constant.fill(6) }
    #expect(b.constant.sum().item == 20)
  }
}

@Suite("Layers")
struct LayerTests {
  private func set(_ module: some Module, _ values: [String: [Float]]) throws {
    let shapes = module.stateDictionary.mapValues(\.shape)
    let state = values.map { ($0, Tensor($1, shape: shapes[$0] ?? [])) }
    try module.load(Dictionary(uniqueKeysWithValues: state), matching: .byName)
  }

  @Test func `a linear layer multiplies by the transpose and adds`() throws {
    let layer = Linear(2, 2, random: SeededRandom(seed: 0))
    try set(layer, ["weight": [1, 2, 3, 4], "bias": [10, 20]])
    #expect(layer(Tensor([1, 1] as [Float], shape: [1, 2])).floats == [13, 27])
    let bare = Linear(2, 1, bias: false, random: SeededRandom(seed: 0))
    #expect(bare.state.map(\.name) == ["weight"])
  }

  @Test func `a layer norm has mean 0 and deviation 1, then scales and shifts`() throws {
    let layer = LayerNorm(2)
    try set(layer, ["weight": [2, 3], "bias": [10, 20]])
    let y = layer(Tensor([-5, 5] as [Float], shape: [1, 2]))
    expectClose(y, Tensor([8, 23] as [Float], shape: [1, 2]), rtol: 1e-5, atol: 0)
  }

  @Test func `a convolution correlates, without flipping`() throws {
    let layer = Convolution2d(1, 1, kernel: 2, random: SeededRandom(seed: 0))
    try set(layer, ["weight": [1, 2, 3, 4], "bias": [0.5]])
    let x = Tensor([1, 0, 0, 0, 0, 0, 0, 0, 1] as [Float], shape: [1, 1, 3, 3])
    #expect(layer(x).floats == [1.5, 0.5, 0.5, 4.5])
  }

  @Test func `batch normalisation uses its own or the batch's statistics`() throws {
    let layer = BatchNorm2d(1, epsilon: 0)
    try set(layer, ["running_mean": [1], "running_var": [4]])
    let x = Tensor([3, 5] as [Float], shape: [2, 1, 1, 1])
    #expect(layer(x).floats == [1, 2])
    #expect(layer(x, training: true).floats == [-1, 1])
    // Averaged with a weight of 0.1; the variance is unbiased there.
    expectClose(layer.runningMean.item, 0.9 + 0.4, rtol: 1e-6)
    expectClose(layer.runningVar.item, 3.6 + 0.2, rtol: 1e-6)
  }

  @Test func `fresh weights have the stated deviation`() {
    let random = SeededRandom(seed: 3)
    let linear = Linear(400, 100, random: random)
    expectClose(linear.weight.squared().mean().item, 1 / 400, rtol: 0.05)
    let convolution = Convolution2d(16, 64, kernel: 3, random: random)
    expectClose(convolution.weight.squared().mean().item, 2 / 144, rtol: 0.1)
  }
}
