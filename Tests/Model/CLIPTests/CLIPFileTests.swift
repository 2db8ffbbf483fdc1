import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import CLIP

/// Files of NetworksTests/Fixtures/clip_namings.py: tiny models by the libraries that publish CLIP.
@Suite("CLIP files: Golden")
struct CLIPFileTests {
  private struct Recorded: Decodable {
    let image: [Float]
    let text: [Float]
  }

  private let fixtures = Repository.root.appending(path: "Tests/Model/CLIPTests/Fixtures")

  private var archive: String {
    fixtures.appending(path: "clip-openai.pt").path
  }

  private func expectOpenAI(_ model: CLIP) throws {
    let file = fixtures.appending(path: "clip_namings.json")
    let all = try JSONDecoder().decode([String: Recorded].self, from: Data(contentsOf: file))
    let golden = try #require(all["openai"])
    model.setTrainable(false)
    let pixels = formulaTensor("clip-namings/pixels", [2, 3, 32, 32])
    let tokens = Tensor(
      [62, 5, 9, 63, 0, 0, 0, 0, 62, 7, 1, 2, 3, 4, 6, 63] as [Int64],
      shape: [2, 8]
    )
    let image = Tensor(golden.image, shape: [2, 16])
    let text = Tensor(golden.text, shape: [2, 16])
    expectClose(model.encodeImage(pixels), image, rtol: 1e-4, atol: 1e-5)
    expectClose(model.encodeText(tokens), text, rtol: 1e-4, atol: 1e-5)
  }

  @Test func `a TorchScript archive like OpenAI's gives its model's features`() throws {
    let read = try CLIPFile(archive)
    #expect(read.model.configuration.activation == nil)
    #expect(read.origin.hasPrefix("as OpenAI published"))
    try expectOpenAI(read.model)
  }

  @Test func `a safetensors file without metadata is read by its names`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    let state = try CLIPFile(archive).model.state
    try SafeTensors.write(state.map { ($0.name, $0.tensor.detached().to(.float16)) }, to: path)
    try expectOpenAI(CLIPFile(path).model)
    // OpenCLIP's file beside it says what the weights do not.
    try folder.write(Array(#"{"model_cfg": {}}"#.utf8), to: "open_clip_config.json")
    let read = try CLIPFile(path)
    #expect(read.model.configuration.activation == .gelu)
    #expect(read.origin.contains("open_clip_config.json"))
    #expect(try CLIPFile(path, activation: .quickGELU).model.configuration.activation == .quickGELU)
  }

  @Test func `without the image tower the features of texts are the same`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    let model = try CLIPFile(archive).model
    try SafeTensors.write(model.state.map { ($0.name, $0.tensor.detached()) }, to: path)
    let own = folder.file("own.safetensors")
    try model.save(to: own)
    let tokens = Tensor([62, 5, 9, 63, 0, 0, 0, 0] as [Int64], shape: [1, 8])
    let expected = withoutGradients { model.encodeText(tokens) }
    for file in [archive, path, own] {
      let texts = try CLIPFile(file, towers: .texts).model
      #expect(texts.configuration == (try CLIPFile(file).model.configuration))
      expectClose(withoutGradients { texts.encodeText(tokens) }, expected, rtol: 0, atol: 0)
    }
    for name in [
      "visual.conv1.weight", "module.visual.proj", "vision_model.a", "state_dict.visual.b",
    ] {
      #expect(!CLIPTowers.texts.contain(name) && CLIPTowers.both.contain(name), "\(name)")
    }
    #expect(CLIPTowers.texts.contain("text.visual.weight"))
  }

  @Test func `without the text tower the features of images are the same`() throws {
    let folder = try TemporaryFolder()
    let own = folder.file("own.safetensors")
    let model = try CLIPFile(archive).model
    try model.save(to: own)
    let side = model.configuration.imageResolution
    let pixels = SeededRandom(seed: 4).normal([1, 3, side, side])
    let expected = withoutGradients { model.encodeImage(pixels) }
    for file in [archive, own] {
      let images = try CLIPFile(file, towers: .images).model
      #expect(images.configuration == model.configuration)
      expectClose(withoutGradients { images.encodeImage(pixels) }, expected, rtol: 0, atol: 0)
    }
    #expect(CLIPTowers.images.contain("module.visual.proj"))
    #expect(!CLIPTowers.images.contain("transformer.resblocks.0.ln_1.weight"))
  }

  @Test func `a file whose shapes ask for more than it holds is refused`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    let state = try CLIPFile(archive).model.state
    // Terabytes of weights, of which some tensors without a number speak.
    for (name, shape, complaint) in [
      ("text_projection", [0, 1_000_000], "text_projection"),
      ("visual.proj", [1, 1_000_000], "visual.proj"),
      (
        "visual.transformer.resblocks.0.attn.in_proj_weight", [3, 1],
        "visual.transformer.resblocks.0.attn.in_proj_weight"
      ),
      (
        "transformer.resblocks.0.attn.in_proj_weight", [3, 1],
        "transformer.resblocks.0.attn.in_proj_weight"
      ),
      ("visual.conv1.weight", [1_000_000, 0, 1, 16], "visual.class_embedding"),
      ("token_embedding.weight", [3, 1_000_000], "positional_embedding"),
    ] {
      var tensors = state.map { ($0.name, $0.tensor.detached().to(.float16)) }
      let index = try #require(tensors.firstIndex { $0.0 == name }, "\(name)")
      tensors[index].1 = .zeros(shape, dtype: .float16)
      try SafeTensors.write(tensors, to: path)
      let error = #expect(throws: CLIPError.self, "\(name)") { try CLIPFile(path) }
      let message = "\(try #require(error))"
      #expect(message.contains("no CLIP: \(complaint) has the shape ["), "\(message)")
    }
  }

  @Test func `a token embedding that does not match the tokenizer is refused`() throws {
    // The archive's model has 64 tokens; the published tokenizer has 49,408.
    let error = #expect(throws: CLIPError.self) { try ClipModel(path: archive) }
    let message = "\(try #require(error))"
    #expect(
      message.hasSuffix(
        "clip-openai.pt: it has vectors of 64 tokens, and the tokenizer 49408: another tokenizer's model"
      )
    )
  }

  @Test func `cut and changed archives are errors that name the file`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("bad.pt")
    let good = try Data(contentsOf: URL(filePath: archive))
    for length in [0, 3, 4, 100, good.count / 2, good.count - 1] {
      try good.prefix(length).write(to: URL(filePath: path))
      do {
        _ = try CLIPFile(path)
        Issue.record("accepted, cut to \(length)")
      } catch {
        #expect("\(error)".contains("bad.pt"), "\(error)")
        #expect(!"\(error)".contains("\n"))
      }
    }
    for round in 0..<60 {
      var bytes = good
      let offset = Int(mixed(UInt64(round), 5) % UInt64(good.count))
      bytes[offset] ^= UInt8(1 << (round % 8))
      try bytes.write(to: URL(filePath: path))
      _ = try? CLIPFile(path)
    }
  }
}
