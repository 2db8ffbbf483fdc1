import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Golden layers")
struct GoldenLayerTests {
  private let random = SeededRandom(seed: 0)

  private func leaf(_ tensor: Tensor) -> Tensor {
    tensor.requiresGradient = true
    return tensor
  }

  @Test func `a fully connected layer agrees in value and derivatives`() throws {
    let golden = try Golden("ops_layers")
    let config = try Manifest(of: "ops_layers.safetensors").config
    let cases = config["fc_cases"] as? [[String: Any]] ?? []
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = entry.int("key") ?? -1
      let w = golden["fc.w.\(key)"]
      let layer = FullyConnectedLayer(
        w.size(1),
        w.size(0),
        bias: entry.flag("bias"),
        activation: try #require(Activation(rawValue: entry.text("activation"))),
        learningRateMultiplier: entry.double("lr_multiplier") ?? 1,
        biasInit: entry.double("bias_init") ?? 0,
        random: random
      )
      var state = ["weight": w]
      if entry.flag("bias") { state["bias"] = golden["fc.b.\(key)"] }
      try layer.load(state)
      let x = leaf(golden["n2m.x"])
      let y = layer(x)
      golden.expectClose(y.detached(), "fc.y.\(key)", rtol: 1e-5, atol: 1e-6)
      let all = gradients(of: [y * golden["fc.R"]], withRespectTo: [x] + layer.parameters)
      let names = ["dx", "dw", "db"]
      for (name, value) in zip(names, all) {
        golden.expectClose(
          try #require(value),
          "fc.\(name).\(key)",
          rtol: 1e-5,
          atol: 2e-6
        )
      }
    }
    golden.expectClose(
      normalizedSecondMoment(golden["n2m.x"]),
      "n2m.y",
      rtol: 1e-6,
      atol: 1e-6
    )
  }

  @Test func `the minibatch deviation agrees for every group size`() throws {
    let golden = try Golden("ops_layers")
    let config = try Manifest(of: "ops_layers.safetensors").config
    let cases = config["mbstd_cases"] as? [[String: Any]] ?? []
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = entry.int("key") ?? -1
      let x = leaf(golden["mbstd.x.\(key)"])
      let y = minibatchStandardDeviation(
        x,
        groupSize: entry.int("group_size"),
        channels: entry.int("num_channels") ?? 1
      )
      golden.expectClose(y.detached(), "mbstd.y.\(key)", rtol: 1e-6, atol: 1e-6)
      let dx = gradient(of: y * golden["mbstd.R.\(key)"], withRespectTo: x)
      golden.expectClose(dx, "mbstd.dx.\(key)", rtol: 1e-5, atol: 1e-5)
    }
  }

  @Test func `a convolution layer agrees in value and derivatives`() throws {
    let golden = try Golden("ops_conv2dlayer")
    let cases = try Manifest(of: "ops_conv2dlayer.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = entry.int("key") ?? -1
      let w = golden["w.\(key)"]
      let layer = ConvolutionLayer(
        w.size(1),
        w.size(0),
        kernel: entry.int("kernel") ?? 3,
        bias: entry.flag("bias"),
        activation: try #require(Activation(rawValue: entry.text("activation"))),
        up: entry.int("up") ?? 1,
        down: entry.int("down") ?? 1,
        clamp: entry.double("conv_clamp"),
        random: random
      )
      var state = ["weight": w]
      if entry.flag("bias") { state["bias"] = golden["b.\(key)"] }
      try layer.load(state, matching: .byName)
      let x = leaf(golden["x"])
      let y = layer(x, gain: entry.double("gain") ?? 1)
      golden.expectClose(y.detached(), "y.\(key)", rtol: 1e-5, atol: 1e-5)
      let all = gradients(of: [y * golden["R.\(key)"]], withRespectTo: [x] + layer.parameters)
      for (name, value) in zip(["dx", "dw", "db"], all) {
        golden.expectClose(try #require(value), "\(name).\(key)", rtol: 1e-5, atol: 2e-5)
      }
    }
  }
}
