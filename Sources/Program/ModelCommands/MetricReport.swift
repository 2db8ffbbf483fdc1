import ArgumentParser
import Console
import Evaluation
import Files
import Foundation
import Images
import Text

/// The scores of runs over training: tables, the best snapshot, convergence, curves.
struct MetricReport {
  /// One run's values of one metric.
  struct Row {
    let run: String
    let history: MetricHistory
  }

  /// Rows by metric, in the order in which the runs first have them.
  let metrics: [(name: String, rows: [Row])]
  /// Lines that could not be read, by file.
  let unreadable: [(path: String, lines: Int)]

  /// Reads the metric lines of runs.
  ///
  /// - Parameters:
  ///   - runs: Run folders.
  ///   - names: Values to report, by metric name; all if empty.
  /// - Throws: `EvaluationError` if a folder has no such lines, or a file error.
  init(runs: [String], names: [String]) throws {
    var order: [String] = []
    var rows: [String: [Row]] = [:]
    var unreadable: [(path: String, lines: Int)] = []
    for (run, label) in zip(runs, Self.labels(runs)) {
      var found = false
      for file in try Self.files(run) {
        let metric = String(file.dropFirst("metric-".count).dropLast(".jsonl".count))
        guard names.isEmpty || names.contains(metric) else { continue }
        let path = "\(run)/\(file)"
        let (histories, broken) = try MetricHistory.read(path)
        if broken > 0 { unreadable.append((path, broken)) }
        for history in histories {
          if rows[history.name] == nil { order.append(history.name) }
          rows[history.name, default: []].append(Row(run: label, history: history))
          found = true
        }
      }
      guard found else {
        let wanted = names.isEmpty ? "" : " of \(names.joined(separator: ", "))"
        throw EvaluationError.option(
          "\(run) has no metric lines\(wanted) (metric-NAME.jsonl); "
            + "measure with nifty metrics --network \(run), or train with --metrics"
        )
      }
    }
    metrics = order.map { ($0, rows[$0] ?? []) }
    self.unreadable = unreadable
  }

  /// The report as text.
  ///
  /// - Parameter patience: Snapshots without improvement after which a run counts as converged.
  /// - Returns: A table and the runs' verdicts for each metric.
  func text(patience: Int) -> String {
    var parts = metrics.map { table($0.name, $0.rows) + verdicts($0.rows, patience: patience) }
    for (name, rows) in metrics where Set(rows.flatMap(\.history.protocols)).count > 1 {
      parts.append("\(name): not all values were measured by one protocol; do not compare them")
    }
    for (path, lines) in unreadable {
      parts.append("\(path): left out \(Text.count(lines, "unreadable line"))")
    }
    return parts.joined(separator: "\n\n")
  }

  /// The curves of one metric; the best values as lines to compare with.
  func chart(_ name: String, _ rows: [Row]) -> LineChart {
    LineChart(
      title: name,
      xLabel: "thousands of images",
      yLabel: rows.first?.history.prefersLarge == true ? "larger is better" : "smaller is better",
      series: rows.map { row in
        .init(row.run, points: row.history.entries.map { Point(Double($0.kimg), $0.value) })
      },
      references: rows.compactMap { row in
        row.history.best.map {
          let run = rows.count > 1 ? "\(row.run): " : ""
          return .init("\(run)best \(Text.score($0.value)) at \($0.kimg)", value: $0.value)
        }
      }
    )
  }

  private func table(_ name: String, _ rows: [Row]) -> String {
    let kimgs = Set(rows.flatMap { $0.history.entries.map(\.kimg) }).sorted()
    var lines = [["kimg"] + rows.map(\.run)]
    for kimg in kimgs {
      lines.append(
        ["\(kimg)"]
          + rows.map { row in
            guard let entry = row.history.entries.first(where: { $0.kimg == kimg }) else {
              return ""
            }
            let mark = row.history.best == entry ? " *" : "  "
            return Text.score(entry.value) + mark
          }
      )
    }
    return ([name] + Text.table(lines) { _ in true }).joined(separator: "\n") + "\n\n"
  }

  private func verdicts(_ rows: [Row], patience: Int) -> String {
    rows.map { row in
      guard let best = row.history.best else { return "\(row.run): no value is a number" }
      let since = row.history.snapshotsSinceBest
      let state =
        row.history.hasConverged(patience: patience)
        ? "converged: no improvement over the last \(Text.count(since, "snapshot"))"
        : "not converged: best \(since == 0 ? "at the last snapshot" : "\(Text.count(since, "snapshot")) ago")"
          + ", converged after \(patience)"
      return "\(row.run): best \(Text.score(best.value)) at \(best.kimg) kimg "
        + "(\(best.snapshot)); \(state)"
    }.joined(separator: "\n")
  }

  private static func files(_ run: String) throws -> [String] {
    try listFolder(run).filter { $0.hasPrefix("metric-") && $0.hasSuffix(".jsonl") }
  }

  /// Folder names, or paths where names repeat.
  private static func labels(_ runs: [String]) -> [String] {
    let names = runs.map { URL(filePath: $0).lastPathComponent }
    return Set(names).count == names.count ? names : runs
  }
}

/// `nifty metrics --report`.
struct ReportFlags: ParsableArguments {
  @Option(parsing: .upToNextOption, help: "Run folders whose scores are to be read.")
  var report: [String] = []
  @Option(help: "Picture of the curves to write, .png or .svg; with several metrics NAME is added.")
  var chart: String?
  @Option(help: "Snapshots without improvement after which a run counts as converged.")
  var patience = 5

  func validate() throws {
    if patience < 1 { throw ValidationError("--patience must be at least 1, not \(patience)") }
    if let chart, !chart.hasSuffix(".png"), !chart.hasSuffix(".svg") {
      throw ValidationError("--chart must end in .png or .svg, not \(chart)")
    }
    if chart != nil, report.isEmpty { throw ValidationError("--chart belongs to --report RUN") }
  }

  /// Prints the report and draws the curves.
  func run(metrics names: [String]) throws {
    let found = try MetricReport(runs: report, names: names)
    Console.line(found.text(patience: patience))
    guard let chart else { return }
    for (name, rows) in found.metrics {
      let path = found.metrics.count == 1 ? chart : Self.path(chart, adding: name)
      let drawing = found.chart(name, rows)
      if path.hasSuffix(".svg") {
        try AtomicFile.write(drawing.svg(), to: path)
      } else {
        try drawing.rendered().write(png: path)
      }
      Console.line("wrote \(path)")
    }
  }

  private static func path(_ chart: String, adding name: String) -> String {
    "\(chart.dropLast(4))-\(name)\(chart.suffix(4))"
  }
}

extension Text {
  /// A score as tables show it: four significant digits below 1000.
  static func score(_ value: Double) -> String {
    if !value.isFinite { return "–" }
    let digits =
      value.magnitude >= 1000
      ? 0 : value.magnitude >= 100 ? 1 : value.magnitude >= 10 ? 2 : value.magnitude >= 1 ? 3 : 4
    return String(format: "%.\(digits)f", value)
  }
}
