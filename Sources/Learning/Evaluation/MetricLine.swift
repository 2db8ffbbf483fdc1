package import Files
import Foundation
import Glibc
import Networks
import Text

/// One line of a `metric-NAME.jsonl` file: the original's keys, then the protocol, without which scores
/// cannot be compared.
package struct MetricLine: Sendable {
  /// The protocol of a measurement.
  package struct MeasurementProtocol: Equatable, Sendable {
    /// The name of the rules: `lafite` or `clean`.
    package var rules: String
    /// Images generated for the measurement.
    package var generatedImages: Int
    /// The rules' number of images, if it was another.
    package var scaledFrom: Int?
    /// Seed of latents, noise and the choice of captions.
    package var seed: UInt64
    /// Images of the reference; `nil` if there is none, or its file lacks the number.
    package var realImages: Int?
    /// The feature detector's name.
    package var detector: String
    /// SHA-256 of its weights.
    package var detectorSHA256: String
    /// The resizing to the detector's input size.
    package var resize: String
    /// The source of the captions.
    package var captionSource: String
    /// The reference set, if there is one.
    package var referenceSet: String?
    /// The number of ranked captions, the own one included, in metrics of retrieval: 100, or all if there are
    /// fewer.
    package var candidates: Int?

    /// A protocol.
    package init(
      rules: String,
      generatedImages: Int,
      scaledFrom: Int?,
      seed: UInt64,
      realImages: Int?,
      detector: String,
      detectorSHA256: String,
      resize: String,
      captionSource: String,
      referenceSet: String?,
      candidates: Int? = nil
    ) {
      self.rules = rules
      self.generatedImages = generatedImages
      self.scaledFrom = scaledFrom
      self.seed = seed
      self.realImages = realImages
      self.detector = detector
      self.detectorSHA256 = detectorSHA256
      self.resize = resize
      self.captionSource = captionSource
      self.referenceSet = referenceSet
      self.candidates = candidates
    }
  }

  /// Scores by name, in the order they are written.
  package var results: [(name: String, value: Double)]
  /// The metric's name.
  package var metric: String
  /// Seconds it took.
  package var totalSeconds: Double
  /// Devices used.
  package var devices: Int
  /// The snapshot's file name.
  package var snapshot: String?
  /// Seconds since 1970.
  package var timestamp: Double
  /// The protocol.
  package var measurement: MeasurementProtocol?

  /// A line.
  package init(
    results: [(name: String, value: Double)],
    metric: String,
    totalSeconds: Double,
    devices: Int,
    snapshot: String?,
    timestamp: Double,
    measurement: MeasurementProtocol?
  ) {
    self.results = results
    self.metric = metric
    self.totalSeconds = totalSeconds
    self.devices = devices
    self.snapshot = snapshot
    self.timestamp = timestamp
    self.measurement = measurement
  }

  /// The line as JSON with the original's order and spacing, without newline.
  package var json: String {
    var fields = [
      ("results", object(results.map { ($0.name, number($0.value)) })),
      ("metric", quoted(metric)),
      ("total_time", number(totalSeconds)),
      ("total_time_str", quoted(durationText(totalSeconds))),
      ("num_gpus", "\(devices)"),
      ("snapshot_pkl", snapshot.map(quoted) ?? "null"),
      ("timestamp", number(timestamp)),
    ]
    if let measurement { fields.append(("protocol", measurement.json)) }
    return object(fields)
  }

  /// Appends the line to a file in one write: readers never see half of it.
  package func append(to path: String) throws(FileError) {
    let descriptor = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(descriptor) }
    try appendRecord(Array((json + "\n").utf8), to: descriptor, path: path)
    if fsync(descriptor) != 0 { throw FileError("flush", path: path) }
  }
}

extension MetricLine.MeasurementProtocol {
  fileprivate var json: String {
    var fields = [
      ("rules", quoted(rules)),
      ("generated_images", "\(generatedImages)"),
      ("scaled_from", scaledFrom.map { "\($0)" } ?? "null"),
      ("seed", "\(seed)"),
      ("real_images", realImages.map { "\($0)" } ?? "null"),
      ("detector", quoted(detector)),
      ("detector_sha256", quoted(detectorSHA256)),
      ("resize", quoted(resize)),
      ("caption_source", quoted(captionSource)),
      ("reference_set", referenceSet.map(quoted) ?? "null"),
    ]
    if let candidates { fields.append(("candidates", "\(candidates)")) }
    return object(fields)
  }
}

/// A duration in the original's format: "59s", "1m 15s", "1h 01m 01s", "1d 03h 46m".
package func durationText(_ seconds: Double) -> String {
  let total = Int(min(max(0, seconds), 1e12).rounded(.toNearestOrEven))
  if total < 86400 { return Text.fullTime(total) }
  let (days, hours, minutes) = (total / 86400, total / 3600 % 24, total / 60 % 60)
  return "\(days)d \(zeroPadded(hours, to: 2))h \(zeroPadded(minutes, to: 2))m"
}

private func object(_ fields: [(String, String)]) -> String {
  "{" + fields.map { "\(quoted($0)): \($1)" }.joined(separator: ", ") + "}"
}

/// A number as JSON, which has no NaN and no infinity: these are `null`.
private func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

private func quoted(_ text: String) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.withoutEscapingSlashes]
  let data = (try? encoder.encode(text)) ?? Data("\"\"".utf8)
  return String(decoding: data, as: UTF8.self)
}
