import CLIP
import Console
import Export
import Files
import Foundation
import ONNX
import Sampling
import Snapshots

/// A network for other programs: the generator of a snapshot, or the text tower of a CLIP.
extension ConvertCommand {
  static let graphSuffix = ".onnx"

  /// Writes the graph of what the input holds.
  func exportGraph() throws {
    try RegularFile.expectPlace(for: output)
    let path = try ModelLocation(input).network
    try expectOther(path, than: output)
    let digest = BackgroundDigest(ofFile: path)
    let (model, origin) = try graph(of: path, digest)
    let bytes = try model.write(to: output)
    let size = String(format: "%.1f MB", Double(bytes) / 1e6)
    Console.line("wrote \(output), \(origin), \(size), from \(inputs(of: model))")
  }

  private func inputs(of model: ONNXModel) -> String {
    model.graph.inputNames.joined(separator: ", ")
  }

  /// The model, and words on what it is of.
  private func graph(
    of path: String,
    _ digest: BackgroundDigest
  ) throws -> (ONNXModel, origin: String) {
    let snapshot: NetworkSnapshot
    do {
      snapshot = try NetworkSnapshot(path: path)
    } catch let error as FileError {
      throw error
    } catch let refusal {
      return try textTower(of: path, digest, notNetwork: refusal)
    }
    let model = try ONNXModel(
      of: snapshot,
      sha256: digest.value(),
      half: half || halfCompute,
      computesHalf: halfCompute
    )
    return (model, "\(snapshot.imagesSeen / 1000) kimg")
  }

  private func textTower(
    of path: String,
    _ digest: BackgroundDigest,
    notNetwork refusal: any Error
  ) throws -> (ONNXModel, origin: String) {
    let file: CLIPFile
    do {
      file = try CLIPFile(path, towers: .texts)
    } catch {
      // A damaged file is neither for one reason.
      if "\(error)" == "\(refusal)" { throw error }
      func reason(_ error: any Error) -> String {
        let text = "\(error)"
        return text.hasPrefix("\(path): ") ? String(text.dropFirst(path.count + 2)) : text
      }
      throw ExportError(
        "\(path) holds neither a network (\(reason(refusal))) nor a CLIP "
          + "(\(reason(error)))"
      )
    }
    if halfCompute {
      throw ExportError("--half-compute is for generators; \(path) is a CLIP: give --half")
    }
    let name = String(path.split(separator: "/").last ?? "clip")
    let model = ONNXModel(of: file.model, name: name, sha256: try digest.value(), half: half)
    let activation = (file.model.configuration.activation ?? .quickGELU).rawValue
    return (model, "the text tower with \(activation) (\(file.origin))")
  }
}
