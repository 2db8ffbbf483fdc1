import ArgumentParser
import Console
import Datasets
import Foundation
import JSON
import Studio
import Text
import Training

/// The runs of a folder as a table.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List the runs of a folder: state, progress, best score, time left.",
    discussion: """
      Lists the downloads of nifty laion and the datasets that nifty pack is making, too.

      EXAMPLES
        nifty runs runs
        nifty runs runs --json
      """
  )

  @Argument(help: ArgumentHelp("Folder of runs, or one run.", valueName: "folder"))
  var folder: String

  @Flag(help: "Print a JSON object instead, for programs.")
  var json = false

  func run() throws {
    let (runs, works) = try RunsFolder(folder).table()
    if json {
      let all: OptionValue = ["runs": .list(runs.map(\.json)), "works": .list(works.map(\.json))]
      Console.text(all.prettyJSON)
    } else if runs.isEmpty && works.isEmpty {
      Console.line("\(folder) holds no runs")
    } else {
      if !runs.isEmpty { for line in Self.table(runs) { Console.line(line) } }
      if !runs.isEmpty && !works.isEmpty { Console.line("") }
      if !works.isEmpty { for line in Self.table(works) { Console.line(line) } }
    }
  }

  /// The table's lines, columns aligned.
  static func table(_ runs: [RunSummary]) -> [String] {
    let head = ["run", "state", "kimg", "best", "left"]
    return Text.table([head] + runs.map(cells)) + runs.compactMap(\.trouble)
  }

  /// The same of downloads and packings.
  static func table(_ works: [WorkSummary]) -> [String] {
    let head = ["data", "by", "state", "done", "left out", "rate", "left"]
    return Text.table([head] + works.map(cells)) + works.compactMap(\.trouble)
  }

  private static func cells(_ work: WorkSummary) -> [String] {
    let isRunning = work.state == .running
    let progress = work.progress
    let total = progress?.total.map { "/\($0)" } ?? ""
    return [
      work.name, work.kind.rawValue, work.state.rawValue,
      progress.map { "\($0.done)\(total)" } ?? "–", progress.map { "\($0.leftOut)" } ?? "–",
      isRunning ? progress.map { Text.rate($0.rate, "images") } ?? "–" : "–",
      progress?.secondsLeft.map(Text.time) ?? "–",
    ]
  }

  private static func cells(_ run: RunSummary) -> [String] {
    let total = run.totalKimg.map { "/" + Text.number($0) } ?? ""
    let best = run.best.map { "\($0.metric) \(Text.number($0.value))" } ?? "–"
    return [
      run.name, run.state.rawValue, Text.number(run.kimg) + total, best,
      run.secondsLeft.map(duration) ?? "–",
    ]
  }
}
