import Foundation
public import Torch
public import TorchNN

/// Makes text features of image features: the learned perturbation of LAFITE-NN (arXiv 2111.13792,
/// section 3.1).
///
/// A Gaussian around the image feature h whose mean and deviation are networks of h:
/// h' = normalise(h + m(h) + ε ⊙ exp(s(h))), ε from N(0, I). The published code does not hold it, so
/// sizes and training are ours.
public final class TextMapper: Module, PseudoTextSource {
  /// The shape of a mapper.
  public struct Configuration: Codable, Equatable, Sendable {
    /// Numbers per CLIP feature, F.
    public var featureDimension: Int
    /// Width of the hidden layers.
    public var width: Int
    /// Layers of each of the two networks.
    public var layers = 4

    /// A shape.
    public init(featureDimension: Int, width: Int? = nil) {
      self.featureDimension = featureDimension
      self.width = width ?? featureDimension
    }
  }

  /// Its shape.
  public let configuration: Configuration
  private let mean: [FullyConnectedLayer]
  private let deviation: [FullyConnectedLayer]

  /// A mapper with fresh weights.
  public init(_ configuration: Configuration, random: any RandomSource) {
    self.configuration = configuration
    mean = Self.network(configuration, random)
    deviation = Self.network(configuration, random)
  }

  private static func network(
    _ configuration: Configuration,
    _ random: any RandomSource
  ) -> [FullyConnectedLayer] {
    let F = configuration.featureDimension
    let hidden = [Int](repeating: configuration.width, count: configuration.layers - 1)
    let widths = [F] + hidden + [F]
    let layers = (0..<configuration.layers).map { index in
      FullyConnectedLayer(
        widths[index],
        widths[index + 1],
        activation: index == configuration.layers - 1 ? .linear : .leakyReLU,
        random: random
      )
    }
    // At first the centre is the image feature itself and the deviation the same for all.
    withoutGradients { layers.last.map { $0.weight.adopt(.zeros($0.weight.shape)) } }
    return layers
  }

  /// The centre and the logarithm of the deviation of the text feature.
  ///
  /// - Parameter images: CLIP features of images, unit length, [N, F].
  /// - Returns: Both [N, F]; the centre is not of unit length.
  public func distribution(_ images: Tensor) -> (centre: Tensor, logDeviation: Tensor) {
    let F = Double(configuration.featureDimension)
    // Components of a unit vector are of size 1/√F; the layers want and give values near 1.
    let x = images * F.squareRoot()
    let centre = images + mean.reduce(x) { $1($0) } / F.squareRoot()
    // A tenth of the feature's length at first.
    let logDeviation = deviation.reduce(x) { $1($0) } * 0.1 - log(10 * F.squareRoot())
    return (centre, logDeviation.clamped(from: -12, to: 2))
  }

  /// Text features of image features.
  ///
  /// - Parameters:
  ///   - images: CLIP features of images, unit length, [N, F].
  ///   - noise: ε, from N(0, I), [N, F].
  /// - Returns: Unit length, [N, F].
  public func callAsFunction(_ images: Tensor, noise: Tensor) -> Tensor {
    let (centre, logDeviation) = distribution(images)
    return (centre + noise * logDeviation.exponential()).normalized()
  }
}

/// A file that holds no text mapper, in one line.
public struct TextMapperError: Error, Equatable, CustomStringConvertible {
  /// What is wrong with which file.
  public let description: String
}

/// Mappers as safetensors files: the shape as JSON in the metadata.
extension TextMapper {
  private static let format = "nifty-text-mapper"

  /// Writes the mapper, atomically.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - notes: Kept as metadata: the CLIP it belongs to.
  /// - Throws: `FileError` if the file cannot be written.
  public func save(to path: String, notes: [String: String] = [:]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var metadata = notes
    metadata["format"] = Self.format
    metadata["configuration"] = String(
      decoding: try encoder.encode(configuration),
      as: UTF8.self
    )
    try SafeTensors.write(
      state.map { ($0.name, $0.tensor.detached()) },
      metadata: metadata,
      to: path
    )
  }

  /// Reads a mapper that `save` wrote.
  ///
  /// - Parameter path: The file.
  /// - Returns: The mapper and its notes.
  /// - Throws: `TextMapperError` if the file holds no mapper, else an error of reading.
  public static func load(_ path: String) throws -> (mapper: TextMapper, notes: [String: String]) {
    let file = try SafeTensors(path: path)
    func refuse(_ reason: String) -> TextMapperError {
      TextMapperError(
        description: "\(path) holds no text mapper (\(reason)); make one with "
          + "nifty clip mapper"
      )
    }
    guard file.metadata["format"] == format, let json = file.metadata["configuration"],
      let shape = try? JSONDecoder().decode(Configuration.self, from: Data(json.utf8))
    else { throw refuse("it does not say so") }
    let sizes = 1...65_536
    guard sizes.contains(shape.featureDimension), sizes.contains(shape.width),
      (1...64).contains(shape.layers)
    else { throw refuse("its description makes no sense") }
    // What is not in the file is not allocated.
    let first = file.entries["mean.0.weight"]?.shape
    guard
      first == [shape.layers == 1 ? shape.featureDimension : shape.width, shape.featureDimension],
      file.entries.count == 4 * shape.layers
    else { throw refuse("its tensors are not those of its description") }
    let mapper = TextMapper(shape, random: UninitializedSource())
    do throws(StateMismatch) { try mapper.adopt(file.all()) } catch {
      throw refuse(error.description)
    }
    return (mapper, file.metadata.filter { !["format", "configuration"].contains($0.key) })
  }
}
