import Distributed
import Files
import Foundation
import Images
import Torch

/// The outputs of a run: log and console, statistics, event file, trace; and the values of the current tick.
final class RunReport {
  /// The values of the current tick.
  private(set) var tick = Tick()
  private let folder: RunFolder
  private let runLog: RunLog
  private let observe: (TrainingEvent) -> Void
  private var board: TensorBoard?
  private var profile: Profile?
  private var secondsStalled = 0.0

  /// - Parameters:
  ///   - folder: The run's folder.
  ///   - metrics: Names of the metrics that the run computes itself.
  ///   - profiles: Writes a trace of the session's first steps.
  ///   - hangDetector: The hang detector, notified of each write.
  ///   - observe: Receives the run's events.
  init(
    _ folder: RunFolder,
    metrics: [String],
    profiles: Bool,
    hangDetector: HangDetector,
    observe: @escaping (TrainingEvent) -> Void
  ) {
    self.folder = folder
    self.observe = observe
    runLog = RunLog(folder, metrics: metrics, hangDetector: hangDetector)
    profile = profiles ? Profile() : nil
  }

  /// Begins a session.
  ///
  /// - Parameters:
  ///   - images: Images seen so far.
  ///   - reals: Some of the data's images; `nil` for a continued run.
  /// - Throws: If operators cannot be traced.
  func begin(at images: Int, reals: RGBImage?) throws {
    // A run that continues a snapshot's count has not seen those images.
    if tick == Tick() { tick.firstImage = images }
    try profile?.begin(at: images)
    board = TensorBoard(in: folder, imagesSeen: reals == nil ? images : nil)
    if let reals { board?.show("reals", reals, png: try reals.encodedPNG(), step: 0) }
  }

  /// Continues from an earlier tick in a new event file.
  func begin(again images: Int) { board = TensorBoard(in: folder, imagesSeen: images) }

  // MARK: Log

  /// Writes a line to log and console.
  func log(_ text: String) throws(FileError) {
    let wasWhole = runLog.trouble == nil
    try runLog.append(text, to: "log.txt")
    reportToConsole(text)
    if wasWhole, let trouble = runLog.trouble {
      reportToConsole("\(trouble) (training goes on; the lines wait in memory)")
    }
  }

  /// Reports a rollback to a number of images, with a factor on the learning rates from then on.
  func log(rollback text: String, _ factor: Double, at images: Int) throws(FileError) {
    let line = "\(text) with \(factor) times the learning rates"
    try log(line)
    notify(.rolledBack(reason: line, imagesSeen: images))
  }

  /// Writes a line to the console alone.
  func reportToConsole(_ text: String) { observe(.line(text)) }

  /// Reports an event other than a line.
  func notify(_ event: TrainingEvent) { observe(event) }

  // MARK: Files

  /// Writes the buffered lines.
  func flush() throws(FileError) { try runLog.flush() }

  /// Sizes of the growing files, in bytes.
  var sizes: [String: Int] { runLog.sizes }

  /// Restores the tick of an earlier state, and truncates the files to it.
  ///
  /// - Parameters:
  ///   - state: The state; `nil` for the start of the run.
  ///   - keepsLog: Whether the log keeps its lines.
  /// - Throws: `FileError` if a file cannot be cut.
  func adopt(_ state: RunState?, keepingLog keepsLog: Bool = false) throws(FileError) {
    tick = state?.tick ?? Tick()
    var sizes = state?.logs ?? [:]
    if keepsLog { sizes["log.txt"] = runLog.sizes["log.txt"] }
    for line in try runLog.cut(to: sizes, imagesSeen: state?.trainer.imagesSeen ?? 0) {
      reportToConsole(line)
    }
  }

  // MARK: The tick

  /// Records the values of a step and the times of its phases, in milliseconds as the original does.
  func record(_ reports: [(name: String, values: [Double])], _ spans: [PhaseClock.Span]) throws {
    for (name, values) in reports { tick.statistics.report(name, values) }
    for span in spans {
      tick.statistics.report("Timing/\(span.name)", [Double(span.duration) / 1e6])
    }
    if profile?.add(spans) == true { try finishProfile() }
  }

  /// Adds time that training waited for a checkpoint.
  func noteStall(_ seconds: Double) { secondsStalled += seconds }

  /// Adds time of maintenance to the tick.
  func noteMaintenance(_ seconds: Double) { tick.maintenance += seconds }

  /// Writes the line of a tick to log and console, and its numbers to `stats.jsonl`.
  func finishTick(_ line: TickLine, at images: Int) throws {
    let now = Date()
    for (name, value) in line.figures(stalled: secondsStalled) {
      tick.statistics.report(name, [value])
    }
    try runLog.append(
      tick.statistics.line(timestamp: now.timeIntervalSince1970),
      to: "stats.jsonl"
    )
    board?.show(tick.statistics, step: images)
    if let trouble = board?.takeTrouble() { try log("\(trouble) (training goes on)") }
    try log(line.text)
    secondsStalled = 0
  }

  /// Starts the next tick.
  ///
  /// - Parameters:
  ///   - images: Images seen so far.
  ///   - maintenance: Seconds since the line of the tick before.
  func beginTick(at images: Int, after maintenance: Double) {
    let number = tick.number + 1
    tick = Tick()
    tick.number = number
    tick.firstImage = images
    tick.maintenance = maintenance
  }

  // MARK: Pictures, scores, trace

  /// Shows a picture.
  func show(_ name: String, _ image: RGBImage, png: [UInt8], at images: Int) {
    board?.show(name, image, png: png, step: images)
  }

  /// Records a score.
  func record(_ score: SnapshotMetric.Score, of metric: String, at images: Int) throws {
    try runLog.append(score.line, to: "metric-\(metric).jsonl")
    board?.show(metric, score.value, step: images)
    try log(score.line)
  }

  /// Writes the trace, if there is one.
  func finishProfile() throws {
    guard var profile else { return }
    self.profile = nil
    do {
      let path = try profile.finish(in: folder)
      reportToConsole("wrote \(path); open it in chrome://tracing or ui.perfetto.dev")
    } catch let error as FileError {
      try log("\(error) (training goes on without this trace)")
    }
  }
}

/// "1.024": thousands of images.
func kimg(_ images: Int) -> String { String(format: "%.3f", Double(images) / 1000) }
