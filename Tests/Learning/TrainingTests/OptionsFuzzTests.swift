import JSON
import Networks
import TestSupport
import Testing

@testable import Training

/// Damaged files of options.
///
/// Each is refused with a line, or gives options that are checked like typed ones. None ends the process.
@Suite("Damaged options")
struct OptionsFuzzTests {
  private var seeds: [[UInt8]] {
    var rich = TrainingOptions.automatic(
      resolution: 64,
      featureDimension: 512,
      reducedPrecision: true,
      gpus: 2
    )
    rich.data = ["a.zip", "b.zip"]
    rich.subset = 100
    rich.trainer.augmentation = AugmentationOptions(.init())
    let plain = TrainingOptions.automatic(
      resolution: 8,
      featureDimension: 8,
      reducedPrecision: false
    )
    return [rich, plain].map { Array($0.json(runFolder: "runs/00000-x").prettyJSON.utf8) }
  }

  @Test func `options that were changed anywhere are refused or used, and never end the process`() {
    let alphabet = Array("0123456789-+.eE\"[]{},:truefalsn \\u".utf8)
    let report = DamagedInputs(seeds, alphabet: alphabet).read(6000) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      var options = try TrainingOptions(text: text, of: "training_options.json")
      // What a command does with them.
      _ = options.description
      _ = options.json(runFolder: "x")
      try options.validate()
      try options.validateForResolution()
      _ = try TrainingOptions(text: options.json(runFolder: "x").json, of: "again")
      try options.continue(options, in: "runs/00000-x")
    }
    #expect(report.refused > report.inputs / 4 && report.refused < report.inputs)
    #expect(report.slowest < .seconds(2), "input \(report.slowestInput)")
  }

  @Test(arguments: ["[]", "7", "null", "\"x\"", "{}", "{\"training_set_kwargs\": 3}", ""])
  func `JSON that is not an options object is refused`(text: String) {
    let error = #expect(throws: TrainingError.self) {
      try TrainingOptions(text: text, of: "o.json")
    }
    #expect(error?.description.hasPrefix("o.json is no training_options.json") == true)
  }
}
