import JSON
import Networks
import TorchNN

// Views of options whose form in the original's file differs from ours.

extension TrainingOptions {
  /// A path, or a list of several.
  var pathOrPaths: PathList {
    get { PathList(paths: data) }
    set { data = newValue.paths }
  }

  /// Images taken: the subset's number, else that of all.
  var subsetOrAll: Int? {
    get { subset ?? imageCount }
    set { subset = newValue }
  }

  /// The recipe; setting it sets its options, too.
  var appliedRecipe: Recipe {
    get { recipe }
    set {
      recipe = newValue
      newValue.apply(to: &trainer)
    }
  }

  /// The seed as a signed number.
  var seed: Int {
    get { Int(clamping: trainer.seed) }
    set { trainer.seed = UInt64(max(newValue, 0)) }
  }

  /// Thousands of images, a whole number where it is one.
  var wholeKimg: WholeNumber {
    get { WholeNumber(value: kimg) }
    set { kimg = newValue.value }
  }

  /// Images per step and device.
  var batchPerDevice: Int {
    gpus > 0 && trainer.rounds > 0 ? trainer.batchSize / gpus / trainer.rounds : 0
  }

  /// The snapshot to start from in the original's form; setting it changes what `--resume` implies.
  var resumeOrNone: String {
    get { resume ?? "noresume" }
    set {
      resume = newValue == "noresume" ? nil : newValue
      // The average of a trained generator needs no ramp-up, and p adapts five times as fast.
      trainer.emaRampUp = resume == nil ? 0.05 : nil
      trainer.augmentation?.adaptationKimg = resume == nil ? 500 : 100
    }
  }

  /// Weight of the path length regulariser; setting 0 turns it off.
  var pathLengthWeightOrOff: Double {
    get { trainer.losses.pathLengthWeight }
    set {
      trainer.losses.pathLengthWeight = newValue
      trainer.generatorRegularisationInterval =
        newValue == 0 ? nil : trainer.generatorRegularisationInterval ?? 4
    }
  }

  /// Steps between two path length regularisations; a regulariser without weight stays off.
  var pathLengthInterval: Int? {
    get { trainer.generatorRegularisationInterval }
    set {
      if trainer.losses.pathLengthWeight != 0 { trainer.generatorRegularisationInterval = newValue }
    }
  }

  /// Whether nothing is computed in half precision.
  var isFullPrecision: Bool {
    get { trainer.generator.reducedPrecisionResolutions == 0 }
    set { trainer.setReducedPrecision(!newValue) }
  }

  /// Whether CUDA may not try its convolutions.
  var keepsAlgorithms: Bool {
    get { !benchmarks }
    set { benchmarks = !newValue }
  }

  var augmentKeywords: Keywords {
    get { Keywords(transforms: trainer.augmentation?.transforms ?? .init()) }
    set { trainer.augmentation = AugmentationOptions(newValue.transforms) }
  }

  var augmentProbability: Double {
    get { trainer.augmentation?.probability ?? 0 }
    set { trainer.augmentation?.probability = newValue }
  }

  var augmentTarget: Double? {
    get { trainer.augmentation?.target }
    set { trainer.augmentation?.target = newValue }
  }

  var augmentKimg: Double {
    get { trainer.augmentation?.adaptationKimg ?? 500 }
    set { trainer.augmentation?.adaptationKimg = newValue }
  }

  var augmentInterval: Int {
    get { trainer.augmentation?.adaptationInterval ?? 4 }
    set { trainer.augmentation?.adaptationInterval = newValue }
  }
}

extension Adam.Configuration {
  /// β₁ and β₂.
  var betas: [Double] {
    get { [beta1, beta2] }
    set { if newValue.count == 2 { (beta1, beta2) = (newValue[0], newValue[1]) } }
  }
}

/// One path as a string, several as a list.
struct PathList: JSONConvertible {
  let paths: [String]

  init(paths: [String]) { self.paths = paths }

  var json: OptionValue { paths.count == 1 ? paths[0].json : paths.json }

  init?(json: OptionValue) {
    if let path = String(json: json) {
      paths = [path]
    } else if let several = [String](json: json) {
      paths = several
    } else {
      return nil
    }
  }
}

/// A number that is written without a point where it is whole.
struct WholeNumber: JSONConvertible {
  let value: Double

  init(value: Double) { self.value = value }

  var json: OptionValue { Int(exactly: value).map { .int($0) } ?? .double(value) }

  init?(json: OptionValue) {
    guard let value = Double(json: json) else { return nil }
    self.value = value
  }
}

/// The multipliers of an augmentation by the original's keywords.
struct Keywords: JSONConvertible {
  let transforms: AugmentConfiguration

  init(transforms: AugmentConfiguration) { self.transforms = transforms }

  var json: OptionValue {
    let used = AugmentConfiguration.multipliers.filter { transforms[keyPath: $0.path] != 0 }
    let own = OptionValue.Entry("class_name", "training.augment.AugmentPipe")
    return .dictionary(
      [own] + used.map { .init($0.keyword, WholeNumber(value: transforms[keyPath: $0.path]).json) }
    )
  }

  init?(json: OptionValue) {
    guard case .dictionary(let entries) = json else { return nil }
    var keywords: [String: Double] = [:]
    for entry in entries where entry.key != "class_name" {
      guard let number = entry.value.double else { return nil }
      keywords[entry.key] = number
    }
    guard let transforms = AugmentConfiguration(keywords: keywords) else { return nil }
    self.transforms = transforms
  }
}
