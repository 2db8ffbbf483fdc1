import ArgumentParser
import CLIP
import CommandLine
import Datasets
import Evaluation
import Files
import Foundation
import Networks
import Text
import Torch
import Training

/// Scores snapshots after the fact, as the original's calc_metrics.py, and reads the scores of runs.
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Score snapshots: FID and its relatives, and whether a CLIP agrees.",
    discussion: """
      METRICS
        fid50k_full, fid50k        Fréchet distance on Inception-v3 features
        kid50k_full, kid50k        kernel distance on the same features
        pr50k3_full, pr50k3        precision and recall on VGG-16 features
        is50k                      Inception score
        ppl2_wend, ppl_zfull, ppl_wfull, ppl_zend, ppl_wend
                                   perceptual path length (LPIPS on VGG-16)
        clip_fid                   Fréchet distance on a CLIP's image features
        clip_score                 mean cosine of image and caption for a CLIP
        r_precision                share of images whose own caption is nearer
                                   than 99 others for a CLIP
        fd_lite0                   Fréchet distance on EfficientNet-Lite0
                                   features; not comparable with FID
        judge_top1                 share of images whose own caption a judge
                                   ranks first among --captions distinct ones
        cmmd                       kernel distance on a CLIP's image features
                                   (Gaussian, sigma 10, times 1000)
        prdc_inception, prdc_vgg, prdc_lite0, prdc_clip, prdc_judge
                                   precision, recall, density and coverage
                                   among 5 neighbours
        mmd_judge                  kernel distance (KID's kernel) on a judge's
                                   image features, its standard error, and the
                                   same of two halves of the real images
        nearest_judge              mean distance to the nearest training image
                                   in a judge's features: of generated and of
                                   held-out real images (--test_data)
        variety_judge              mean distance of --per-caption images of one
                                   of --captions, and of a real image to the
                                   nearest other one, in a judge's features
        mmd_features               mmd_judge's distance on the features of a
                                   --classifier (nifty classifier)
        swd_pixels                 sliced Wasserstein distance of the pixels, and
                                   that of two halves of the real images
        fid_infinity, fd_lite0_infinity
                                   the Fréchet distance that endlessly many
                                   images would have
        fd_NAME, fd_NAME_infinity, mmd_NAME, prdc_NAME
                                   the same on the features of --detector NAME.pt
        references                 fd_lite0 of real halves, of the mean image
                                   and of noise

      Whatever a name says, --protocol decides how many images are generated and
      what they are compared with: 30,000 (6,000 if the path of the test data
      contains "celeba") against all training images with lafite, 50,000 against
      the test images with clean. Every line states its protocol. Lines are
      printed, and appended to metric-NAME.jsonl in the run folder of a snapshot.

      Inception and VGG-16 come from nifty fetch weights. CLIP metrics use
      --judge, or --clip if there is no judge, and those of a judge --judge only; give a judge that took no part in
      training.

      EXAMPLES
        nifty metrics --network=runs/00000-coco-auto --metrics=fid50k_full,is50k
        nifty metrics --network=network-snapshot-000050.safetensors \\
          --metrics=fd_lite0 --data=train.zip --test_data=test.zip --images=2000
        nifty metrics --network=FILE --metrics=clip_score,r_precision \\
          --data=train.zip --test_data=test.zip --judge=judge.safetensors
        nifty metrics --network=FILE --metrics=fd_dinov2,mmd_dinov2 \\
          --data=train.zip --test_data=test.zip --detector dinov2.pt
        nifty metrics --report runs/00000-coco-auto runs/00001-coco-auto \\
          --chart curves.png
      """
  )

  @Option(help: "Snapshot, or run folder for all of its snapshots; repeat for several.")
  var network: [String] = []
  @Option(help: "Metrics, separated by commas; fid50k_full, or all in a report, if not given.")
  var metrics: String?
  @Option(help: "Zip of training images; repeatable; the run's own if not given.")
  var data: [String] = []
  @Option(name: .customLong("test_data"), help: "Zip whose captions are used; else the run's own.")
  var testData: String?
  @Option(help: "Count real images mirrored too (fid50k, kid50k, pr50k3).") var mirror: Switch?
  @Option(name: .customLong("metric_only_test"), help: "Compare with the test images.")
  var onlyTest = Switch(false)
  @Option(help: "How many images against what: lafite or clean.")
  var `protocol` = MetricRules.lafite
  @Option(help: "Images to generate instead; the protocol record says so.") var images: Int?
  @Option(help: "File of pytorch-fid (.npz) that stands for the real images.")
  var referenceStatistics: String?
  @Option(help: "File (.npz) for the statistics of the real images.") var writeStatistics: String?
  @Option(help: "CLIP model that the generator was trained with.") var clip: String?
  @Option(help: "CLIP model that judges.") var judge: String?
  @Option(help: "Classifier of pictures, from nifty classifier.") var classifier: String?
  @OptionGroup(title: "Image encoders") var encoder: EncoderFlags
  @Option(help: "Distinct captions for judge_top1 and variety_judge.") var captions = 64
  @Option(help: "Images a caption for judge_top1 and variety_judge.") var perCaption = 4
  @Option(help: "Seed of latents, noise and captions.") var seed: UInt64 = 0
  @Option(help: "Accepted for the original's sake; one device works.") var gpus = 1
  @Option(help: "Threads.") var threads = 1
  @Option(help: "File for the figures as JSON.") var figures: String?
  @OptionGroup(title: "Reports") var reporting: ReportFlags

  func validate() throws {
    if !reporting.report.isEmpty {
      guard network.isEmpty else {
        throw ValidationError("--report reads scores, --network measures them: give one of the two")
      }
      return
    }
    let known = MetricDefinition.all.map(\.name) + Self.judged + encoder.metrics
    for name in names where !known.contains(name) {
      throw ValidationError(
        "--metrics must be of \(known.joined(separator: ", ")), not \(name)"
      )
    }
    if network.isEmpty {
      throw ValidationError("give --network FILE or RUN, or --report RUN")
    }
    if names.isEmpty { throw ValidationError("--metrics names none") }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw ValidationError("--metrics names \(twice) twice")
    }
    if judge == nil, let name = names.first(where: Self.needsJudge) {
      throw ValidationError("\(name) needs --judge")
    }
    if classifier == nil, names.contains("mmd_features") {
      throw ValidationError("mmd_features needs --classifier")
    }
    // A billion images take decades; their numbers have room to be multiplied.
    try refuse(captions, unless: .between(2, 1e6), flag: "--captions")
    try refuse(perCaption, unless: .between(1, 1e6), flag: "--per-caption")
    // The numbers of all of them are in memory.
    guard captions * perCaption <= 100_000_000 else {
      throw ValidationError(
        "--captions times --per-caption must be at most 100000000 images, not \(captions * perCaption)"
      )
    }
    try refuse(images, unless: .between(2, 1e9), flag: "--images")
    try refuse(threads, unless: .threads, flag: "--threads")
    try refuse(gpus, unless: .atLeast(1), flag: "--gpus")
  }

  /// Metrics that are not lines of the suite.
  static let judged = ["judge_top1", "references"]
  private static func needsJudge(_ name: String) -> Bool {
    name == "judge_top1" || MetricDefinition(named: name)?.detector == .judge
  }

  var names: [String] { (metrics ?? "fid50k_full").split(separator: ",").map(String.init) }

  /// What to say of moments that stand for the real images, if other metrics than Fréchet distances need images.
  func notice(ofReference path: String) -> String? {
    let others = names.compactMap { MetricDefinition(named: $0, encoder: encoder.name) }
      .filter { $0.kind.comparesWithReal && !$0.kind.isFrechet }
    if others.isEmpty { return nil }
    return "\(path) stands for the real images of Fréchet distances only: "
      + "\(others.map(\.name).joined(separator: ", ")) compares with the data's"
  }

  func run() throws {
    if !reporting.report.isEmpty {
      return try reporting.run(metrics: metrics == nil ? [] : names)
    }
    Runtime.threads = threads
    if let figures {
      try OutputName.expectFile(figures, "json")
      try RegularFile.expectPlace(for: figures)
    }
    if let writeStatistics {
      try OutputName.expectFile(writeStatistics, "npz")
      try RegularFile.expectPlace(for: writeStatistics)
    }
    let snapshots = try network.flatMap { try SnapshotFiles.files($0) }
    let found = try MetricRun(self, snapshots: snapshots).run()
    if let figures { try Figures.write(found, to: figures) }
  }
}

extension MetricRules: ExpressibleByArgument {}
