import Foundation
import Text
import Torch

/// The line of a tick for log and console, and its numbers for `stats.jsonl`.
struct TickLine {
  /// The tick, with everything that was reported in it.
  var tick: Tick
  /// Images seen at its end.
  var imagesSeen: Int
  /// Seconds of the run so far, over all sessions.
  var elapsed: Double
  /// Seconds of the tick.
  var seconds: Double
  /// Seconds until the run ends.
  var secondsLeft: Double
  /// The current probability of a transform, p.
  var augmentProbability: Double
  /// The spread between pictures of different latents.
  var spread: Double
  /// The best score so far and the last one.
  var score: (best: BestSnapshot, last: Double?)?
  /// Memory of the process, in GiB.
  private let memory = Double(peakMemoryBytes()) / 0x1p30
  /// Memory of the device, in GiB.
  private let deviceMemory: Double

  /// A line without score.
  init(
    _ tick: Tick,
    imagesSeen: Int,
    elapsed: Double,
    seconds: Double,
    secondsLeft: Double,
    augmentProbability: Double,
    spread: Double,
    device: Device
  ) {
    self.tick = tick
    self.imagesSeen = imagesSeen
    self.elapsed = elapsed
    self.seconds = seconds
    self.secondsLeft = secondsLeft
    self.augmentProbability = augmentProbability
    self.spread = spread
    deviceMemory = Double(Runtime.takePeakBytes(on: device)) / 0x1p30
  }

  private var images: Double { Double(max(imagesSeen - tick.firstImage, 1)) }

  /// Its numbers by the original's names.
  func figures(stalled: Double) -> [(name: String, value: Double)] {
    [
      ("Progress/tick", Double(tick.number)), ("Progress/kimg", Double(imagesSeen) / 1000),
      ("Timing/total_sec", elapsed), ("Timing/sec_per_tick", seconds),
      ("Timing/sec_per_kimg", seconds / images * 1000),
      ("Timing/maintenance_sec", tick.maintenance), ("Timing/checkpoint_sec", stalled),
      ("Resources/cpu_mem_gb", memory), ("Resources/peak_gpu_mem_gb", deviceMemory),
      ("Progress/augment", augmentProbability), ("Timing/total_hours", elapsed / 3600),
      ("Timing/total_days", elapsed / 86_400), ("Progress/output_deviation", spread),
    ]
  }

  /// The line.
  var text: String {
    // A network that warms up has no loss.
    let loss = { (name: String) in tick.statistics.mean(name).map { format($0, 3) } ?? "–" }
    let score = score.map { score in
      "  \(score.best.metric) \(format(score.last ?? .nan, 4)) (best \(format(score.best.value, 4)))"
    }
    return "tick \(tick.number)  kimg \(format(Double(imagesSeen) / 1000, 1))  "
      + "time \(duration(elapsed))  sec/tick \(format(seconds, 1))  "
      + "sec/kimg \(format(seconds / images * 1000, 2))  "
      + "maintenance \(format(tick.maintenance, 1))  cpumem \(format(memory, 2))  "
      + "gpumem \(format(deviceMemory, 2))  "
      + "augment \(format(augmentProbability, 3))  "
      + "G \(loss("Loss/G/loss"))  D \(loss("Loss/D/loss"))\(score ?? "")  "
      + "left \(duration(secondsLeft))"
  }
}

/// The peak memory of this process so far, in bytes.
package func peakMemoryBytes() -> Int {
  var usage = rusage()
  let this: Int32 = 0  // RUSAGE_SELF, which Swift imports as another type
  return getrusage(this, &usage) == 0 ? usage.ru_maxrss * 1024 : 0
}

private func format(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

/// "1h 02m 03s" as the original's log writes durations.
package func duration(_ seconds: Double) -> String {
  guard (-1e9..<1e9).contains(seconds) else { return "–" }
  return Text.fullTime(Int(seconds.rounded()))
}
