import ArgumentParser
import Foundation
import Laion

/// Stage 1: metadata → folders of pairs.
struct LaionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "laion",
    abstract: "Download image–caption pairs listed in LAION-shaped Parquet files.",
    discussion: """
      Part i of the metadata becomes OUT/spliti with consecutive pairs 0.png +
      0.txt, 1.png + … The same command goes on where an interrupted one stopped.

      EXAMPLES
        nifty laion --metadata laion_meta_file --out data/laion
        nifty laion --metadata laion_meta_file --out data/laion \\
          --parts 0-1 --per-split 1000
      """
  )

  @Option(help: "Folder with part-*.parquet.")
  var metadata: String

  @Option(help: "Folder for split0, split1, …")
  var out: String

  @Option(help: "Parts to download, as 0-9; all if not given.")
  var parts: PartRange?

  @Option(help: "Pairs in a full split.")
  var perSplit = 1_000_000

  @Option(help: "Downloads at a time.")
  var connections = 128

  @Option(help: "Downloads at a time from one host.")
  var connectionsPerHost = 8

  @Option(help: "Seconds that one download may take in all.")
  var timeout = 30.0

  @Option(help: "Smallest similarity that a row may have.")
  var minSimilarity: Double?

  @Option(help: "Shortest side that an image may have, in pixels.")
  var minSide = 32

  @Option(
    help: "Crop to the middle square and resize to this many pixels; original size if not given."
  )
  var size: Int?

  @Option(help: "What we call ourselves to servers.")
  var userAgent: String?

  @Flag(help: "Allow private and loopback addresses.")
  var allowPrivateAddresses = false

  func run() async throws {
    var settings = LaionConfiguration(metadata: metadata, output: out)
    settings.parts = parts?.range
    settings.perSplit = perSplit
    settings.filter.minimumSimilarity = minSimilarity
    settings.image.minimumSide = minSide
    settings.image.size = size
    settings.fetch.concurrency = connections
    settings.fetch.concurrencyPerHost = connectionsPerHost
    settings.fetch.totalTimeout = timeout
    settings.fetch.allowPrivateAddresses = allowPrivateAddresses
    if let userAgent { settings.fetch.userAgent = userAgent }
    let start = Date()
    let report = try await LaionDownload(settings).run { progress in
      Console.progress(Self.text(progress))
    }
    for split in report.splits {
      let causes = split.failures.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
      Console.line(
        "split\(split.split): \(split.pairs) pairs"
          + (causes.isEmpty ? "" : "; failed: " + causes.joined(separator: ", "))
      )
    }
    for split in report.skipped { Console.line("split\(split): complete already") }
    if report.pairs == 0, report.skipped.isEmpty { throw NothingDownloaded(report: report) }
    let seconds = Date().timeIntervalSince(start)
    Console.line(
      "\(report.pairs) pairs in \(out), \(Text.number(Double(report.pairs) / seconds)) images/s"
    )
  }

  private static func text(_ progress: LaionProgress) -> String {
    let failed = progress.failures.values.reduce(0, +)
    let left = progress.secondsLeft.map { ", \(Text.time($0)) left" } ?? ""
    return "split\(progress.split)  \(progress.pairs)/\(progress.target) pairs  "
      + "\(failed) failed  \(Text.number(progress.imagesPerSecond)) images/s\(left)"
  }
}

/// A download that ended without a single pair: nothing to go on with.
private struct NothingDownloaded: Error, CustomStringConvertible {
  let report: LaionReport

  var description: String {
    let causes = Set(report.splits.flatMap(\.failures.keys))
    let hint =
      causes == ["blocked address"]
      ? "; the servers are private: --allow-private-addresses lets them in" : ""
    return "not one of the rows became a pair (causes in stats.json of each split)\(hint)"
  }
}
