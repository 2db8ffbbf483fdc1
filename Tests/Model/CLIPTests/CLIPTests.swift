import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import CLIP

@Suite("CLIP: Golden")
struct CLIPGoldenTests {
  private static let tiny = CLIPConfiguration(
    imageResolution: 224,
    vision: .transformer(layers: 2, width: 64, patch: 32, heads: 1),
    vocabularySize: 512,
    textWidth: 64,
    textLayers: 2
  )

  private func model() throws -> CLIP {
    let model = try CLIP(Self.tiny, state: try Golden("clip_tiny_state").tensors)
    model.setTrainable(false)
    return model
  }

  @Test func `both towers and the logits agree with the reference`() throws {
    let (model, golden) = (try model(), try Golden("clip_tiny_golden"))
    let pixels = formulaTensor("clip/px", [3, 3, 224, 224]).sliced(0, 0..<2)
    let image = model.encodeImage(pixels)
    let text = model.encodeText(golden["tokens"])
    golden.expectClose(image, "image_features", rtol: 1e-4, atol: 1e-5)
    golden.expectClose(text, "text_features", rtol: 1e-4, atol: 1e-5)
    golden.expectClose(model.logits(image, text), "logits_per_image", rtol: 1e-4, atol: 1e-5)
  }

  @Test func `the gradient with respect to the pixels agrees`() throws {
    let (model, golden) = (try model(), try Golden("clip_tiny_golden"))
    let pixels = formulaTensor("clip/px", [3, 3, 224, 224]).sliced(0, 0..<2).copy()
    pixels.requiresGradient = true
    let output = (model.encodeImage(pixels) * golden["Ri"]).sum()
    let gradient = gradient(of: output, withRespectTo: pixels)
    golden.expectClose(gradient, "dpixels", rtol: 1e-4, atol: 1e-5)
    let part = gradient.selected(0, 0).selected(0, 0)
    golden.expectClose(part, "dpixels.n0c0", rtol: 1e-4, atol: 1e-5)
  }

  @Test func `the full vocabulary agrees, through the tokenizer`() throws {
    let golden = try Golden("clip_tiny_fullvocab")
    var state = try Golden("clip_tiny_state").tensors
    let width = 64
    let table = (0..<49_408 * width).map { index -> Float in
      let (i, j) = index.quotientAndRemainder(dividingBy: width)
      let step = (i * 7919 + j * 104_729) % 2003 - 1001
      return Float(Double(step) / 1001 * 0.035)
    }
    state["token_embedding.weight"] = Tensor(table, shape: [49_408, width])
    var configuration = Self.tiny
    configuration.vocabularySize = 49_408
    let model = try CLIP(configuration, state: state)
    let features = model.encodeText(golden["tokens"]).detached()
    golden.expectClose(features, "text_features", rtol: 1e-4, atol: 1e-5)
    if let tokenizer = publishedTokenizer {
      let ids = try tokenizer.tokenize("東京タワーの夜景").map(Int64.init)
      #expect(golden["tokens"].values(Int64.self).suffix(77) == ids[...])
    }
  }

  @Test func `ViT-B/32 has the published names and shapes`() throws {
    let published: [String: [Int]] = try Golden.json("clip_vitb32_names.json")
    let configuration = try CLIPConfiguration(shapes: published)
    #expect(configuration == .vitB32)
    // The same structure with narrow layers: the names are those of the model, the shapes follow.
    var narrow = CLIPConfiguration.vitB32
    narrow.vision = .transformer(layers: 12, width: 12, patch: 32, heads: 12)
    narrow.textWidth = 8
    narrow.vocabularySize = 10
    let names = CLIP(narrow, random: SeededRandom(seed: 0)).state.map(\.name)
    #expect(Set(names) == Set(published.keys))
    #expect(names.count == 302)
  }

  @Test func `bicubic resampling agrees`() throws {
    struct Manifest: Decodable {
      struct Config: Decodable { let cases: [[Int]] }
      let config: Config
    }
    let golden = try Golden("bicubic")
    for (index, sides) in try golden.manifest(Manifest.self).config.cases.enumerated() {
      let resized = golden["\(index).x"].bicubic(height: sides[1], width: sides[1])
      golden.expectClose(resized, "\(index).y", rtol: 1e-5, atol: 1e-6)
    }
  }
}

@Suite("CLIP")
struct CLIPTests {
  private func small(_ vision: CLIPConfiguration.Vision) -> CLIPConfiguration {
    CLIPConfiguration(
      embedDimension: 16,
      imageResolution: 32,
      vision: vision,
      contextLength: 8,
      vocabularySize: 20,
      textWidth: 16,
      textHeads: 2,
      textLayers: 1
    )
  }

