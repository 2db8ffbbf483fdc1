import ArgumentParser
import Console
import Foundation
import Laion
import Text

/// Stage 1: metadata → folders of pairs.
struct LaionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "laion",
    abstract: "Download image–caption pairs listed in LAION-shaped metadata.",
    discussion: """
      Part i of the metadata becomes OUT/spliti with consecutive pairs 0.png +
      0.txt, 1.png + … The same command goes on where an interrupted one stopped.

      EXAMPLES
        nifty laion --metadata laion_meta_file --out data/laion
        nifty laion --metadata laion_meta_file --out data/laion \\
          --parts 0-1 --per-split 1000
        nifty laion --metadata laion_meta_file --out data/laion \\
          --to zip --size 256
        nifty laion --metadata laion_meta_file --out data/laion --retry
        nifty laion --metadata laion_meta_file --out s3://bucket/laion \\
          --to webdataset --work /scratch/laion
        nifty laion --metadata laion_meta_file --out s3://bucket/laion \\
          --to zip --size 256 --s3-endpoint http://127.0.0.1:9000
        nifty laion verify --out data/laion

      Into an object store finished tars and zips go when they are full, and
      leave this machine; credentials come from AWS_ACCESS_KEY_ID and
      AWS_SECRET_ACCESS_KEY, or from AWS_PROFILE in ~/.aws.

      `nifty laion download --help` lists the options of a download.
      """,
    subcommands: [Download.self, Verify.self],
    defaultSubcommand: Download.self
  )
}

