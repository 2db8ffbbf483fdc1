import ArgumentParser
import CommandLine
import Training

/// Flags of the losses.
struct LossFlags: ParsableArguments {
  @Option(.mixingProb) var mixingProb: Double?
  @Option(.temp) var temp: Double?
  @Option(.lam) var lam: Double?
  @Option(.itd) var itd: Double?
  @Option(.itc) var itc: Double?
  @Option(.iid) var iid: Double?
  @Option(.iic) var iic: Double?
  @Option(.gamma) var gamma: Double?
  @Option(.gather) var gather: Switch?
  @Option(.contrastive) var contrastive: ContrastiveForm?
  @Option(.clipCrop) var clipCrop: CLIPCrop?
  @Option(.textNoise) var textNoise: Double?
  @Option(.imageNoise) var imageNoise: Double?
  @Option(.textMapper) var textMapper: String?
  @Option(.textCorpus) var textCorpus: String?
  @Option(.textCorpusSteps) var textCorpusSteps: Int?
  @Option(.plWeight) var plWeight: Double?
  @Option(.plInterval) var plInterval: Int?
  @Option(.r1Interval) var r1Interval: Int?

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.mixingProb, mixingProb), .init(.temp, temp), .init(.lam, lam), .init(.itd, itd),
      .init(.itc, itc), .init(.iid, iid), .init(.iic, iic), .init(.gamma, gamma),
      .init(.gather, gather?.isOn), .init(.contrastive, contrastive), .init(.clipCrop, clipCrop),
      .init(.textNoise, textNoise), .init(.imageNoise, imageNoise),
      .init(.textMapper, textMapper), .init(.textCorpus, textCorpus),
      .init(.textCorpusSteps, textCorpusSteps), .init(.plWeight, plWeight),
      .init(.plInterval, plInterval), .init(.r1Interval, r1Interval),
    ]
  }
}

extension ContrastiveForm: ExpressibleByArgument {}
extension CLIPCrop: ExpressibleByArgument {}
