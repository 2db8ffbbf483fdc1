import Files
import Foundation
package import Networks
package import Torch

/// The styles and conditions of pictures in a file, as `nifty project` writes them.
package struct RecordedStyles {
  /// The names of the tensors in the file.
  private static let (stylesName, featuresName) = ("ws", "fts")

  /// The file's name without its folder.
  package let name: String
  /// Styles, [N, wCount, wDimension].
  package let ws: Tensor
  /// Conditions of unit length, [N, featureDimension].
  package let fts: Tensor

  /// Whether a file of recorded latents holds styles instead.
  package static func areIn(_ file: SafeTensors) -> Bool { file[stylesName] != nil }

  /// Reads the styles of a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - generator: Paints them later.
  /// - Throws: `SamplingError` where a tensor is missing or does not fit the generator; what reading throws.
  package init(_ path: String, for generator: Generator) throws {
    let file = try SafeTensors(path: path)
    let shape = generator.configuration
    let width = [generator.mapping.wCount, shape.wDimension]
    ws = try Self.tensor(Self.stylesName, of: file, path, width: width)
    fts = try Self.tensor(Self.featuresName, of: file, path, width: [shape.featureDimension])
    guard ws.size(0) == fts.size(0) else {
      throw SamplingError("\(path): \(ws.size(0)) rows of ws, but \(fts.size(0)) of fts")
    }
    name = URL(filePath: path).lastPathComponent
  }

  /// Writes the styles of one picture, atomically.
  package static func write(ws: Tensor, fts: Tensor, to path: String) throws {
    try SafeTensors.write([(stylesName, ws), (featuresName, fts)], to: path)
  }

  private static func tensor(
    _ name: String,
    of file: SafeTensors,
    _ path: String,
    width: [Int]
  ) throws -> Tensor {
    guard let tensor = file[name] else {
      throw SamplingError("\(path) holds no \(name); nifty project writes such files")
    }
    let fits = tensor.shape.dropFirst().elementsEqual(width) && tensor.size(0) > 0
    guard fits else {
      let sizes = width.map(String.init).joined(separator: ", ")
      throw SamplingError("\(path): \(name) is \(tensor.shape), not [N, \(sizes)] as this network")
    }
    return tensor.to(.float32)
  }
}
