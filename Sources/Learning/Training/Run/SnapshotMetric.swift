package import Networks

/// A metric of every network snapshot.
package struct SnapshotMetric {
  /// A score.
  package struct Score {
    /// The line for `metric-NAME.jsonl`.
    package var line: String
    /// The number by which snapshots are compared.
    package var value: Double
    /// Whether larger is better.
    package var prefersLarge: Bool

    /// A score.
    package init(line: String, value: Double, prefersLarge: Bool) {
      self.line = line
      self.value = value
      self.prefersLarge = prefersLarge
    }
  }

  /// The metric's name: the file is `metric-NAME.jsonl`.
  package let name: String
  /// Scores the averaged generator of a snapshot file.
  package let score: (_ average: Generator, _ snapshot: String) throws -> Score

  /// A metric.
  package init(_ name: String, score: @escaping (Generator, String) throws -> Score) {
    self.name = name
    self.score = score
  }
}
