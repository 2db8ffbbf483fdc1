package import JSON
import Text

/// The rule of which network snapshots stay on the disk: `--keep`.
///
/// The newest one always stays, and so does the best by the first metric.
package struct SnapshotKeeping: Equatable, Sendable {
  /// The number of newest ones.
  package var last: Int?
  /// The number of best ones by the first metric.
  package var best: Int?
  /// The interval in thousands of images of which the first one stays.
  package var everyKimg: Int?

  /// All of them, as the original does.
  package static let all = SnapshotKeeping()

  /// Whether all stay.
  package var isAll: Bool { self == .all }

  private init() {}

  /// Parses a rule: `all`, or terms as `last:3,best:2,every:1000`.
  ///
  /// - Throws: `TrainingError.option` naming the fault and the allowed form.
  package init(_ text: String) throws(TrainingError) {
    if text == "all" { return }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 2, let path = Self.parts.first(where: { $0.name == words[0] })?.path
      else { throw Self.error("\(text.debugDescription): \(String(part).debugDescription)") }
      guard let number = Int(words[1]), (1...1_000_000_000).contains(number) else {
        throw Self.error("\(text.debugDescription): \(words[1].debugDescription)")
      }
      guard self[keyPath: path] == nil else {
        throw .option("--keep says \(words[0]) twice: \(text)")
      }
      self[keyPath: path] = number
    }
  }

  private static func error(_ what: String) -> TrainingError {
    .option(
      "--keep must be all, or last:N, best:M and every:KIMG separated by commas, with numbers from 1 to "
        + "1e09, not \(what)"
    )
  }

  private static var parts: [(name: String, path: WritableKeyPath<SnapshotKeeping, Int?>)] {
    [("last", \.last), ("best", \.best), ("every", \.everyKimg)]
  }

  /// The rule as it is typed.
  package var text: String {
    let said = Self.parts.compactMap { part in
      self[keyPath: part.path].map { "\(part.name):\($0)" }
    }
    return said.isEmpty ? "all" : said.joined(separator: ",")
  }

  /// The snapshots to remove.
  ///
  /// - Parameters:
  ///   - written: The existing ones, in the order of writing.
  ///   - prefersLarge: Whether a larger score is better.
  ///   - kept: One that stays whatever the rule is.
  /// - Returns: Those to remove, the oldest first.
  func surplus(
    _ written: [WrittenSnapshot],
    prefersLarge: Bool,
    keeping kept: String? = nil
  ) -> [WrittenSnapshot] {
    guard !isAll, let newest = written.last else { return [] }
    var names: Set<String> = [newest.name]
    if let kept { names.insert(kept) }
    names.formUnion(written.suffix(last ?? 0).map(\.name))
    let scored = written.filter { $0.score?.isFinite == true }.sorted {
      let (a, b) = ($0.score ?? .nan, $1.score ?? .nan)
      return a == b ? $0.imagesSeen > $1.imagesSeen : prefersLarge ? a > b : a < b
    }
    names.formUnion(scored.prefix(best ?? 0).map(\.name))
    if let everyKimg {
      let parts = Dictionary(grouping: written) { $0.imagesSeen / 1000 / everyKimg }
      names.formUnion(parts.values.compactMap(\.first?.name))
    }
    return written.filter { !names.contains($0.name) }
  }

  /// The maximum number of snapshots on the disk, without one that is being written.
  ///
  /// - Parameters:
  ///   - count: The number that the run writes.
  ///   - kimg: Thousands of images of the run.
  ///   - isScored: Whether the best one stays.
  /// - Returns: The number.
  func most(of count: Int, kimg: Double, isScored: Bool) -> Int {
    if isAll { return count }
    let parts = everyKimg.map { Int(min(kimg / Double($0), Double(count))) + 1 } ?? 0
    let kept = max(last ?? 0, 1) + max(best ?? 0, isScored ? 1 : 0) + parts
    return min(kept, count)
  }
}

extension SnapshotKeeping: JSONConvertible {
  package var json: OptionValue { .string(text) }
  package init?(json: OptionValue) {
    guard let text = json.string, let rule = try? SnapshotKeeping(text) else { return nil }
    self = rule
  }
}

/// A network snapshot that a run has written.
package struct WrittenSnapshot: Codable, Equatable, Sendable {
  /// Its file's name.
  package var name: String
  /// Images that it was trained on.
  package var imagesSeen: Int
  /// Its score by the first metric, if it was scored.
  package var score: Double?
}
