import Networks
import Text
import Torch
import TorchNN

/// The table of a network's layers in the first lines of a run: parameters, output, type.
///
/// All sizes are those of the actual tensors; only a layer's position is read from its name.
struct LayerTable {
  /// One layer.
  struct Row: Equatable {
    /// Its path in the network, without its style's.
    let name: String
    /// Trained values.
    var parameters: Int
    /// The shape of its output, for a whole batch.
    let output: [Int]
    /// The type that it computes in.
    let type: DType

    /// Bytes of its output.
    var bytes: Int { output.reduce(type.byteCount, *) }
  }

  /// The network's name.
  let title: String
  /// The layers in order.
  let rows: [Row]

  /// The layers of a generator.
  ///
  /// - Parameters:
  ///   - generator: The generator.
  ///   - batch: Images per pass.
  ///   - reduced: The type of the blocks in reduced precision.
  init(_ generator: Generator, batch: Int, reduced: DType) {
    let shape = generator.configuration
    let blocks = Set(
      shape.resolutions.suffix(shape.reducedPrecisionResolutions).filter { $0 >= 8 }
    )
    title = "generator"
    rows = Self.rows(of: generator, depth: ["mapping": 2, "synthesis": 3]) { parts, weight in
      guard let resolution = Self.resolution(parts.dropFirst().first) else {
        return ([batch, weight[0]], .float32)
      }
      let side = [resolution, resolution]
      return ([batch, weight[0]] + side, blocks.contains(resolution) ? reduced : .float32)
    }
  }

  /// The layers of a discriminator.
  ///
  /// - Parameters:
  ///   - discriminator: The discriminator.
  ///   - batch: Images per pass.
  ///   - reduced: The type of the blocks in reduced precision.
  init(_ discriminator: Discriminator, batch: Int, reduced: DType) {
    let shape = discriminator.configuration
    let blocks = Set(shape.resolutions.prefix(shape.reducedPrecisionResolutions).filter { $0 > 4 })
    title = "discriminator"
    rows = Self.rows(of: discriminator, depth: [:]) { parts, weight in
      guard let resolution = Self.resolution(parts.first), weight.count == 4 else {
        return ([batch, weight[0]], .float32)
      }
      let isHalved = resolution > 4 && (parts.last == "conv1" || parts.last == "skip")
      let side = isHalved ? resolution / 2 : resolution
      return (
        [batch, weight[0], side, side], blocks.contains(resolution) ? reduced : .float32
      )
    }
  }

  /// "b64" → 64.
  private static func resolution(_ part: Substring?) -> Int? {
    guard let part, part.hasPrefix("b") else { return nil }
    return Int(part.dropFirst())
  }

  /// Collects the parameters of each layer.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - depth: The number of components of a layer's name, by its first component; 2 for others.
  ///   - describe: Output and type of a layer, from the components of its name and the shape of its weight.
  /// - Returns: The layers in order.
  private static func rows(
    of network: any Module,
    depth: [Substring: Int],
    _ describe: ([Substring], [Int]) -> (output: [Int], type: DType)
  ) -> [Row] {
    var rows: [Row] = []
    var indices: [String: Int] = [:]
    for entry in network.state {
      let parts = entry.name.split(separator: ".")
      let name = parts.prefix(depth[parts[0]] ?? 2).joined(separator: ".")
      if let index = indices[name] {
        rows[index].parameters += entry.isParameter ? entry.tensor.count : 0
        continue
      }
      // The first tensor of a layer is its weight, that of the first block a constant.
      guard entry.name.hasSuffix(".weight") || entry.name.hasSuffix(".const") else { continue }
      let (output, type) = describe(name.split(separator: "."), entry.tensor.shape)
      indices[name] = rows.count
      rows.append(
        Row(
          name: name,
          parameters: entry.isParameter ? entry.tensor.count : 0,
          output: output,
          type: type
        )
      )
    }
    return rows
  }

  /// Trained values of all layers.
  var parameters: Int { rows.reduce(0) { $0 + $1.parameters } }

  /// Bytes of the outputs of all layers.
  var outputBytes: Int { rows.reduce(0) { $0 + $1.bytes } }

  /// The table, one line per layer, with a title and a sum.
  var lines: [String] {
    let cells =
      [[title, "parameters", "output", "type"]]
      + rows.map { row in
        let output = row.output.map(String.init).joined(separator: " × ")
        return [row.name, "\(row.parameters)", output, "\(row.type)"]
      } + [["total", "\(parameters)", "", ""]]
    return Text.table(cells) { $0 == 1 }
  }
}
