import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import CLIP

/// Made by Fixtures/clip_namings.py with the libraries that publish CLIP's weights.
struct RecordedCLIP: Decodable {
  let shapes: [String: [Int]]
  let image: [Float]
  let text: [Float]

  static func all() throws -> [String: RecordedCLIP] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/clip_namings.json")
    return try JSONDecoder().decode([String: RecordedCLIP].self, from: Data(contentsOf: file))
  }

  /// The weights by the rule of the script: formula tensors rounded to half precision.
  var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (name, shape) in shapes { state[name] = Self.weight(name, shape).to(.float16) }
    return state
  }

  private static func weight(_ name: String, _ shape: [Int]) -> Tensor {
    let salt = "clip-namings/"
    if shape.isEmpty { return Tensor(scalar: log(1 / 0.07)) }
    if shape.count == 1, name.hasSuffix("weight") {
      return formulaTensor(name, shape, scale: 0.2, offset: 1, salt: salt)
    }
    if name.hasSuffix("bias") { return formulaTensor(name, shape, scale: 0.1, salt: salt) }
    let fanIn = shape.count > 1 ? shape.dropFirst().reduce(1, *) : shape[0]
    return formulaTensor(name, shape, scale: pow(Double(fanIn), -0.5), salt: salt)
  }

  /// Expects a model to give the recorded features.
  func expect(_ model: CLIP, rtol: Double = 1e-4, atol: Double = 1e-5) {
    model.setTrainable(false)
    let pixels = formulaTensor("clip-namings/pixels", [2, 3, 32, 32])
    let tokens = Tensor(
      [62, 5, 9, 63, 0, 0, 0, 0, 62, 7, 1, 2, 3, 4, 6, 63] as [Int64],
      shape: [2, 8]
    )
    let golden = (Tensor(image, shape: [2, 16]), Tensor(text, shape: [2, 16]))
    expectClose(model.encodeImage(pixels), golden.0, rtol: rtol, atol: atol, "image")
    expectClose(model.encodeText(tokens), golden.1, rtol: rtol, atol: atol, "text")
  }
}

@Suite("CLIP namings: Golden")
struct CLIPNamingTests {
  @Test(arguments: [
    ("openai", CLIPNaming.openCLIP, CLIPHints()),
    (
      "huggingface quick_gelu", .huggingFace,
      CLIPHints(activation: .quickGELU, textHeads: 2, visionHeads: 4)
    ),
    (
      "huggingface gelu", .huggingFace,
      CLIPHints(activation: .gelu, textHeads: 2, visionHeads: 4)
    ),
    ("openclip quick_gelu", .openCLIP, CLIPHints(textHeads: 2, visionHeads: 4)),
    ("openclip gelu", .openCLIP, CLIPHints(activation: .gelu, textHeads: 2, visionHeads: 4)),
    (
      "openclip custom gelu", .openCLIP,
      CLIPHints(activation: .gelu, textHeads: 2, visionHeads: 4)
    ),
  ])
  func `features under a library's names are the library's`(
    name: String,
    naming: CLIPNaming,
    hints: CLIPHints
  ) throws {
    let recorded = try #require(try RecordedCLIP.all()[name])
    var found: CLIPNaming?
    let model = try CLIP(published: recorded.state) {
      found = $0
      return hints
    }
    #expect(found == naming)
    recorded.expect(model)
    // What nifty writes keeps the activation and the heads.
    let folder = try TemporaryFolder()
    let path = folder.file("clip.safetensors")
    try model.save(to: path)
    recorded.expect(try CLIP.load(path))
  }

  @Test func `the wrong activation or number of heads is another model`() throws {
    let recorded = try #require(try RecordedCLIP.all()["huggingface gelu"])
    for hints in [
      CLIPHints(activation: .quickGELU, textHeads: 2, visionHeads: 4),
      CLIPHints(activation: .gelu, textHeads: 4, visionHeads: 4),
    ] {
      let model = try CLIP(published: recorded.state) { _ in hints }
      model.setTrainable(false)
      let tokens = Tensor([62, 5, 9, 63, 0, 0, 0, 0] as [Int64], shape: [1, 8])
      let text = model.encodeText(tokens).floats
      let difference = zip(text, recorded.text).map { abs($0 - $1) }.max() ?? 0
      #expect(difference > 1e-3)
    }
  }

