import ArgumentParser
import CLIP
import CommandLine
import Files
import Networks
import Sampling
import Snapshots
import Text
import Torch

/// The flags of every verb that paints: with which model, and how it computes.
struct PainterFlags: ParsableArguments {
  @Option(help: "Snapshot, run folder, or name of a model that comes with nifty.")
  var network: String

  @Option(help: "CLIP that the generator was trained with; not needed where the network tells it.")
  var clip: String?

  @Option(help: "Number of first layers that are truncated; without it, all.")
  var truncCutoff: Int?

  @Option(
    name: .customLong("noise_mode"),
    help: "Noise of each pixel: const, random or none; none or const in a walk."
  )
  var noise = Painter.Noise.const

  @Option(
    name: .customLong("class"),
    help: "Classes of a network with class labels, as 0-9 or 3,5; 1+4 are two at once."
  )
  var classes: ClassList?

  @Option(help: "Threads.")
  var threads = 2

  func validate() throws {
    try refuse(threads, unless: .threads, flag: "--threads")
    try refuse(truncCutoff, unless: .atLeast(0, "layers"), flag: "--trunc-cutoff")
  }

  /// Opens the model; its file is hashed meanwhile.
  ///
  /// - Throws: `SamplingError` if there is none or it has fewer layers than are to be truncated; what
  ///   reading it throws.
  func opened() throws -> OpenedModel {
    let opened = try OpenedModel(network, threads: threads)
    let layers = opened.generator.mapping.wCount
    if let truncCutoff, truncCutoff > layers {
      throw SamplingError(
        "--trunc-cutoff \(truncCutoff): the generator has \(layers) layers; 0 to \(layers) is allowed"
      )
    }
    return opened
  }

  /// The classes to paint, one after the other; one `nil` without classes.
  ///
  /// - Throws: `SamplingError` if they are not what the generator takes.
  func choices(_ opened: OpenedModel) throws(SamplingError) -> [ClassChoice?] {
    try opened.snapshot.choices(classes)
  }

  /// What paints with the model.
  func painter(
    _ generator: Generator,
    truncation: Double,
    classes: ClassChoice? = nil
  ) -> Painter {
    Painter(
      generator: generator,
      truncation: truncation,
      truncationCutoff: truncCutoff,
      noise: noise,
      classes: classes
    )
  }
}

extension ClassList: ExpressibleByArgument {}
