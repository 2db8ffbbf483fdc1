import Files
import Foundation
import Snapshots

/// The paths of what the demo writes.
struct DemoPaths: Sendable {
  let out: String
  var web: String { file("web") }
  var metadata: String { file("metadata") }
  var clip: String { file("clip.safetensors") }
  var judge: String { file("judge.safetensors") }

  private static let marker = ".nifty-demo"

  /// An empty folder; what an earlier demo left there is removed, anything else is refused.
  init(_ path: String) throws {
    out = path
    let manager = FileManager.default
    if manager.fileExists(atPath: path) {
      let isOurs = manager.fileExists(atPath: "\(path)/\(Self.marker)")
      let isEmpty = try listFolder(path).isEmpty
      guard isOurs || isEmpty else {
        throw FileError(
          "use folder",
          path: path,
          reason: "it holds something that is not an earlier demo; choose another with --out"
        )
      }
      try manager.removeItem(atPath: path)
    }
    try makeFolder(path)
    try AtomicFile.write("made by nifty demo\n", to: "\(path)/\(Self.marker)")
  }

  func file(_ name: String) -> String { "\(out)/\(name)" }

  /// The statistics of the run that wrote a snapshot.
  func statistics(beside snapshot: String) throws -> Data {
    let run = URL(filePath: snapshot).deletingLastPathComponent()
    return try Data(contentsOf: run.appending(path: "stats.jsonl"))
  }

  /// Snapshots of the run in a folder of runs, oldest first.
  func snapshots(in runs: String) throws -> [String] {
    let root = file(runs)
    guard let run = try listFolder(root).last else { return [] }
    return try SnapshotName.list(in: "\(root)/\(run)").map { "\(root)/\(run)/\($0)" }
  }
}
