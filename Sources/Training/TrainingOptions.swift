import Networks

/// A whole run as `training_options.json` keeps it: the data, what is computed, and what is written.
package struct TrainingOptions: Codable, Equatable, Sendable {
  /// Packed datasets to train on, in order.
  package var data: [String]
  /// Packed dataset that the metrics condition on.
  package var testData: String?
  /// Takes only this many images, drawn by the seed.
  package var subset: Int?
  /// Lists every image a second time, flipped.
  package var mirror = false
  /// Part of the images that keep their captions.
  package var ratio = 1.0
  /// File of the CLIP model whose image tower judges generated images.
  package var clip: String
  /// What is computed.
  package var trainer: TrainerConfiguration
  /// Snapshot to start from, if any.
  package var resume: String?
  /// Where run folders are made.
  package var outdir: String
  /// Ends the run after this many thousand images.
  package var kimg = 25_000.0
  /// Ends the run after this many seconds of training, if given.
  package var maximumSeconds: Double?
  /// Length of a tick (one console line, one line of `stats.jsonl`) in thousands of images.
  package var tickKimg = 4.0
  /// Ticks between sample grids.
  package var imageSnapshotTicks = 50
  /// Ticks between network snapshots.
  package var networkSnapshotTicks = 50
  /// Metrics computed at every network snapshot.
  package var metrics: [String] = []
  /// Threads of one tensor operation on the CPU.
  package var threads = 1

  /// A run on data with a CLIP model.
  package init(data: [String], clip: String, trainer: TrainerConfiguration, outdir: String) {
    self.data = data
    self.clip = clip
    self.trainer = trainer
    self.outdir = outdir
  }

  /// The folder's name without its number, as the original makes it: data, what differs from the
  /// defaults, and the main settings.
  package var description: String {
    let losses = trainer.losses
    var parts = [Self.dataName(data)]
    if let subset { parts.append("subset\(subset)") }
    if mirror { parts.append("mirror") }
    parts += [
      "auto", "lam\(short(losses.lam))", "temp\(short(losses.temp))",
      "map_num\(trainer.generator.mappingLayers)", "gpus1", "gamma\(short(losses.gamma))",
    ]
    if kimg != 25_000 { parts.append("kimg\(short(kimg))") }
    parts.append("batch\(trainer.batchSize)")
    return parts.joined(separator: "-")
  }

  private static func dataName(_ paths: [String]) -> String {
    let names = paths.map { path in
      String((path.split(separator: "/").last ?? "data").prefix { $0 != "." })
    }
    guard let first = names.first, let last = names.last, names.count > 1 else {
      return names.first ?? "data"
    }
    return "\(first)..\(last)"
  }

  private func short(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e9 ? String(Int(value)) : String(value)
  }
}