extension LaionCommand {
  /// How progress is told.
  enum LogForm: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  /// The download itself.
  struct Download: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Download pairs; what `nifty laion` does without a word."
    )

    private static let standardAddress = "127.0.0.1"

    @Option(required: LaionOptions.metadata) var metadata: String
    @Option(required: LaionOptions.out) var out: String
    @Option(optional: LaionOptions.work) var work: String?
    @Option(optional: LaionOptions.s3Endpoint) var s3Endpoint: String?
    @Flag(LaionOptions.retry) var retry: Bool

    @Option(help: "How progress is told; json is one object a line.")
    var log: LogForm = .text

    @Option(help: "Port that answers Prometheus at /metrics.")
    var metricsPort: Int?

    @Option(help: "Address of this machine that answers there; 0.0.0.0 for all of them.")
    var metricsAddress = Self.standardAddress

    @OptionGroup(title: "Rows") var rows: LaionRowFlags
    @OptionGroup(title: "Requests") var fetch: LaionRequestFlags
    @OptionGroup(title: "Storage") var store: LaionStorageFlags

    func validate() throws {
      do throws(LaionError) {
        try settings.validate()
        try LaionOptions.shards.check(rows.shards)
      } catch { throw ValidationError("\(error)") }
      let ports = OptionRange.between(0, 65_535)
      if let complaint = ports.complaint(about: metricsPort, of: "--metrics-port") {
        throw ValidationError(complaint)
      }
      if metricsPort == nil, metricsAddress != Self.standardAddress {
        throw ValidationError("--metrics-address is where --metrics-port answers: give a port, too")
      }
    }

    /// What the flags say, without regard to the variables of a cluster.
    var settings: LaionConfiguration {
      var settings = LaionConfiguration(metadata: metadata, output: out)
      LaionOptions.work.set(&settings, work)
      LaionOptions.s3Endpoint.set(&settings, s3Endpoint)
      LaionOptions.retry.set(&settings, retry)
      rows.apply(to: &settings)
      fetch.apply(to: &settings)
      store.apply(to: &settings)
      return settings
    }

    func run() async throws {
      var settings = settings
      let choice = try rows.shardChoice()
      settings.shard = choice.shard
      if let note = choice.note { Console.error(note) }
      if let folder = settings.workFolder {
        Console.error("working folder: \(folder); keep it until the download is finished")
      }
      var metrics: MetricsServer?
      if let metricsPort {
        metrics = try await MetricsServer(port: metricsPort, on: metricsAddress)
      }
      let (server, log) = (metrics, log)
      let start = Date()
      let report = try await LaionDownload(settings).run { progress in
        server?.note(progress)
        switch log {
        case .text: Console.progress(Self.text(progress))
        case .json: Console.line(Self.json(progress))
        }
      } uploading: { upload in
        if log == .text { Console.progress(Self.text(upload)) }
      }
      await metrics?.shutDown()
      if report.splits.isEmpty { Console.error("nothing to do: no part is in this shard") }
      if log == .text { try tell(report, seconds: Date().timeIntervalSince(start)) }
      if report.pairs == 0, report.skipped.isEmpty, !report.splits.isEmpty {
        throw NothingDownloaded(report: report)
      }
    }

    private func tell(_ report: LaionReport, seconds: Double) throws {
      for note in report.notes { Console.error(note) }
      for split in report.splits {
        if report.skipped.contains(split.split) {
          Console.line("split\(split.split): complete already, \(Text.count(split.pairs, "pair"))")
          continue
        }
        Console.line(
          "split\(split.split): \(Text.count(split.pairs, "pair"))"
            + Self.causes("failed", split.failures) + Self.causes("left out", split.filtered)
        )
        if let recoded = split.recodedCaptions, recoded > 0 {
          Console.line("  captions that are not UTF-8, read as Windows-1252: \(recoded)")
        }
      }
      // The rate is of what this run stored, which is nothing where all was there.
      let rate = Text.rate(Double(report.added) / seconds, "images")
      let pairs = Text.count(report.pairs, "pair")
      Console.line("\(pairs) in \(out)" + (report.added > 0 ? ", \(rate)" : ""))
      if let uploaded = report.uploaded {
        Console.line(
          "uploaded \(Text.count(uploaded.objects, "object")), "
            + "\(Text.number(Double(uploaded.bytes) / 1e6)) MB; "
            + "\(Text.count(uploaded.total, "object")) there, sizes and tags compared"
        )
      }
    }

    /// Counts by cause, the largest first; nothing of none.
    private static func causes(_ what: String, _ counts: [String: Int]) -> String {
      if counts.isEmpty { return "" }
      let causes = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.key.replacing("filtered: ", with: "")) \($0.value)" }
      return "; \(what): " + causes.joined(separator: ", ")
    }

    private static func text(_ progress: LaionProgress) -> String {
      let failed = progress.failures.values.reduce(0, +)
      let requested = progress.pairs + failed
      let success = requested > 0 ? "\(100 * progress.pairs / requested) %  " : ""
      let worst = progress.failures.sorted { $0.value > $1.value }.prefix(3)
        .map { "\($0.key) \($0.value)" }
      let left = progress.secondsLeft.map { ", \(Text.time($0)) left" } ?? ""
      return "split\(progress.split)  \(progress.pairs)/\(progress.target) pairs  "
        + "\(success)\(Text.rate(progress.imagesPerSecond, "images"))  "
        + "\(Text.rate(progress.bytesPerSecond / 1e6, "MB"))\(left)"
        + (worst.isEmpty ? "" : "  (\(worst.joined(separator: ", ")))")
    }

    private static func text(_ upload: UploadProgress) -> String {
      let part =
        upload.size == 0
        ? ""
        : "  \(Text.number(Double(upload.done) / 1e6))/\(Text.number(Double(upload.size) / 1e6)) MB"
      let rest = upload.waiting == 0 ? "" : ", \(Text.count(upload.waiting, "file")) to go"
      return "uploading \(upload.name)\(part)\(rest)"
    }

    private static func json(_ progress: LaionProgress) -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return (try? encoder.encode(progress)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
  }

  /// Holds what was downloaded against its ledger.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check that every pair is there and whole, and that the counts add up."
    )

    @Option(help: "Folder of split0, split1, …")
    var out: String

    @Flag(help: "Decode every image instead of reading its header.")
    var decode = false

    @Flag(help: "Read every image to its last byte and compare it with what was stored.")
    var full = false

    func run() throws {
      var verification = LaionVerification(output: out)
      verification.decodesImages = decode
      verification.readsWholeFiles = full
      let findings = try verification.run()
      for finding in findings {
        for complaint in finding.complaints { Console.error("\(finding.folder)/\(complaint)") }
        let verdict = finding.complaints.isEmpty ? "ok" : "damaged"
        Console.line("\(finding.folder): \(Text.count(finding.pairs, "pair")), \(verdict)")
      }
      if findings.contains(where: { !$0.complaints.isEmpty }) { throw ExitCode.failure }
    }
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
    if report.splits.allSatisfy({ $0.rowsRead == 0 }) {
      return
        "the metadata has no rows; rows are lines that end in a newline, below a header that names "
        + "the columns"
    }
    return
      "not one of the rows became a pair (causes above, and in stats.json of each split)\(hint)"
  }
}
