import Foundation
import Networks
import Training

/// Where a generator and the CLIP it was trained with are.
///
/// A place is given as a snapshot file, as a run folder (its newest snapshot counts), as a folder with
/// `generator.safetensors` and `clip.safetensors`, as the name of such a folder in `Models`, or as the
/// folder that `nifty convert` makes, which holds `model.safetensors`.
struct ModelPlace {
  /// The snapshot.
  let network: String
  /// The CLIP, if the place tells.
  let clip: String?

  /// Looks a place up.
  ///
  /// - Parameter place: What the user gave.
  /// - Throws: `TrainingError.option` if there is nothing there.
  init(_ place: String) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: place, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        self.init(network: place, clip: nil)
        return
      }
      try self.init(folder: place)
    } else if let named = Self.named(place) {
      try self.init(folder: named)
    } else {
      let known = Self.names
      throw TrainingError.option(
        "no snapshot, folder or model called \(place)"
          + (known.isEmpty ? "" : "; models that come with nifty: \(known.joined(separator: ", "))")
      )
    }
  }

  private init(folder: String) throws {
    let generator = folder + "/generator.safetensors"
    if FileManager.default.fileExists(atPath: generator) {
      self.init(network: generator, clip: folder + "/clip.safetensors")
      return
    }
    let converted = folder + "/\(ConvertCommand.modelName)"
    if FileManager.default.fileExists(atPath: converted) {
      let clip = folder + "/clip.safetensors"
      let hasClip = FileManager.default.fileExists(atPath: clip)
      self.init(network: converted, clip: hasClip ? clip : nil)
      return
    }
    let snapshots = try? FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix("network-snapshot-") && !$0.hasSuffix(".tmp") }
    guard let newest = snapshots?.max() else {
      throw TrainingError.option(
        "\(folder) holds neither generator.safetensors nor a network snapshot"
      )
    }
    self.init(network: folder + "/" + newest, clip: Self.clip(ofRun: folder))
  }

  private init(network: String, clip: String?) {
    self.network = network
    self.clip = clip
  }

  /// The CLIP that a run's options name, if it is still there.
  private static func clip(ofRun folder: String) -> String? {
    struct Options: Decodable { let clip: String? }
    guard let data = try? Data(contentsOf: URL(filePath: folder + "/training_options.json")),
      let path = (try? JSONDecoder().decode(Options.self, from: data))?.clip,
      FileManager.default.fileExists(atPath: path)
    else { return nil }
    return path
  }

  private static func named(_ name: String) -> String? {
    names.contains(name) ? folders.map { $0 + "/" + name }.first(where: isModel) : nil
  }

  /// The models that come with nifty.
  private static var names: [String] {
    let entries = folders.flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { isModel(folder + "/" + $0) }
    }
    return Array(Set(entries)).sorted()
  }

  private static func isModel(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: folder + "/generator.safetensors")
  }

  private static var folders: [String] { placesAbove(program: "Models") }
}
