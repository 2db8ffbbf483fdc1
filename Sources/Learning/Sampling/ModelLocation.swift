import Fetch
import Files
import Foundation
import JSON
import Networks
import Snapshots

/// The paths of a generator and of the CLIP it was trained with.
///
/// The user names a snapshot file or its URL, a run folder (its newest snapshot counts), a folder that
/// `nifty convert` made, with `model.safetensors` and perhaps `clip.safetensors`, or such a folder in
/// `Models` by its name.
package struct ModelLocation {
  /// The snapshot.
  package let network: String
  /// The CLIP, if the location has one.
  package let clip: String?

  /// The network's file in a folder that `nifty convert` makes.
  package static let modelName = "model.safetensors"
  /// The CLIP's file in such a folder.
  package static let clipName = "clip.safetensors"

  /// Resolves a location.
  ///
  /// - Parameter location: What the user named.
  /// - Throws: `SamplingError` if there is nothing there.
  package init(_ location: String) throws {
    if SnapshotCache.isAddress(location) {
      self.init(network: try Self.downloaded(location), clip: nil)
      return
    }
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: location, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        self.init(network: location, clip: nil)
        return
      }
      try self.init(folder: location)
    } else if let named = Self.named(location) {
      try self.init(folder: named)
    } else {
      let known = Self.names
      throw SamplingError(
        "no snapshot, folder or model called \(location)"
          + (known.isEmpty ? "" : "; models that come with nifty: \(known.joined(separator: ", "))")
      )
    }
  }

  /// The local copy of a snapshot on the web.
  package static func downloaded(_ address: String) throws -> String {
    try SnapshotCache.file(of: address) { _ = try NetworkSnapshot(path: $0) }
  }

  private init(folder: String) throws {
    let model = folder + "/" + Self.modelName
    if FileManager.default.fileExists(atPath: model) {
      let clip = folder + "/" + Self.clipName
      self.init(network: model, clip: FileManager.default.fileExists(atPath: clip) ? clip : nil)
      return
    }
    guard let newest = try SnapshotName.list(in: folder).last else {
      throw SamplingError(
        "\(folder) holds neither \(Self.modelName) nor a network snapshot"
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
    let path = "\(folder)/\(RunOptionsFile.name)"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let clip = OptionValue(json: text)?[RunOptionsFile.ownKey]?[RunOptionsFile.clipKey]?.string
    else { return nil }
    return FileManager.default.fileExists(atPath: clip) ? clip : nil
  }

  private static func named(_ name: String) -> String? {
    names.contains(name) ? folders.map { $0 + "/" + name }.first(where: isModel) : nil
  }

  /// The models that come with nifty.
  private static var names: [String] {
    let entries = folders.flatMap { folder in
      // They only make a message better.
      ((try? listFolder(folder)) ?? []).filter { isModel(folder + "/" + $0) }
    }
    return Array(Set(entries)).sorted()
  }

  private static func isModel(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: folder + "/" + modelName)
  }

  private static var folders: [String] { pathsAbove(program: "Models") }
}
