import Datasets
import Files
import Foundation
import Networks
import Snapshots
import Text
import Torch
import TorchNN

extension TrainingRun {
  /// Writes the overview of a run to log and console before it begins: data, networks, device, memory, disk.
  ///
  /// The table of layers is written by the run's first session only.
  ///
  /// - Parameter continues: Whether the run is continued.
  /// - Throws: `FileError` if the log cannot be written or the folder cannot be read.
  package func announce(continuing continues: Bool) throws {
    let device = inputs.device
    let batch = options.batchPerDevice
    let tables = [
      LayerTable(trainer.generator, batch: batch, reduced: device.reducedPrecision),
      LayerTable(trainer.discriminator, batch: batch, reduced: device.reducedPrecision),
    ]
    var lines = [dataLine]
    if !continues { lines += tables.flatMap(\.lines) }
    lines.append(
      "networks: generator \(tables[0].parameters) and discriminator \(tables[1].parameters) parameters"
    )
    if !continues { lines += steps.resumed + gammaLine }
    lines += warmupLine + [deviceLine, memoryLine(tables), diskLine]
    for line in try lines + keepingLines() { try report.log(line) }
  }

  /// The line on images, captions and labels.
  private var dataLine: String {
    let data = inputs.data
    let side = data.resolution
    let taken = options.subset.map { "\($0) of " } ?? ""
    let mirrored = options.mirror ? ", each mirrored, too" : ""
    let captions = data.datasets.reduce(0) { $0 + $1.captionCount }
    let said =
      options.trainer.losses.mixingProb > 0.99
      ? "\(Text.count(captions, "caption")), none of which is used"
      : Text.count(captions, "caption")
    let labels =
      if let dimension = options.trainer.generator.labelDimension {
        "class labels of \(Text.count(dimension, "number"))"
      } else if data.datasets.allSatisfy(\.hasLabels) {
        "class labels, which are not used"
      } else {
        "no class labels"
      }
    return
      "data: \(taken)\(Text.count(data.rawCount, "image")) of \(side)²\(mirrored), \(said), \(labels), "
      + "features of \(data.featureDimension) numbers, from \(Text.count(data.datasets.count, "zip"))"
  }

  /// γ beside StyleGAN2-ADA's starting value.
  private var gammaLine: [String] {
    guard let interval = options.trainer.discriminatorRegularisationInterval else { return [] }
    let side = Double(inputs.data.resolution)
    let usual = 0.0002 * side * side / Double(options.trainer.batchSize)
    return [
      "R1: gamma \(Text.typed(options.trainer.losses.gamma)), every \(Text.count(interval, "step")); a start for "
        + "\(inputs.data.resolution)² and \(Text.count(options.trainer.batchSize, "image")) a step is "
        + "\(String(format: "%.3g", usual)), tried from a fifth to five times of it"
    ]
  }

  /// Until when the generator learns alone.
  private var warmupLine: [String] {
    guard options.trainer.warmsUpByPairs(imagesSeen: trainer.imagesSeen) else { return [] }
    return [
      "warm-up: the generator alone learns, from the distance of --paired, until "
        + "\(Text.typed(options.trainer.losses.pairedWarmup)) kimg"
    ]
  }

  private var deviceLine: String {
    let processes = Text.count(options.gpus, "process", "processes")
    let threads = Text.count(options.threads, "thread")
    let batch = options.trainer.batchSize
    let rounds = options.trainer.rounds
    let parts = rounds == 1 ? "" : ", \(options.batchPerDevice) at once"
    return
      "device: \(inputs.device) in \(processes) of \(threads); \(Text.count(batch, "image")) a step"
      + parts
  }

  /// A step's tensors as a multiple of the outputs of all layers, which a backward pass keeps.
  ///
  /// Measured at 64² and 256²; R1 and the path length regulariser, which differentiate twice, need the most.
  private static let tensorsPerOutput = 3

  /// The line on the expected memory, a rough estimate.
  private func memoryLine(_ tables: [LayerTable]) -> String {
    let state = trainer.stateTensors.reduce(0) { $0 + 4 * $1.tensor.count }
    let gradients = 4 * (trainer.generator.parameterCount + trainer.discriminator.parameterCount)
    let outputs = tables.reduce(0) { $0 + $1.outputBytes }
    let step = gradients + Self.tensorsPerOutput * outputs
    let (total, place) =
      inputs.device == .cpu
      ? (peakMemoryBytes() + step, "") : (state + step, " of the device, beside CLIP")
    return "memory: about \(Text.bytes(Double(total)))\(place): weights and moments take "
      + "\(Text.bytes(Double(state))), a step of \(Text.count(options.batchPerDevice, "image")) "
      + "some \(Text.bytes(Double(step)))"
  }

  /// The line on the expected disk space.
  private var diskLine: String {
    let networks: [any Module] = [trainer.generator, trainer.discriminator, trainer.average]
    let forecast = DiskForecast(
      options,
      snapshotBytes: networks.reduce(0) { $0 + bytes(of: $1) },
      checkpointBytes: trainer.stateTensors.reduce(0) { $0 + 4 * $1.tensor.count },
      free: freeBytes(at: folder.path)
    )
    return forecast.line(options.keep)
  }

  private func bytes(of module: any Module) -> Int {
    module.state.reduce(0) { $0 + 4 * $1.tensor.count }
  }

  /// The lines on `--keep`: its metric, and the snapshots that it leaves alone.
  private func keepingLines() throws -> [String] {
    if options.keep.isAll { return [] }
    var lines: [String] = []
    if options.keep.best != nil, let metric = options.metrics.first {
      lines.append("--keep: the first of --metrics, \(metric), says which snapshots are best")
    }
    let known = Set(snapshots.written.map(\.name))
    let others = try SnapshotName.list(in: folder.path).count { !known.contains($0) }
    if others > 0 {
      lines.append(
        "--keep: \(Text.count(others, "snapshot")) that the run knows nothing of "
          + (others == 1 ? "stays" : "stay")
      )
    }
    return lines
  }
}
