/// Looks at the numbers of a run, and decides what follows when it has collapsed.
final class RunWatch {
  /// What to do about alarms.
  enum Verdict {
    /// Say so and go on.
    case warn
    /// End the run.
    case stop
    /// Go back to a good checkpoint.
    case rollBack
  }

  /// What is known about how the run does.
  private(set) var watchdog = Watchdog()
  private let policy: CollapsePolicy

  /// - Parameter policy: What happens when the run has collapsed.
  init(_ policy: CollapsePolicy) { self.policy = policy }

  /// Takes over what a checkpoint knows.
  func adopt(_ state: RunState) { watchdog = state.watchdog }

  /// A loss of a step that is no number, if there is one.
  func judge(_ reports: [(name: String, values: [Double])]) -> [Watchdog.Alarm] {
    for (name, values) in reports where name.hasPrefix("Loss/") {
      if let value = values.first(where: { !$0.isFinite }) { return [.notFinite(name, value)] }
    }
    return []
  }

  /// What newly goes wrong in a tick.
  func judge(_ tick: Tick, spread: Double, imagesSeen: Int) -> [Watchdog.Alarm] {
    watchdog.judge(tick.statistics, spread: spread, imagesSeen: imagesSeen)
  }

  /// What a score says against the best one before.
  func judge(
    _ metric: String,
    _ score: SnapshotMetric.Score,
    best: BestSnapshot?
  ) -> [Watchdog.Alarm] {
    watchdog.judge(metric, score.value, best: best?.value, prefersLarge: score.prefersLarge)
  }

  /// What the options want done about alarms; a loss that is not finite never just warns.
  func verdict(_ alarms: [Watchdog.Alarm]) -> Verdict {
    switch policy {
    case .warn: alarms.contains { $0.kind == "not-finite" } ? .stop : .warn
    case .stop: .stop
    case .rollback: .rollBack
    }
  }

  /// Images seen by the latest state that was surely good.
  ///
  /// A score tells late, so that only the best snapshot is known to be; ticks tell at their ends; losses
  /// are looked at in every step.
  func lastGoodImages(_ alarms: [Watchdog.Alarm], now images: Int, best: BestSnapshot?) -> Int {
    alarms.map { alarm in
      switch alarm {
      case .notFinite: images
      case .metricWorse: best?.imagesSeen ?? 0
      case .saturated, .penaltyExploded, .outputCollapsed: watchdog.goodUntil
      }
    }.min() ?? 0
  }

  /// The number of the rollback that comes now; `nil` where there were enough.
  var nextRollback: Int? {
    watchdog.rollbacks < Watchdog.mostRollbacks ? watchdog.rollbacks + 1 : nil
  }

  /// Notes a rollback.
  func noteRollback(_ number: Int, to images: Int) {
    watchdog.rollbacks = number
    watchdog.rolledBackTo = images
  }
}
