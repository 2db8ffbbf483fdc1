/// Progress in Prometheus's text exposition format 0.0.4.
package enum PrometheusText {
  /// The latest samples of some splits.
  package static func text(_ splits: [LaionProgress]) -> String {
    var lines: [String] = []
    func family(_ name: String, _ type: String, _ help: String, _ samples: [String]) {
      lines += ["# HELP nifty_laion_\(name) \(help)", "# TYPE nifty_laion_\(name) \(type)"]
      lines += samples.map { "nifty_laion_\(name)\($0)" }
    }
    func each(_ value: (LaionProgress) -> Any) -> [String] {
      splits.map { "{split=\"\($0.split)\"} \(value($0))" }
    }
    func causes(_ counts: (LaionProgress) -> [String: Int]) -> [String] {
      splits.flatMap { split in
        counts(split).sorted { $0.key < $1.key }
          .map { "{split=\"\(split.split)\",cause=\"\($0.key)\"} \($0.value)" }
      }
    }
    family("rows_total", "counter", "Rows of metadata that are finished.", each { $0.rowsDone })
    family("pairs_total", "counter", "Pairs stored.", each { $0.pairs })
    family("pairs_target", "gauge", "Pairs asked for.", each { $0.target })
    family("bytes_total", "counter", "Bytes of images downloaded.", each { $0.bytes })
    family("images_per_second", "gauge", "Pairs stored per second.", each { $0.imagesPerSecond })
    // Not a counter: rows that are requested again may succeed.
    family("failures", "gauge", "Rows without an image, by cause.", causes { $0.failures })
    family("filtered_total", "counter", "Rows not requested, by cause.", causes { $0.filtered })
    return lines.joined(separator: "\n") + "\n"
  }
}
