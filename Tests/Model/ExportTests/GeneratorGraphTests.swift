import Export
import Networks
import ONNX
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// Generators as graphs of ONNX, computed by onnxruntime and by nifty.
@Suite(
  "Generators as graphs of ONNX",
  .enabled(if: ONNXRuntime.isInstalled, ONNXRuntime.reason)
)
struct GeneratorGraphTests {
  /// Of 256² with both structures of styles, narrow.
  private static let large: GeneratorConfiguration = {
    var shape = GeneratorConfiguration(resolution: 256)
    (shape.zDimension, shape.wDimension, shape.featureDimension) = (64, 64, 48)
    (shape.styleWidth, shape.mappingLayers) = (32, 8)
    (shape.channelBase, shape.channelMax, shape.structureChange) = (2048, 64, 64)
    shape.reducedPrecisionResolutions = 4
    shape.clamp = 256
    return shape
  }()

  private static let small: GeneratorConfiguration = {
    var shape = GeneratorConfiguration.small()
    shape.resolution = 32
    shape.structureChange = 8
    shape.featureScale = 3
    return shape
  }()

  @Test(arguments: [1.0, 0.5, -0.3], [1, 3])
  func `a generator of 256² paints the same images`(truncation: Double, batch: Int) throws {
    let pictures = try Pictures(Self.large)
    #expect(try pictures.worst(truncation, batch: batch) < 1e-4)
  }

  @Test func `the inputs are those that the network has`() throws {
    #expect(inputs(Self.small) == ["z", "feature", "truncation", "noise"])
    var shape = Self.small
    shape.labelDimension = 5
    #expect(inputs(shape) == ["z", "feature", "label", "truncation", "noise"])
    shape.featureDimension = 0
    #expect(inputs(shape) == ["z", "label", "truncation", "noise"])
  }

  private func inputs(_ shape: GeneratorConfiguration) -> [String] {
    let generator = Generator(shape, random: SeededRandom(seed: 1))
    return GeneratorGraph.graph(of: generator).inputNames
  }

  @Test func `classes, a feature's factor and clamps are in the graph`() throws {
    var shape = Self.small
    shape.labelDimension = 5
    // So low that it decides.
    shape.clamp = 0.7
    #expect(try Pictures(shape).worst(0.8) < 1e-4)
  }

  @Test func `StyleGAN2's own networks take no feature`() throws {
    var shape = Self.small
    shape.featureDimension = 0
    #expect(try Pictures(shape).worst(0.8) < 1e-4)
  }

  @Test func `a filter that is not symmetric keeps its direction`() throws {
    let taps = (0..<16).map { Float($0) / 120 }
    let pictures = try Pictures(Self.small) { name in
      name.hasSuffix("resample_filter") ? Tensor(taps, shape: [4, 4]) : nil
    }
    #expect(try pictures.worst(1) < 1e-4)
  }

  @Test(arguments: [Self.small, Self.large])
  func `weights in half precision paint nearly the same`(
    shape: GeneratorConfiguration
  ) throws {
    // What the weights lose by rounding; all is computed in float32.
    #expect(try Pictures(shape, half: true).worst(0.8, relative: true) < 1e-2)
    // What came in half precision loses nothing.
    let rounded = try Pictures(shape, half: true, rounding: true)
    #expect(try rounded.worst(0.8) < 1e-4)
  }

  @Test func `blocks that the network runs in reduced precision compute in float16`() throws {
    let pictures = try Pictures(Self.large, half: true, computesHalf: true)
    let worst = try pictures.worst(0.7, relative: true)
    #expect(worst < 2e-2 && worst > 1e-5)
    // Without a clamp nothing keeps the activations in the range of float16.
    var shape = Self.large
    shape.clamp = nil
    let unclamped = try Pictures(shape, half: true, computesHalf: true, rounding: true)
    #expect(try unclamped.worst(0.7) < 1e-4)
  }

  @Test func `weights that half precision cannot hold are refused`() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: ExportError.self) {
      try Pictures(Self.small, half: true, in: folder) { name in
        name == "mapping.fc1.weight" ? .full([8, 8], 70_000) : nil
      }
    }
    #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("mapping.fc1.weight holds 70000.0"))
    #expect(folder.contents.isEmpty)
  }
}

/// A generator whose every tensor matters, and its graph.
private struct Pictures {
  private let generator: Generator
  private let folder: TemporaryFolder
  private let random = SeededRandom(seed: 7)

  private var shape: GeneratorConfiguration { generator.configuration }
  private var path: String { folder.file("generator.onnx") }

  init(
    _ shape: GeneratorConfiguration,
    half: Bool = false,
    computesHalf: Bool = false,
    rounding: Bool = false,
    in folder: TemporaryFolder? = nil,
    replacing: (String) -> Tensor? = { _ in nil }
  ) throws {
    generator = Generator(shape, reducedPrecision: .float32, random: random)
    generator.setTrainable(false)
    self.folder = try folder ?? TemporaryFolder()
    for entry in generator.state {
      var value = entry.tensor.detached()
      if ["bias", "w_avg", "noise_strength"].contains(where: entry.name.hasSuffix) {
        value = value + random.normal(value.shape) * 0.3
      }
      if rounding { value = value.to(.float16).to(.float32) }
      let replacement = replacing(entry.name) ?? value
      withoutGradients { entry.tensor.assign(replacement) }
    }
    let model = ONNXModel(
      graph: GeneratorGraph.graph(of: generator, half: half, computesHalf: computesHalf),
      producer: ("nifty", "1"),
      metadata: [:]
    )
    _ = try model.write(to: self.folder.file("generator.onnx"))
  }

  /// The largest difference between onnxruntime's images and nifty's, over constant and no noise.
  ///
  /// `relative` divides it by the standard deviation of the pixels, which of random weights is any.
  func worst(_ truncation: Double, batch: Int = 2, relative: Bool = false) throws -> Float {
    let z = random.normal([batch, shape.zDimension])
    let fts = random.normal([batch, max(shape.featureDimension, 1)]).normalized()
    let labels = shape.labelDimension.map { random.uniform([batch, $0]) }
    var inputs = ["z": z, "truncation": Tensor(scalar: truncation)]
    if shape.featureDimension > 0 { inputs["feature"] = fts }
    inputs["label"] = labels
    let runs = [1.0, 0].map { noise in
      inputs.merging(["noise": Tensor(scalar: noise)]) { $1 }
    }
    let outputs = try ONNXRuntime.run(path, runs)
    let modes: [NoiseMode] = [.constant, .none]
    let golden = withoutGradients {
      modes.map {
        generator(z, fts: fts, labels: labels, truncation: truncation, noiseMode: $0)
      }
    }
    var worst: Float = 0
    for (output, image) in zip(outputs, golden) {
      let painted = try #require(output["image"])
      #expect(painted.shape == image.shape)
      let deviation = (image - image.mean()).squared().mean().item.squareRoot()
      // An image of one colour would agree with anything.
      #expect(deviation > 0.05)
      let own = zip(painted.floats, image.floats).map { abs($0 - $1) }.max() ?? .infinity
      worst = max(worst, relative ? own / Float(deviation) : own)
    }
    // What the noise changes must show.
    let changed = zip(golden[0].floats, golden[1].floats).map { abs($0 - $1) }.max() ?? 0
    #expect(changed > 0.01)
    return worst
  }
}
