import Distributed
import Files
import Foundation
import Sampling
import Torch

extension TrainingRun {
  /// Writes the line of a tick to log and console, and its numbers to `stats.jsonl`.
  ///
  /// - Returns: What has newly gone wrong.
  func finishTick() throws -> [Watchdog.Alarm] {
    let now = Date()
    let elapsed = seconds
    let duration = tick.seconds + tickStart.secondsAgo
    let images = Double(max(trainer.imagesSeen - tick.firstImage, 1))
    let spread = grid.spread(trainer.generator)
    let alarms = watchdog.judge(tick.statistics, spread: spread, imagesSeen: trainer.imagesSeen)
    let memory = Double(peakMemoryBytes()) / 0x1p30
    let deviceMemory = Double(Runtime.peakBytes(on: device)) / 0x1p30
    let figures: [(String, Double)] = [
      ("Progress/tick", Double(tick.number)),
      ("Progress/kimg", Double(trainer.imagesSeen) / 1000),
      ("Timing/total_sec", elapsed), ("Timing/sec_per_tick", duration),
      ("Timing/sec_per_kimg", duration / images * 1000),
      ("Timing/maintenance_sec", tick.maintenance), ("Timing/checkpoint_sec", secondsStalled),
      ("Resources/cpu_mem_gb", memory), ("Resources/peak_gpu_mem_gb", deviceMemory),
      ("Progress/augment", trainer.augmentProbability),
      ("Timing/total_hours", elapsed / 3600), ("Timing/total_days", elapsed / 86_400),
      ("Progress/output_deviation", spread),
    ]
    for (name, value) in figures { tick.statistics.report(name, [value]) }
    try log.append(
      tick.statistics.line(timestamp: now.timeIntervalSince1970),
      to: "stats.jsonl"
    )
    board?.show(tick.statistics, step: trainer.imagesSeen)
    if let trouble = board?.takeTrouble() { try say("\(trouble) (training goes on)") }
    try say(line(elapsed: elapsed, duration: duration, images: images, memory: memory))
    tickStart = .now
    secondsStalled = 0
    return alarms
  }

  /// Reports how long the phases of a step took, in milliseconds as the original does.
  func noteTimes() throws {
    let spans = trainer.clock.takeSpans()
    for span in spans {
      tick.statistics.report("Timing/\(span.name)", [Double(span.duration) / 1e6])
    }
    guard profile?.add(spans) == true else { return }
    try finishProfile()
  }

  /// Writes the trace, if there is one.
  func finishProfile() throws {
    guard var profile else { return }
    self.profile = nil
    do {
      let path = try profile.finish(in: folder)
      observe(.line("wrote \(path); open it in chrome://tracing or ui.perfetto.dev"))
    } catch let error as FileError {
      try say("\(error) (training goes on without this trace)")
    }
  }

  /// Starts the next tick; what happened since the last one's line is its maintenance.
  func beginTick() {
    let number = tick.number + 1
    tick = Tick()
    tick.number = number
    tick.firstImage = trainer.imagesSeen
    tick.maintenance = tickStart.secondsAgo
    tickStart = .now
  }

  /// A line for log and console.
  func say(_ text: String) throws(FileError) {
    let wasWhole = log.trouble == nil
    try log.append(text, to: "log.txt")
    observe(.line(text))
    if wasWhole, let trouble = log.trouble {
      observe(.line("\(trouble) (training goes on; the lines wait in memory)"))
    }
  }

  private func line(
    elapsed: Double,
    duration seconds: Double,
    images: Double,
    memory: Double
  ) -> String {
    let loss = { (name: String) in format(self.tick.statistics.mean(name) ?? .nan, 3) }
    let (byImages, byTime, _) = timeLeft(elapsed)
    let score = best.map { best in
      "  \(best.metric) \(format(lastScore ?? .nan, 4)) (best \(format(best.value, 4)))"
    }
    return "tick \(tick.number)  kimg \(format(Double(trainer.imagesSeen) / 1000, 1))  "
      + "time \(duration(elapsed))  sec/tick \(format(seconds, 1))  "
      + "sec/kimg \(format(seconds / images * 1000, 2))  "
      + "maintenance \(format(tick.maintenance, 1))  cpumem \(format(memory, 2))  "
      + "gpumem \(format(Double(Runtime.peakBytes(on: device)) / 0x1p30, 2))  "
      + "augment \(format(trainer.augmentProbability, 3))  "
      + "G \(loss("Loss/G/loss"))  D \(loss("Loss/D/loss"))\(score ?? "")  "
      + "left \(duration(max(min(byImages, byTime), 0)))"
  }
}

/// The most memory this process has used so far, in bytes.
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
  guard seconds < 1e9 else { return "–" }
  let whole = Int(seconds.rounded())
  let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
  if hours > 0 { return String(format: "%dh %02dm %02ds", hours, minutes, rest) }
  return minutes > 0 ? String(format: "%dm %02ds", minutes, rest) : "\(rest)s"
}
