import Files
import JSON
import Text

/// The details of one run besides its row in the table.
struct RunDetail {
  /// The names of its statistics.
  let statistics: [String]
  /// The thousands of images of the grids.
  let grids: [Int]
  /// Whether there is a grid of the data's images.
  let hasReals: Bool
  /// Warnings, rollbacks and continuations.
  let marks: [RunMark]
  /// The last lines of the log.
  let log: [String]
  /// The run's options; nested ones have their path as name.
  let options: [(name: String, value: OptionValue)]

  /// Reads a run's folder.
  ///
  /// - Throws: `FileError` if it cannot be listed.
  init(_ folder: String) throws(FileError) {
    let names = try listFolder(folder)
    grids = names.compactMap(Self.kimg).sorted()
    hasReals = names.contains("reals.png")
    statistics =
      Curve.metrics(names).map { Curve.metricPrefix + $0 } + Self.statistics(folder)
    // A missing or damaged log does not hide the rest.
    let lines = (try? OpenedFile(folder + "/log.txt").lastLines(within: 4 << 20)) ?? []
    marks = RunMark.marks(in: lines)
    log = lines.suffix(30).map { String($0.prefix(500)) }
    options = Self.options(folder)
  }

  /// The detail for the page.
  var json: OptionValue {
    [
      "statistics": .list(statistics.map { .string($0) }), "grids": .list(grids.map { .int($0) }),
      "reals": .bool(hasReals),
      "marks": .list(marks.map { ["text": .string($0.text), "kimg": .double($0.kimg)] }),
      "log": .list(log.map { .string($0) }),
      "options": .dictionary(options.map { .init($0.name, $0.value) }),
    ]
  }

  /// The file of a requested grid: a number of thousands of images, or `reals`.
  static func gridName(_ word: String?) -> String? {
    guard let word else { return nil }
    if word == "reals" { return "reals.png" }
    let isNumber = word.utf8.allSatisfy { (48...57).contains($0) }
    guard isNumber, (1...12).contains(word.utf8.count) else { return nil }
    return "fakes" + zeroPadded(word, to: 6) + ".png"
  }

  /// "fakes000012.png" → 12.
  private static func kimg(_ name: String) -> Int? {
    guard name.hasPrefix("fakes"), name.hasSuffix(".png") else { return nil }
    let digits = name.dropFirst(5).dropLast(4)
    guard (6...12).contains(digits.count), digits.allSatisfy(\.isNumber) else { return nil }
    return Int(digits)
  }

  private static func statistics(_ folder: String) -> [String] {
    guard let lines = try? OpenedFile(folder + "/stats.jsonl").lastLines(within: 64 << 10),
      let last = lines.last, case .dictionary(let entries)? = OptionValue(json: String(last))
    else { return [] }
    return entries.filter { $0.value["mean"] != nil }.map(\.key)
  }

  private static func options(_ folder: String) -> [(name: String, value: OptionValue)] {
    guard let text = try? OpenedFile(folder + "/training_options.json").text(upTo: 4 << 20),
      let json = OptionValue(json: text)
    else { return [] }
    return flat(json, "")
  }

  private static func flat(
    _ value: OptionValue,
    _ path: String
  ) -> [(name: String, value: OptionValue)] {
    guard case .dictionary(let entries) = value, !entries.isEmpty else {
      return path.isEmpty ? [] : [(path, value)]
    }
    return entries.flatMap { flat($0.value, path.isEmpty ? $0.key : path + "." + $0.key) }
  }
}
