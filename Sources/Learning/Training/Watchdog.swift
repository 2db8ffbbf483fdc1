import Foundation

/// The action of a run after a collapse.
package enum CollapsePolicy: String, Sendable, CaseIterable {
  /// Reports it and continues; a value that is not finite stops the run nevertheless.
  case warn
  /// Ends the run.
  case stop
  /// Rolls back to the last good checkpoint, with half the learning rates.
  case rollback
}

/// Detects a collapse from the recorded numbers of a run.
///
/// GANs fail in a few ways that show in the statistics. Each limit below is far from what
/// healthy runs show; a run at the edge of one deserves a look at its pictures.
package struct Watchdog: Codable, Equatable, Sendable {
  /// A kind of failure.
  package enum Alarm: Equatable, Sendable, CustomStringConvertible {
    /// A loss that is not finite.
    case notFinite(String, Double)
    /// The discriminator is saturated, sure of every image: the generator learns from noise.
    case saturated(ticks: Int, gap: Double)
    /// The gradient penalty, R1, and its usual value.
    case penaltyExploded(Double, usual: Double)
    /// Different latents give nearly the same picture: the deviation, and the largest one before.
    case outputCollapsed(Double, largest: Double)
    /// A score and the best one before.
    case metricWorse(String, Double, best: Double)

    /// The alarm's kind.
    package var kind: String {
      switch self {
      case .notFinite: "not-finite"
      case .saturated: "saturated"
      case .penaltyExploded: "penalty"
      case .outputCollapsed: "output"
      case .metricWorse: "metric"
      }
    }

    package var description: String {
      let text = { (value: Double) in String(format: "%.3g", value) }
      switch self {
      case .notFinite(let name, let value): return "\(name) is \(value)"
      case .saturated(let ticks, let gap):
        return "the discriminator has been sure of every image for \(ticks) ticks "
          + "(scores \(text(gap)) apart); a larger --gamma holds it back"
      case .penaltyExploded(let value, let usual):
        return "the gradient penalty R1 is \(text(value)), usually it was \(text(usual))"
      case .outputCollapsed(let value, let largest):
        return "the generator paints nearly the same picture for all latents "
          + "(deviation \(text(value)), it was \(text(largest)))"
      case .metricWorse(let name, let value, let best):
        return "\(name) is \(text(value)), the best was \(text(best))"
      }
    }
  }

  /// The limits.
  private enum Limit {
    static let sureSign = 0.995
    static let sureGap = 10.0
    static let sureTicks = 3
    static let penaltyFactor = 100.0
    static let penaltyHistory = 5...20
    static let spreadFactor = 0.1
    static let metricFactor = 2.0
  }

  /// The limit on rollbacks.
  package static let mostRollbacks = 5

  /// Rollbacks so far.
  package var rollbacks = 0
  /// Images seen by the target of the last rollback.
  package var rolledBackTo: Int?
  /// Images seen when the run was last healthy; later states may be damaged already.
  package private(set) var goodUntil = 0
  /// Kinds of the active alarms.
  package private(set) var active: [String] = []
  private var sureTicks = 0
  private var penalties: [Double] = []
  private var largestSpread = 0.0

  /// A watchdog without history.
  package init() {}

  /// Whether no alarm is active.
  package var isHealthy: Bool { active.isEmpty }

  /// Checks a tick.
  ///
  /// - Parameters:
  ///   - statistics: The statistics of the tick.
  ///   - spread: Deviation between the pictures of different latents, if it was measured.
  ///   - imagesSeen: Images seen at its end.
  /// - Returns: New alarms; a lasting one is returned once.
  package mutating func judge(
    _ statistics: RunningStatistics,
    spread: Double?,
    imagesSeen: Int
  ) -> [Alarm] {
    let alarms = [
      saturation(statistics), penalty(statistics), spread.flatMap { output($0) },
    ].compactMap(\.self)
    let others = active.filter { $0 == "metric" }
    if alarms.isEmpty, others.isEmpty, sureTicks == 0 { goodUntil = imagesSeen }
    return note(alarms, beside: others)
  }

  /// Checks a score against the best one before.
  package mutating func judge(
    _ metric: String,
    _ value: Double,
    best: Double?,
    prefersLarge: Bool
  ) -> [Alarm] {
    var alarms: [Alarm] = []
    if let best, best > 0 {
      let isWorse =
        prefersLarge ? value < best / Limit.metricFactor : value > best * Limit.metricFactor
      if isWorse || !value.isFinite { alarms.append(.metricWorse(metric, value, best: best)) }
    }
    return note(alarms, beside: active.filter { $0 != "metric" })
  }

  private mutating func note(_ alarms: [Alarm], beside others: [String]) -> [Alarm] {
    let new = alarms.filter { !active.contains($0.kind) }
    active = others + alarms.map(\.kind)
    return new
  }

  private mutating func saturation(_ statistics: RunningStatistics) -> Alarm? {
    guard let real = statistics.mean("Loss/signs/real"),
      let fake = statistics.mean("Loss/signs/fake"),
      let high = statistics.mean("Loss/scores/real"), let low = statistics.mean("Loss/scores/fake")
    else { return nil }
    let isSure = real >= Limit.sureSign && fake <= -Limit.sureSign && high - low >= Limit.sureGap
    sureTicks = isSure ? sureTicks + 1 : 0
    return sureTicks >= Limit.sureTicks ? .saturated(ticks: sureTicks, gap: high - low) : nil
  }

  private mutating func penalty(_ statistics: RunningStatistics) -> Alarm? {
    guard let value = statistics.mean("Loss/r1_penalty") else { return nil }
    let usual = penalties.sorted()[safe: penalties.count / 2] ?? 0
    if penalties.count >= Limit.penaltyHistory.lowerBound, value > usual * Limit.penaltyFactor {
      return .penaltyExploded(value, usual: usual)
    }
    penalties = (penalties + [value]).suffix(Limit.penaltyHistory.upperBound)
    return nil
  }

  private mutating func output(_ spread: Double) -> Alarm? {
    if spread < largestSpread * Limit.spreadFactor {
      return .outputCollapsed(spread, largest: largestSpread)
    }
    if spread.isFinite { largestSpread = max(largestSpread, spread) }
    return nil
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}
