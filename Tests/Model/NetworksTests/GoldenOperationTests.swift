import Networks
import Testing
import Torch
import TorchTestSupport

@Suite("Golden operations")
struct GoldenOperationTests {
  private let rtol = 1e-5
  private let atol = 2e-6

  private func case0(_ entry: [String: Any]) -> String {
    (entry["key"] as? String) ?? String(entry.int("key") ?? -1)
  }

  private func leaf(_ tensor: Tensor) -> Tensor {
    tensor.requiresGradient = true
    return tensor
  }

  @Test func `bias and activation agree in value, first and second derivatives`() throws {
    let golden = try Golden("ops_bias_act")
    let cases = try Manifest(of: "ops_bias_act.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = case0(entry)
      let activation = try #require(Activation(rawValue: entry.text("act")))
      let (x, b) = (leaf(golden["x"]), leaf(golden["b"]))
      let hasBias = entry.flag("bias")
      let y = biasActivation(
        x,
        bias: hasBias ? b : nil,
        activation: activation,
        slope: entry.double("alpha"),
        gain: entry.double("gain"),
        clamp: entry.double("clamp")
      )
      golden.expectClose(y.detached(), "y.\(key)", rtol: rtol, atol: atol)
      let all = gradients(
        of: [y * golden["R"]],
        withRespectTo: [x, b],
        createGraph: true
      )
      let dx = try #require(all[0])
      golden.expectClose(dx.detached(), "dx.\(key)", rtol: rtol, atol: atol)
      if let db = all[1] { golden.expectClose(db.detached(), "db.\(key)", rtol: rtol, atol: atol) }
      #expect(hasBias == (all[1] != nil))
      let second =
        dx.requiresGradient
        ? gradients(of: [dx * golden["V"]], withRespectTo: [x])[0] : nil
      golden.expectClose(
        second ?? Tensor.zeros(like: x),
        "d2x.\(key)",
        rtol: rtol,
        atol: atol
      )
    }
  }

  @Test func `up-sampling, filtering and down-sampling agree in value and derivative`() throws {
    let golden = try Golden("ops_upfirdn2d")
    let cases = try Manifest(of: "ops_upfirdn2d.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = case0(entry)
      let x = leaf(golden[entry["x"] == nil ? "x" : entry.text("x")])
      let filter = (entry["filter"] as? String).map { golden["filter.\($0)"] }
      let y = try resampled(x, filter, entry)
      golden.expectClose(y.detached(), "y.\(key)", rtol: rtol, atol: atol)
      if golden.contains("R.\(key)") {
        let dx = gradient(of: y * golden["R.\(key)"], withRespectTo: x)
        golden.expectClose(dx, "dx.\(key)", rtol: rtol, atol: atol)
      }
    }
    #expect(resamplingFilter([1, 3, 3, 1]).floats == golden["filter.f1331"].floats)
    expectClose(
      resamplingFilter([1, 2, 3, 4, 5, 6, 7, 8]),
      golden["filter.fsep8"],
      rtol: 1e-6,
      atol: 0
    )
    expectClose(
      resamplingFilter([1, 3, 3, 1], normalized: false, gain: 2),
      golden["filter.fnonorm_gain"],
      rtol: 1e-6,
      atol: 0
    )
  }