  @Test func `Hugging Face's ViT-B/32 has exactly the 302 published tensors`() throws {
    let published: [String: [Int]] = try Golden.json("clip_vitb32_names.json")
    // Their names for twelve layers, from those of the recorded two.
    let recorded = try #require(try RecordedCLIP.all()["huggingface gelu"])
    var names: Set<String> = []
    for name in recorded.shapes.keys {
      let parts = name.components(separatedBy: ".layers.0.")
      if parts.count == 2 {
        for layer in 0..<12 { names.insert("\(parts[0]).layers.\(layer).\(parts[1])") }
      } else if !name.contains(".layers.") {
        names.insert(name)
      }
    }
    // Every tensor of one shape: only the names matter here.
    let state = Dictionary(uniqueKeysWithValues: names.map { ($0, Tensor.zeros([1, 1])) })
    let unified = try CLIPNaming.unified(state).state
    #expect(Set(unified.keys) == Set(published.keys))
    #expect(unified.count == 302)
  }

  @Test func `prefixes of tensor names are stripped`() throws {
    let recorded = try #require(try RecordedCLIP.all()["openai"])
    var state: [String: Tensor] = [:]
    for (name, tensor) in recorded.state { state["state_dict.module." + name] = tensor }
    recorded.expect(try CLIP(published: state) { _ in CLIPHints() })
  }

  @Test func `parts that are missing or do not fit are named`() throws {
    let recorded = try #require(try RecordedCLIP.all()["huggingface gelu"])
    func refusal(_ change: (inout [String: Tensor]) -> Void) -> String {
      var state = recorded.state
      change(&state)
      do { _ = try CLIP(published: state) { _ in CLIPHints(textHeads: 2, visionHeads: 4) } } catch {
        return "\(error)"
      }
      return "accepted"
    }
    let layer = "vision_model.encoder.layers.0.self_attn"
    #expect(refusal { _ in } == "accepted")
    #expect(refusal { $0["\(layer).k_proj.weight"] = nil }.contains("k_proj.weight"))
    #expect(refusal { $0["\(layer).v_proj.bias"] = .zeros([7]) }.contains("v_proj.bias"))
    #expect(refusal { $0["text_projection.weight"] = .zeros([7]) }.contains("text_projection"))
    #expect(refusal { $0["vision_model.head.weight"] = .zeros([7]) }.contains("unexpected"))
    #expect(refusal { $0 = ["vision_model.x": .zeros([1])] }.contains("text_projection"))
  }

  @Test func `files beside the weights are read, and refused when they are none`() throws {
    let openCLIP = """
      {"model_cfg": {"embed_dim": 512, "vision_cfg": {"width": 1280, "head_width": 80},
       "text_cfg": {"heads": 16}}}
      """
    let found = try CLIPHints(openCLIP: Data(openCLIP.utf8))
    #expect(found == CLIPHints(activation: .gelu, textHeads: 16, visionHeads: 16))
    let quick = try CLIPHints(openCLIP: Data(#"{"model_cfg": {"quick_gelu": true}}"#.utf8))
    #expect(quick == CLIPHints(activation: .quickGELU))
    let theirs =
      #"{"text_config": {"hidden_act": "gelu"}, "vision_config": {"hidden_act": "gelu"}}"#
    #expect(try CLIPHints(huggingFace: Data(theirs.utf8)).activation == .gelu)
    #expect(try CLIPHints(huggingFace: Data("{}".utf8)).activation == .quickGELU)
    #expect(throws: CLIPError.self) { try CLIPHints(openCLIP: Data("{}".utf8)) }
    #expect(throws: CLIPError.self) { try CLIPHints(huggingFace: Data("[1".utf8)) }
    let mixed = #"{"text_config": {"hidden_act": "gelu"}}"#
    #expect(throws: CLIPError.self) { try CLIPHints(huggingFace: Data(mixed.utf8)) }
  }
}
