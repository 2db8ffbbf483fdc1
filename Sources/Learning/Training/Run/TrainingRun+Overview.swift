import Files
import Foundation
import Text
import Torch
import TorchNN

extension TrainingRun {
  /// Says what the run will take, for log and console, before it begins.
  ///
  /// - Throws: `FileError` where the log cannot be written or the folder not be read.
  package func announce() throws {
    for line in try overview() { try report.say(line) }
  }

  private func overview() throws -> [String] {
    let forecast = DiskForecast(
      options,
      snapshotBytes: [trainer.generator, trainer.average].reduce(bytes(of: trainer.discriminator)) {
        $0 + bytes(of: $1)
      },
      checkpointBytes: trainer.stateTensors.reduce(0) { $0 + 4 * $1.tensor.count },
      free: freeBytes(at: folder.path)
    )
    return [forecast.line(options.keep)] + (try keepingLines())
  }

  private func bytes(of module: any Module) -> Int {
    module.state.reduce(0) { $0 + 4 * $1.tensor.count }
  }

  /// What `--keep` goes by, and what it leaves alone.
  private func keepingLines() throws -> [String] {
    if options.keep.isAll { return [] }
    var lines: [String] = []
    if options.keep.best != nil, let metric = options.metrics.first {
      lines.append("--keep: the first of --metrics, \(metric), says which snapshots are best")
    }
    let known = Set(snapshots.written.map(\.name))
    let others = try listFolder(folder.path).count {
      $0.hasPrefix("network-snapshot-") && !known.contains($0)
    }
    if others > 0 {
      lines.append(
        "--keep: \(Text.count(others, "snapshot")) that the run knows nothing of \(others == 1 ? "stays" : "stay")"
      )
    }
    return lines
  }
}
