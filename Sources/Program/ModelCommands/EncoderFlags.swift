import ArgumentParser
import CommandLine
import Evaluation
import Text

/// Flags of an image encoder of the user's, and the names of its metrics.
struct EncoderFlags: ParsableArguments {
  @Option(help: "Image encoder in TorchScript; its name gives those of its metrics.")
  var detector: String?
  @Option(help: "Pixels a side of what the encoder sees.") var detectorSide = 224
  @Option(help: "What it takes: imagenet or clip (normalised so), unit (0 to 1), signed (-1 to 1).")
  var detectorInput = EncoderInput.imagenet

  /// The encoder's name in metrics.
  var name: String? { detector.map(EncoderDetector.name) }

  /// The names of its metrics.
  var metrics: [String] {
    (name.map(MetricDefinition.metrics(ofEncoder:)) ?? []).map(\.name)
  }

  func validate() throws {
    try refuse(detectorSide, unless: .between(8, 1024, "pixels"), flag: "--detector-side")
    guard let name else { return }
    let isPlain = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
    }
    guard isPlain, (1...64).contains(name.count) else {
      throw ValidationError(
        "--detector \(name): its name becomes that of metrics and their files, so it may have up to 64 "
          + "letters, digits, - _ and . only: rename it"
      )
    }
    let known = Set(MetricDefinition.all.map(\.name))
    if let taken = metrics.first(where: known.contains) {
      throw ValidationError("--detector \(name): there is another metric \(taken): rename the file")
    }
  }
}

extension EncoderInput: ExpressibleByArgument {}