  @Test(arguments: [
    CLIPConfiguration.Vision.transformer(layers: 1, width: 16, patch: 16, heads: 2),
    .resnet(layers: [1, 1, 1, 1], width: 4, heads: 4),
    .convolutional(channels: [4, 8]),
  ])
  func `every tower embeds, learns and survives a file`(vision: CLIPConfiguration.Vision) throws {
    let model = CLIP(small(vision), random: SeededRandom(seed: 3))
    let pixels = formulaTensor("pixels", [4, 3, 32, 32])
    let features = model.encodeImage(pixels, training: true)
    #expect(features.shape == [4, 16])
    let all = gradients(of: [features.squared().sum()], withRespectTo: model.parameters)
    let visual = zip(model.namedParameters, all).filter { $0.0.name.hasPrefix("visual.") }
    #expect(visual.allSatisfy { $0.1 != nil })

    let folder = try TemporaryFolder()
    let path = folder.file("clip.safetensors")
    try model.save(to: path)
    let loaded = try CLIP.load(path)
    #expect(loaded.configuration == model.configuration)
    let (before, after) = withoutGradients {
      (model.encodeImage(pixels), loaded.encodeImage(pixels))
    }
    expectClose(after, before, rtol: 0, atol: 0)
  }

  @Test func `what stands behind the end mark does not change a caption`() {
    let model = CLIP(
      small(.convolutional(channels: [4])),
      random: SeededRandom(seed: 4)
    )
    let tokens = Tensor(
      [18, 5, 6, 19, 0, 0, 0, 0, 18, 5, 6, 19, 7, 8, 9, 3] as [Int64],
      shape: [2, 8]
    )
    let features = withoutGradients { model.encodeText(tokens) }
    expectClose(features.selected(0, 1), features.selected(0, 0), rtol: 0, atol: 1e-6)
    let short = withoutGradients { model.encodeText(tokens.sliced(0, 0..<1).sliced(1, 0..<4)) }
    expectClose(short.selected(0, 0), features.selected(0, 0), rtol: 1e-5, atol: 1e-6)
  }

  @Test func `a state that does not fit is refused by name`() throws {
    let configuration = small(.convolutional(channels: [4]))
    var state = CLIP(configuration, random: SeededRandom(seed: 5)).stateDictionary
    state["text_projection"] = nil
    #expect(throws: CLIPError.snapshot("missing: text_projection")) {
      try CLIP(configuration, state: state)
    }
    #expect(throws: CLIPError.snapshot("it has no tensor text_projection")) {
      try CLIPConfiguration(shapes: state.mapValues(\.shape))
    }
  }

  @Test func `a file cannot claim another model than its tensors make`() throws {
    let model = CLIP(small(.convolutional(channels: [4])), random: SeededRandom(seed: 6))
    let folder = try TemporaryFolder()
    let path = folder.file("clip.safetensors")
    let tensors = model.state.map { ($0.name, $0.tensor.detached()) }
    func write(_ configuration: String?) throws {
      let metadata = configuration.map { ["configuration": $0] } ?? [:]
      try SafeTensors.write(tensors, metadata: metadata, to: path)
    }
    // Sizes that would need petabytes are compared with the shapes before anything is allocated.
    var huge = model.configuration
    huge.textWidth = 1_000_000
    huge.textLayers = 1_000_000
    let json = String(decoding: try JSONEncoder().encode(huge), as: UTF8.self)
    for claim in [json, "{}", "no JSON", #"{"vision":{"resnet":{}}}"#] {
      try write(claim)
      #expect(throws: CLIPError.self, "\(claim)") { try CLIP.load(path) }
    }
    var other = model.configuration
    other.textHeads = 5
    try write(String(decoding: try JSONEncoder().encode(other), as: UTF8.self))
    #expect(throws: CLIPError.self) { try CLIP.load(path) }
    try write(String(decoding: try JSONEncoder().encode(model.configuration), as: UTF8.self))
    #expect(try CLIP.load(path).configuration == model.configuration)
    try SafeTensors.write([("x", .ones([1]))], to: path)
    #expect(throws: CLIPError.snapshot("it has no tensor text_projection")) {
      try CLIP.load(path)
    }
  }

  @Test func `impossible configurations are refused`() {
    var configuration = small(.convolutional(channels: [4]))
    configuration.textHeads = 3
    #expect(throws: CLIPError.self) { try configuration.validate() }
    #expect(throws: CLIPError.self) {
      try small(.transformer(layers: 1, width: 16, patch: 5, heads: 2)).validate()
    }
    #expect(throws: CLIPError.self) { try small(.convolutional(channels: [])).validate() }
    #expect(throws: CLIPError.self) {
      try small(.resnet(layers: [1, 1], width: 4, heads: 4)).validate()
    }
  }
}
