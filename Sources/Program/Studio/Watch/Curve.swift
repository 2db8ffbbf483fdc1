import Files

/// One statistic over a run.
struct Curve: Sendable {
  /// A point: thousands of images, hours of training (not a number where unknown), the statistic.
  struct Point: Sendable, Equatable {
    var kimg: Double
    var hours: Double
    var value: Double
  }

  /// The points in order of time.
  private(set) var points: [Point] = []
  private var file: GrowingFile
  private let name: [UInt8]
  private let isMetric: Bool

  /// Metrics are statistics, too: "Metrics/fid50k_full" is in `metric-fid50k_full.jsonl`.
  static let metricPrefix = "Metrics/"

  private static let kimg = StatisticLines.key("Progress/kimg")
  private static let seconds = StatisticLines.key("Timing/total_sec")

  /// A statistic of a run.
  ///
  /// - Parameters:
  ///   - name: As in `stats.jsonl`, or a metric's with "Metrics/" before it.
  ///   - metrics: The run's metrics: no other file is opened.
  ///   - folder: The run's folder.
  init?(_ name: String, metrics: [String], folder: String) {
    isMetric = name.hasPrefix(Self.metricPrefix)
    let metric = String(name.dropFirst(Self.metricPrefix.count))
    if isMetric, !metrics.contains(metric) { return nil }
    self.name = isMetric ? StatisticLines.scoreKey(metric) : StatisticLines.key(name)
    file = GrowingFile(folder + "/" + (isMetric ? "metric-\(metric).jsonl" : "stats.jsonl"))
  }

  /// The names of the metrics among a run's files.
  static func metrics(_ names: [String]) -> [String] {
    names.filter { $0.hasPrefix("metric-") && $0.hasSuffix(".jsonl") }
      .map { String($0.dropFirst(7).dropLast(6)) }
  }

  /// Reads the appended lines.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  mutating func update() throws(FileError) {
    let news = try file.news()
    var points = news.beganAnew ? [] : self.points
    let (name, isMetric) = (self.name, self.isMetric)
    StatisticLines.forEach(news.bytes) { line in
      if isMetric {
        if let score = StatisticLines.score(name, in: line) { points.append(score) }
        return
      }
      guard let kimg = StatisticLines.mean(Self.kimg, in: line),
        let value = StatisticLines.mean(name, in: line), value.isFinite
      else { return }
      let seconds = StatisticLines.mean(Self.seconds, in: line) ?? 0
      points.append(Point(kimg: kimg, hours: seconds / 3600, value: value))
    }
    self.points = points
  }
}

extension [Curve.Point] {
  /// The points downsampled to about `count`: the minimum and the maximum of each window.
  func thinned(to count: Int) -> [Curve.Point] {
    let buckets = Swift.max(count / 2, 1)
    guard self.count > 2 * buckets else { return self }
    return (0..<buckets).flatMap { bucket -> [Curve.Point] in
      let range = self.count * bucket / buckets..<self.count * (bucket + 1) / buckets
      guard let low = range.min(by: { self[$0].value < self[$1].value }),
        let high = range.max(by: { self[$0].value < self[$1].value })
      else { return [] }
      return low == high ? [self[low]] : [self[Swift.min(low, high)], self[Swift.max(low, high)]]
    }
  }

  /// The points with an exponential moving average as their values.
  ///
  /// - Parameter weight: The weight of the past, 0 to below 1; 0 changes nothing.
  /// - Returns: As many points.
  func smoothed(_ weight: Double) -> [Curve.Point] {
    guard weight > 0 else { return self }
    var (average, sum) = (0.0, 0.0)
    return map { point in
      average = average * weight + point.value * (1 - weight)
      sum = sum * weight + (1 - weight)
      var smooth = point
      // Bias correction of the first values.
      smooth.value = average / sum
      return smooth
    }
  }
}
