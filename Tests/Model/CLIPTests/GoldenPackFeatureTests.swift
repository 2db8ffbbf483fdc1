import Datasets
import Foundation
import Images
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import CLIP

/// The CLIP features that the official `dataset_tool.py` stored, with its recorded random offsets.
@Suite("Packing: Golden features")
struct GoldenPackFeatureTests {
  private struct Info: Decodable {
    var pads: [[Int]]
    var captions: [String: String]
  }

  /// Gives recorded integers in turn.
  private final class Recorded: RandomSource {
    private var values: [Int]
    init(_ values: [Int]) { self.values = values }
    func integer(in range: Range<Int>) -> Int {
      let value = values.removeFirst()
      precondition(range.contains(value), "recorded \(value) is not in \(range)")
      return value
    }
    func normal(_ shape: [Int]) -> Tensor { preconditionFailure("no normals were recorded") }
    func uniform(_ shape: [Int]) -> Tensor { preconditionFailure("no uniforms were recorded") }
  }

  /// The small CLIP with a token table for the whole vocabulary, by the formula of the goldens.
  private func model() throws -> CLIP {
    var state = try Golden("clip_tiny_state").tensors
    let (tokens, width) = (49_408, 64)
    let table = (0..<tokens * width).map { index -> Float in
      let (i, j) = index.quotientAndRemainder(dividingBy: width)
      let step = (i * 7919 + j * 104_729) % 2003 - 1001
      return Float(Double(step) / 1001 * 0.035)
    }
    state["token_embedding.weight"] = Tensor(table, shape: [tokens, width])
    let configuration = CLIPConfiguration(
      imageResolution: 224,
      vision: .transformer(layers: 2, width: 64, patch: 32, heads: 1),
      vocabularySize: tokens,
      textWidth: 64,
      textLayers: 2
    )
    let model = try CLIP(configuration, state: state)
    model.setTrainable(false)
    return model
  }

  private func features() throws -> PackFeatures {
    PackFeatures(
      try model(),
      tokenizer: try #require(publishedTokenizer),
      name: "tiny",
      sha256: "",
      view: .lafite
    )
  }

  private func worstDifference(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test(.enabled(if: publishedTokenizer != nil, "needs CLIP's vocabulary"))
  func `image and text features equal the original's`() throws {
    let tokenizer = try #require(publishedTokenizer)
    let info: Info = try Golden.json("dataset/shapes64_info.json")
    let captions = info.captions.sorted { $0.key < $1.key }.map(\.value)
    let folder = try TemporaryFolder()
    let copy = folder.file("copy.zip")
    try FileManager.default.copyItem(atPath: Golden.path("dataset/shapes64.zip"), toPath: copy)
    let theirs = try PackedDataset(copy)
    let features = PackFeatures(
      try model(),
      tokenizer: tokenizer,
      name: "tiny",
      sha256: "",
      view: .lafite,
      draw: { Recorded(info.pads[$0]) }
    )
    try #require(theirs.count == captions.count)
    var (worstImage, worstText): (Float, Float) = (0, 0)
    for index in 0..<theirs.count {
      let image = try features.embed(images: [theirs.image(at: index)], first: index)[0]
      worstImage = max(worstImage, worstDifference(image, theirs.imageFeature(at: index)))
      let lines = captions[index].split(separator: "\n").map(String.init)
      for (number, text) in try features.embed(captions: lines).enumerated() {
        let stored = theirs.textFeature(image: index, caption: number)
        worstText = max(worstText, worstDifference(text, stored))
      }
    }
    print("golden: dataset: worst error of images \(worstImage), of texts \(worstText)")
    #expect(worstImage < 1e-5 && worstText < 1e-5)
  }

  @Test(.enabled(if: publishedTokenizer != nil, "needs CLIP's vocabulary"))
  func `a caption that is too long is the mean of its parts`() throws {
    let features = try self.features()
    let part = (0..<40).map { "word\($0)" }.joined(separator: " ")
    let parts = [part, "a red cat", "a blue dog"]
    let long = try features.embed(captions: ["\(part), a red cat . , a blue dog."])[0]
    let each = try features.embed(captions: parts)
    let mean = long.indices.map { column in each.reduce(0) { $0 + $1[column] } / 3 }
    #expect(worstDifference(long, mean) < 1e-6)
    // One that fits stays whole, whatever marks are in it.
    let short = try features.embed(captions: ["a red cat, a blue dog."])[0]
    #expect(worstDifference(short, zip(each[1], each[2]).map { ($0 + $1) / 2 }) > 1e-3)
  }

  @Test(.enabled(if: publishedTokenizer != nil, "needs CLIP's vocabulary"))
  func `batching by length keeps the order of captions`() throws {
    let features = try self.features()
    // More than one batch, neither ascending nor descending.
    let captions = (0..<150).map { number in
      (0..<1 + number * 7 % 31).map { "word\(number + $0)" }.joined(separator: " ")
    }
    let together = try features.embed(captions: captions)
    for index in stride(from: 0, to: 150, by: 11) {
      let alone = try features.embed(captions: [captions[index]])[0]
      #expect(worstDifference(alone, together[index]) < 1e-5)
    }
    #expect(Set(together).count == Set(captions).count)
  }

  private func cosine(_ a: [Float], _ b: [Float]) -> Float {
    func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }

  @Test(.enabled(if: publishedTokenizer != nil, "needs CLIP's vocabulary"))
  func `bfloat16 features are close, and the precision is recorded`() throws {
    let tokenizer = try #require(publishedTokenizer)
    let (exact, rounded) = try (
      PackFeatures(model(), tokenizer: tokenizer, name: "tiny", sha256: "", view: .whole),
      PackFeatures(
        model(),
        tokenizer: tokenizer,
        name: "tiny",
        sha256: "",
        view: .whole,
        precision: .bfloat16
      )
    )
    #expect((exact.settings, rounded.settings) == ("whole", "whole bfloat16"))
    let ramp = RGBImage(
      width: 32,
      height: 32,
      pixels: (0..<32 * 32 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 / 700) }
    )
    let images = [ramp, RGBImage(width: 32, height: 32, filledWith: Color(200, 20, 90))]
    let captions = ["a red cat", "two dogs on a long road in the evening"]
    let pairs = try zip(
      exact.embed(images: images, first: 0) + exact.embed(captions: captions),
      rounded.embed(images: images, first: 0) + rounded.embed(captions: captions)
    )
    for (one, other) in pairs {
      let likeness = cosine(one, other)
      #expect(likeness > 0.999 && likeness < 1)
    }
  }

  @Test(.enabled(if: publishedTokenizer != nil, "needs CLIP's vocabulary"))
  func `the view of an image depends on its number, not on its batch`() throws {
    let features = try self.features()
    let images = [Color.black, .white, Color(9, 90, 200)].map {
      RGBImage(width: 32, height: 32, filledWith: $0)
    }
    let together = try features.embed(images: images, first: 5)
    for index in 0..<3 {
      let alone = try features.embed(images: [images[index]], first: 5 + index)[0]
      #expect(worstDifference(alone, together[index]) < 1e-5)
    }
    let elsewhere = try features.embed(images: [images[0]], first: 6)[0]
    #expect(worstDifference(elsewhere, together[0]) > 1e-4)
  }
}
