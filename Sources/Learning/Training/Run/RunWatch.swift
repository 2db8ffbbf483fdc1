/// Runs the watchdog, and chooses the action after a collapse.
final class RunWatch {
  /// The action after alarms.
  enum Verdict {
    /// Report it and continue.
    case warn
    /// End the run.
    case stop
    /// Go back to a good checkpoint.
    case rollBack
  }

  /// The watchdog with its history.
  private(set) var watchdog = Watchdog()
  private let policy: CollapsePolicy

  /// - Parameter policy: The action after a collapse.
  init(_ policy: CollapsePolicy) { self.policy = policy }

  /// Restores the state of a checkpoint.
  func adopt(_ state: RunState) { watchdog = state.watchdog }

  /// The first loss of a step that is not finite.
  func judge(_ reports: [(name: String, values: [Double])]) -> [Watchdog.Alarm] {
    for (name, values) in reports where name.hasPrefix("Loss/") {
      if let value = values.first(where: { !$0.isFinite }) { return [.notFinite(name, value)] }
    }
    return []
  }

  /// The new alarms of a tick.
  func judge(_ tick: Tick, spread: Double, imagesSeen: Int) -> [Watchdog.Alarm] {
    watchdog.judge(tick.statistics, spread: spread, imagesSeen: imagesSeen)
  }

  /// The alarm of a score against the best one before.
  func judge(
    _ metric: String,
    _ score: SnapshotMetric.Score,
    best: BestSnapshot?
  ) -> [Watchdog.Alarm] {
    watchdog.judge(metric, score.value, best: best?.value, prefersLarge: score.prefersLarge)
  }

  /// The action that the options choose; a loss that is not finite never just warns.
  func verdict(_ alarms: [Watchdog.Alarm]) -> Verdict {
    switch policy {
    case .warn: alarms.contains { $0.kind == "not-finite" } ? .stop : .warn
    case .stop: .stop
    case .rollback: .rollBack
    }
  }

  /// Images seen by the latest state that is known to be good.
  ///
  /// A score detects a collapse late, so only the best snapshot is known to be good; other alarms are
  /// checked at the end of a tick, and losses in every step.
  func lastGoodImages(_ alarms: [Watchdog.Alarm], now images: Int, best: BestSnapshot?) -> Int {
    alarms.map { alarm in
      switch alarm {
      case .notFinite: images
      case .metricWorse: best?.imagesSeen ?? 0
      case .saturated, .penaltyExploded, .outputCollapsed: watchdog.goodUntil
      }
    }.min() ?? 0
  }

  /// The number of the next rollback; `nil` after the last one allowed.
  var nextRollback: Int? {
    watchdog.rollbacks < Watchdog.mostRollbacks ? watchdog.rollbacks + 1 : nil
  }

  /// Records a rollback.
  func noteRollback(_ number: Int, to images: Int) {
    watchdog.rollbacks = number
    watchdog.rolledBackTo = images
  }
}
