import Networks
import Snapshots
import Text
import Torch
import TorchNN

// The start of a run from another run's snapshot.

extension Trainer {
  /// Notes of a snapshot that `start` understands.
  var notes: [String: String] {
    adaptive == nil ? [:] : [Self.probabilityNote: "\(augmentProbability)"]
  }

  private static let probabilityNote = "augment_p"

  /// Loads the networks of a snapshot, and its state with `--resume-state`.
  ///
  /// Of a snapshot of another resolution all tensors with the same name and shape are loaded.
  ///
  /// - Parameters:
  ///   - snapshot: The snapshot.
  ///   - options: The run.
  /// - Returns: A report, a line each: tensors taken, and layers that are new; none if all fit.
  /// - Throws: `SnapshotError` if the networks do not fit, `TrainingError` if the state does not.
  func start(from snapshot: NetworkSnapshot, _ options: TrainingOptions) throws -> [String] {
    try expectSameLabels(snapshot)
    let source: NetworkSnapshot.Part = snapshot.contains(.generator) ? .generator : .average
    var parts: [(part: NetworkSnapshot.Part, module: any Module, name: String)] = [
      (.average, average, "the averaged generator"), (source, generator, "the generator"),
    ]
    if snapshot.contains(.discriminator) {
      parts.append((.discriminator, discriminator, "the discriminator"))
    }
    settleLoan()
    var lines: [String] = []
    let side = configuration.generator.resolution
    if snapshot.generator.resolution == side {
      for (part, module, _) in parts { try snapshot.load(part, into: module, matching: .byName) }
    } else {
      for (part, module, name) in parts {
        let (count, new) = try snapshot.loadFitting(part, into: module)
        lines.append(
          "--resume: \(name) takes \(Text.count(count, "tensor")) of \(snapshot.generator.resolution)² for "
            + "\(side)²; new: \(Self.layers(new).joined(separator: ", "))"
        )
      }
    }
    if context.vision != nil {
      lines.append("--resume: the heads of --vision-aided begin anew; snapshots do not hold them")
    }
    return try lines + (options.resumesState ? takeState(of: snapshot, options) : [])
  }

  private func expectSameLabels(_ snapshot: NetworkSnapshot) throws(TrainingError) {
    let (found, own) = (
      snapshot.generator.labelDimension, configuration.generator.labelDimension
    )
    guard found != own else { return }
    func described(_ dimension: Int?) -> String {
      dimension.map { "takes class labels of \(Text.count($0, "number"))" }
        ?? "takes no class labels"
    }
    throw .option(
      "--resume: \(snapshot.path) \(described(found)), the run \(described(own)); "
        + (own == nil
          ? "train with --cond=1 on data of the same classes"
          : found == nil ? "train with --cond=0" : "train on data of the same classes")
    )
  }

  /// The layers of tensors, in order, without their styles'.
  static func layers(_ names: [String]) -> [String] {
    var known: Set<String> = []
    return names.map { name in
      let parts = name.split(separator: ".")
      return parts.prefix(parts.first == "synthesis" ? 3 : 2).joined(separator: ".")
    }.filter { known.insert($0).inserted }
  }

  /// Continues a snapshot's count of images and strength of augmentation.
  private func takeState(
    of snapshot: NetworkSnapshot,
    _ options: TrainingOptions
  ) throws -> [String] {
    let images = snapshot.imagesSeen
    guard (1..<1 << 40).contains(images) else {
      throw TrainingError.option(
        "--resume-state=1: \(snapshot.path) does not say how many images it has seen; leave it out"
      )
    }
    guard Double(images) < options.kimg * 1000 else {
      throw TrainingError.option(
        "--resume-state=1: \(snapshot.path) has seen \(kimg(images)) kimg, the run ends at "
          + "\(Text.typed(options.kimg)); give a larger --kimg"
      )
    }
    imagesSeen = images
    var line = "--resume-state: counts on from \(kimg(images)) kimg"
    if adaptive != nil {
      let text = snapshot.notes[Self.probabilityNote]
      if let p = text.flatMap(Double.init), (0...1e6).contains(p) {
        adaptive?.value = p
        pipe?.probability = p
        line += ", augmentation from p = \(Text.typed(p))"
      } else {
        line +=
          "; the snapshot does not say ADA's p, which begins at \(Text.typed(augmentProbability))"
      }
    }
    return [line]
  }
}
