package import JSON
import Networks

/// The command line: values by option, in the unit of each flag.
package struct TrainingArguments: Sendable {
  /// One flag and its value; `nil` if it was not given.
  package struct Given: Sendable {
    let option: TrainingOption
    let value: OptionValue?

    /// A flag and its value.
    package init(_ option: TrainingOption, _ value: (some JSONConvertible)?) {
      (self.option, self.value) = (option, value?.json)
    }
  }

  /// The timeout in seconds of another rank's silence or lack of progress.
  package static let standardRankTimeout = 45.0

  private let given: [(option: TrainingOption, value: OptionValue)]

  /// The given flags; later ones override earlier ones.
  package init(_ all: [Given]) {
    given = all.compactMap { entry in entry.value.map { (entry.option, $0) } }
  }

  /// The value given for an option.
  package subscript(_ option: TrainingOption) -> OptionValue? {
    given.last { $0.option.name == option.name }?.value
  }

  /// Sets the given values in the options.
  ///
  /// - Parameter options: Those of an earlier run, or the automatic ones.
  /// - Throws: `TrainingError.option` naming a flag, its value and what is allowed.
  package func apply(to options: inout TrainingOptions) throws(TrainingError) {
    for (option, value) in given { try option.check(value) }
    if let factor = self[.fmap]?.double, options.trainer.generator.resolution < 512 {
      // From 512² on, the automatic configuration takes 1 whatever is asked for.
      TrainingOption.channelBase.set(&options, .int(Int((32768 * factor).rounded())))
    }
    let isLater = Set(TrainingOption.runOptions.map(\.name))
    for (option, value) in given where !isLater.contains(option.name) {
      try set(option, value, &options)
    }
    // Its rules depend on the snapshot that the run began with, so `--resume` is set after it.
    try AugmentChange(self).apply(to: &options)
    for (option, value) in given where isLater.contains(option.name) {
      try set(option, value, &options)
    }
  }

  private func set(
    _ option: TrainingOption,
    _ value: OptionValue,
    _ options: inout TrainingOptions
  ) throws(TrainingError) {
    guard option.set(&options, value) else {
      throw .option("\(option.flag) cannot be \(TrainingOption.text(value))")
    }
  }

  /// Divides a device's images of a step into the rounds of `--batch-gpu`.
  ///
  /// - Throws: `TrainingError.option` where it does not divide them.
  package func applyRounds(to options: inout TrainingOptions) throws(TrainingError) {
    guard let images = self[.batchPerDevice]?.double.flatMap({ Int(exactly: $0) }) else { return }
    let rankBatch = options.trainer.batchSize / max(options.gpus, 1)
    guard images > 0, rankBatch % images == 0 else {
      throw .option(
        "--batch-gpu must divide \(rankBatch), the images of a step and device, not be \(images)"
      )
    }
    options.trainer.rounds = rankBatch / images
  }

  /// Whether the largest `--batch-gpu` that fits is searched for.
  package var searchesBatch: Bool { self[.batchPerDevice]?.string == "auto" }

  /// The timeout in seconds of another rank's silence or lack of progress.
  package var rankTimeout: Double { self[.rankTimeout]?.double ?? Self.standardRankTimeout }
}