  private func resampled(
    _ x: Tensor,
    _ filter: Tensor?,
    _ entry: [String: Any]
  ) throws -> Tensor {
    let padding = padding(entry.ints("padding"))
    let (flip, gain) = (entry.flag("flip_filter"), entry.double("gain") ?? 1)
    func pair(_ key: String) -> (x: Int, y: Int) {
      let values = entry.ints(key)
      return (values.first ?? 1, values.last ?? 1)
    }
    switch entry.text("fn") {
    case "upfirdn2d":
      return upFirDown(
        x,
        filter: filter,
        up: pair("up"),
        down: pair("down"),
        padding: padding,
        flipFilter: flip,
        gain: gain
      )
    case "upsample2d":
      return upsampled(
        x,
        filter: try #require(filter),
        factor: entry.int("up") ?? 2,
        padding: padding,
        flipFilter: flip,
        gain: gain
      )
    case "downsample2d":
      return downsampled(
        x,
        filter: try #require(filter),
        factor: entry.int("down") ?? 2,
        padding: padding,
        flipFilter: flip,
        gain: gain
      )
    default:
      #expect(entry.text("fn") == "filter2d")
      return filtered(
        x,
        filter: try #require(filter),
        padding: padding,
        flipFilter: flip,
        gain: gain
      )
    }
  }

  private func padding(_ values: [Int]) -> Padding {
    switch values.count {
    case 0: Padding(0)
    case 1: Padding(values[0])
    default: Padding(left: values[0], right: values[1], top: values[2], bottom: values[3])
    }
  }

  @Test func `a resampled convolution agrees on every path`() throws {
    let golden = try Golden("ops_conv2d_resample")
    let cases = try Manifest(of: "ops_conv2d_resample.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = case0(entry)
      let (x, w) = (leaf(golden["x"]), leaf(golden["w.\(key)"]))
      let y = resampledConvolution(
        x,
        w,
        filter: golden["filter"],
        up: entry.int("up") ?? 1,
        down: entry.int("down") ?? 1,
        padding: padding(entry.ints("padding")),
        groups: entry.int("groups") ?? 1,
        flipWeight: entry.flag("flip_weight"),
        flipFilter: entry.flag("flip_filter")
      )
      golden.expectClose(y.detached(), "y.\(key)", rtol: rtol, atol: 1e-5)
      let all = gradients(of: [y * golden["R.\(key)"]], withRespectTo: [x, w])
      golden.expectClose(try #require(all[0]), "dx.\(key)", rtol: rtol, atol: 1e-5)
      golden.expectClose(try #require(all[1]), "dw.\(key)", rtol: rtol, atol: 2e-5)
    }
  }

  @Test func `a modulated convolution agrees with both of the original's executions`() throws {
    let golden = try Golden("ops_modulated_conv2d")
    let cases = try Manifest(of: "ops_modulated_conv2d.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = case0(entry)
      let (up, kernel) = (entry.int("up") ?? 1, entry.int("kernel") ?? 3)
      let x = leaf(golden["x"])
      let w = leaf(golden["w.k\(kernel)"])
      let s = leaf(golden["styles"])
      let n = entry.flag("noise") ? leaf(golden["noise.up\(up)"]) : nil
      let y = modulatedConvolution(
        x,
        weight: w,
        styles: s,
        noise: n,
        up: up,
        padding: entry.int("padding") ?? 0,
        filter: golden["filter"],
        demodulate: entry.flag("demodulate"),
        flipWeight: entry.flag("flip_weight")
      )
      golden.expectClose(y.detached(), "y.\(key)", rtol: rtol, atol: 1e-5)
      let all = gradients(
        of: [y * golden["R.up\(up)"]],
        withRespectTo: [x, w, s] + (n.map { [$0] } ?? []),
        createGraph: true
      )
      let names = ["dx", "dw", "ds", "dn"]
      for (name, value) in zip(names, all) {
        let value = try #require(value)
        golden.expectClose(value.detached(), "\(name).\(key)", rtol: 2e-5, atol: 2e-5)
      }
      let second = gradients(of: [try #require(all[2]).squared()], withRespectTo: [w, s])
      golden.expectClose(
        second[0] ?? Tensor.zeros(like: w),
        "d2w.\(key)",
        rtol: 5e-5,
        atol: 2e-4
      )
      golden.expectClose(
        second[1] ?? Tensor.zeros(like: s),
        "d2s.\(key)",
        rtol: 5e-5,
        atol: 2e-4
      )
    }
  }
}
