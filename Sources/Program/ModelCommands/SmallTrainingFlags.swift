import ArgumentParser
import CLIP
import CommandLine
import Console
import Files
import Text
import Torch

/// Flags of the training of a small network, and what its command does before and while it trains.
struct SmallTrainingFlags: ParsableArguments {
  @Option(help: "Thousands of images to see; a repeated picture counts again.") var kimg = 200.0
  @Option(help: "Stop after this many seconds.") var seconds: Double?
  @Option(help: "Pictures in a step.") var batch = 128
  @Option(help: "Seed of everything random.") var seed: UInt64 = 0
  @Option(help: "Threads.") var threads = 1
  @Option(help: "File for the figures as JSON.") var report: String?

  func validate() throws {
    try refuse(batch, unless: .between(2, 1_000_000), flag: "--batch")
    try refuse(threads, unless: .threads, flag: "--threads")
    try refuse(kimg, unless: .above(0, atMost: 1e9, "thousand images"), flag: "--kimg")
    try refuse(seconds, unless: .above(0, atMost: 1e9, "seconds"), flag: "--seconds")
  }

  /// Sets the threads, and makes sure that what is trained has its places on the disk.
  func prepare(out: String) throws {
    Runtime.threads = threads
    try OutputName.expectFile(out, "safetensors")
    try RegularFile.expectPlace(for: out)
    if let report {
      try OutputName.expectFile(report, "json")
      try RegularFile.expectPlace(for: report)
    }
  }

  /// The settings of a training on some pictures; says where a batch is larger than their number.
  func settings(pictures count: Int, noun: String) -> CLIPTrainingConfiguration {
    if batch > count {
      Console.error("--batch \(batch): there are only \(count) \(noun), a step takes all")
    }
    var settings = CLIPTrainingConfiguration(kimg: kimg)
    settings.maximumSeconds = seconds
    settings.batchSize = batch
    settings.seed = seed
    return settings
  }

  /// The line that shows where a training stands.
  static func show(_ progress: StepProgress, of name: String) {
    Console.progress(
      "\(name)  \(Text.number(Double(progress.imagesSeen) / 1000)) kimg  "
        + "loss \(Text.number(progress.loss))  "
        + "\(Text.rate(progress.imagesPerSecond, "images"))  "
        + "\(Text.time(progress.secondsLeft)) left"
    )
  }
}
