import ArgumentParser
import Console
import Foundation
import JSON
import Studio
import Text

/// The runs of a folder as a table.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List the runs of a folder: state, progress, best score, time left.",
    discussion: """
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
    let runs = try RunsFolder(folder).runs()
    if json {
      Console.text(OptionValue.dictionary([.init("runs", .list(runs.map(\.json)))]).prettyJSON)
    } else if runs.isEmpty {
      Console.line("\(folder) holds no runs")
    } else {
      for line in Self.table(runs) { Console.line(line) }
    }
  }

  /// The table's lines, columns aligned.
  static func table(_ runs: [RunSummary]) -> [String] {
    let head = ["run", "state", "kimg", "best", "left"]
    let rows = [head] + runs.map(cells)
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let troubles = runs.compactMap(\.trouble)
    return rows.map { row in
      zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    } + troubles
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
