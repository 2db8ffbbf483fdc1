import Files
import Foundation
import Pickle
import Torch

/// A file with a CLIP in it, whatever its format, told by its content.
///
/// Read are: safetensors of nifty, Hugging Face and OpenCLIP; OpenAI's TorchScript archives, whose
/// program is not run; and checkpoints of torch.save.
package struct CLIPFile {
  /// The model.
  package let model: CLIP
  /// How its activation was found, for a report.
  package let origin: String

  /// Reads a model.
  ///
  /// What weights do not tell (activation, attention heads) is taken from the file itself if nifty wrote
  /// it; else from `open_clip_config.json` or `config.json` beside it, whichever belongs to its names;
  /// else it is as OpenAI published.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - activation: Overrides what was found, for a file that nifty did not write.
  ///   - towers: Which of them are read; the weights of the other are undefined.
  /// - Throws: `CLIPError` naming the file if it holds no CLIP, or an error of reading it.
  package init(
    _ path: String,
    activation: CLIPActivation? = nil,
    towers: CLIPTowers = .both
  ) throws {
    var origin = "stated in the file"
    func hints(_ naming: CLIPNaming) throws -> CLIPHints {
      var found: CLIPHints
      (found, origin) = try Self.hints(for: naming, beside: path)
      if let activation { (found.activation, origin) = (activation, "as asked for") }
      return found
    }
    do {
      if try Self.isTorchFile(path) {
        var state: [String: Tensor] = [:]
        for (name, stored) in try TorchArchive(path).tensors {
          state[name] =
            towers.contain(name)
            ? Tensor(stored.contiguousFloats(), shape: stored.shape)
            : .uninitialized(stored.shape)
        }
        model = try CLIP(published: state, hints: hints)
      } else {
        model = try CLIP.load(path, towers: towers, hints: hints)
      }
    } catch let error as CLIPError {
      if case .snapshot(let reason) = error {
        throw CLIPError.file(path: path, reason: "no CLIP: \(reason)")
      }
      throw CLIPError.file(path: path, reason: "\(error)")
    } catch let error as PickleError {
      throw CLIPError.file(path: path, reason: "no CLIP: \(error)")
    }
    self.origin = origin
  }

  /// Zip archives and pickles begin in ways in which the length of a safetensors header cannot.
  private static func isTorchFile(_ path: String) throws -> Bool {
    let file = try MappedFile(path)
    return withExtendedLifetime(file) {
      let start = Array(file.bytes.prefix(4))
      return start == [0x50, 0x4B, 0x03, 0x04]
        || start.first == 0x80 && start.count == 4
          && (2...5).contains(start[1]) && start[2...] != [0, 0]
    }
  }

  private static func hints(
    for naming: CLIPNaming,
    beside path: String
  ) throws -> (CLIPHints, origin: String) {
    let folder = URL(filePath: path).deletingLastPathComponent().path
    func contents(_ name: String) -> Data? {
      guard let file = try? MappedFile("\(folder)/\(name)"), file.bytes.count <= 1 << 20 else {
        return nil
      }
      return withExtendedLifetime(file) { Data(file.bytes) }
    }
    switch naming {
    case .huggingFace:
      if let json = contents("config.json") {
        return (try CLIPHints(huggingFace: json), "by config.json beside it")
      }
    case .openCLIP:
      if let json = contents("open_clip_config.json") {
        return (try CLIPHints(openCLIP: json), "by open_clip_config.json beside it")
      }
    case .openAI: break
    }
    return (CLIPHints(), "as OpenAI published, for want of a statement")
  }
}
