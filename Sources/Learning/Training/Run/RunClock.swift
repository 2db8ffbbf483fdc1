import Distributed

/// The clock of a run: its time of training over all sessions, and the time left.
final class RunClock {
  private let totalImages: Int
  private let limit: Double
  private var sessionStart = ContinuousClock.now
  private var tickStart = ContinuousClock.now
  private var secondsBefore = 0.0
  private var firstImage = 0

  /// The clock of a run.
  init(_ options: TrainingOptions) {
    totalImages = Int(options.kimg * 1000)
    limit = options.maximumSeconds ?? .infinity
  }

  /// Begins a session, or continues after a rollback, whose time counts.
  ///
  /// - Parameters:
  ///   - images: Images seen so far.
  ///   - seconds: Seconds of training before; the clock's own if not given.
  func begin(at images: Int, after seconds: Double? = nil) {
    (sessionStart, tickStart) = (.now, .now)
    firstImage = images
    if let seconds { secondsBefore = seconds }
  }

  /// Takes over the seconds of a checkpoint.
  func adopt(_ seconds: Double) { secondsBefore = seconds }

  /// Seconds of training so far, over all sessions.
  var seconds: Double { secondsBefore + sessionStart.secondsAgo }

  /// Seconds since the tick began or was restarted.
  var secondsOfTick: Double { tickStart.secondsAgo }

  /// Restarts the tick's time.
  func restartTick() { tickStart = .now }

  /// Whether this session has trained yet.
  func hasTrained(_ images: Int) -> Bool { images > firstImage }

  /// Whether the limit on images or on time is reached.
  func isOver(_ images: Int) -> Bool { images >= totalImages || seconds >= limit }

  /// The progress of a run.
  struct Forecast {
    /// Seconds until the limit on images, at the speed of this session.
    var byImages: Double
    /// Seconds until the limit on time.
    var byTime: Double
    /// Images a second.
    var rate: Double
    /// Images of the whole run; `nil` if the limit on time comes first.
    var total: Int?

    /// Seconds until the first of the two.
    var secondsLeft: Double { max(min(byImages, byTime), 0) }
  }

  /// The progress at a number of images.
  func forecast(_ images: Int) -> Forecast {
    let seconds = seconds
    let rate = Double(images - firstImage) / max(seconds - secondsBefore, 1e-3)
    let (byImages, byTime) = (Double(totalImages - images) / max(rate, 1e-6), limit - seconds)
    return Forecast(
      byImages: byImages,
      byTime: byTime,
      rate: rate,
      total: byImages <= byTime ? totalImages : nil
    )
  }
}
