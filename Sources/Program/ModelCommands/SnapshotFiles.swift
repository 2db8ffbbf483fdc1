import Fetch
import Files
import Foundation
import Sampling
import Snapshots
import Training

/// The snapshots that a person names, and the runs that they belong to.
enum SnapshotFiles {
  /// The snapshot files behind a path: itself, or all of a run folder, oldest first; else what
  /// `ModelLocation` makes of it, as the name of a model that comes with nifty.
  ///
  /// Of a snapshot in two formats the safetensors file counts.
  ///
  /// - Throws: `SamplingError` where nothing is found.
  static func files(_ path: String) throws -> [String] {
    if SnapshotCache.isAddress(path) { return [try ModelLocation.downloaded(path)] }
    guard isFolder(path) else { return exists(path) ? [path] : [try ModelLocation(path).network] }
    let names = try SnapshotName.list(in: path)
    let stems = Set(names.map { ($0 as NSString).deletingPathExtension })
    let chosen = stems.sorted().compactMap { stem in
      ["safetensors", "pkl"].map { "\(stem).\($0)" }.first { names.contains($0) }
    }
    if chosen.isEmpty { return [try ModelLocation(path).network] }
    return chosen.map { "\(path)/\($0)" }
  }

  /// The run folder that a snapshot lies in, if it lies in one.
  static func folder(of snapshot: String) -> String? {
    let folder = URL(filePath: snapshot).deletingLastPathComponent().path
    let options = "\(folder)/\(RunOptionsFile.name)"
    return FileManager.default.fileExists(atPath: options) ? folder : nil
  }

  /// The options of the run that a snapshot belongs to, if they are there and readable.
  static func options(of snapshot: String) -> TrainingOptions? {
    folder(of: snapshot).flatMap {
      try? TrainingOptions(contentsOf: "\($0)/\(RunOptionsFile.name)")
    }
  }
}
