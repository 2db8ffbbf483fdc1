import Distributed
import Files
import Foundation
import Glibc
import Networks
import Text
import Torch

/// The search for the largest batch that fits into memory: `--batch-gpu=auto`.
///
/// A trial trainer takes real steps with all four phases, from the smallest batch on. A larger one is tried
/// only if the forecast of its memory fits: an attempt that does not fit would end the process. The run's own
/// networks are not touched.
package struct BatchSearch {
  /// The memory limit of the process.
  struct Limit: Equatable {
    /// The bytes.
    var bytes: Int
    /// The origin of the limit, in words.
    var reason: String
  }

  /// The fraction of the limit that is used: allocators and the system need the rest.
  private static let usedPart = 0.9

  private let inputs: StepInputs
  private let limit: Limit
  private let say: (String) -> Void

  /// A search on the CPU.
  ///
  /// - Parameters:
  ///   - inputs: The run.
  ///   - say: Receives a line about each attempt.
  /// - Throws: `TrainingError.option` on CUDA, and with several ranks.
  package init(_ inputs: StepInputs, say: @escaping (String) -> Void) throws(TrainingError) {
    try self.init(inputs, limit: nil, say: say)
  }

  init(_ inputs: StepInputs, limit: Limit?, say: @escaping (String) -> Void) throws(TrainingError) {
    guard inputs.device == .cpu, !inputs.ranks.isShared else {
      throw .option(
        "--batch-gpu=auto searches in one process on a CPU only; give a number (the log's gpumem says what "
          + "it takes)"
      )
    }
    self.inputs = inputs
    self.limit = limit ?? Self.limitOfProcess()
    self.say = say
  }

  /// Searches.
  ///
  /// - Returns: The rounds of a step with the largest batch that fits.
  /// - Throws: An error of the data, or `TrainingError.option` if not even the smallest batch fits.
  package func rounds() throws -> Int {
    let batch = inputs.options.trainer.batchSize
    let group = min(inputs.options.trainer.discriminator.minibatchGroup ?? batch, batch)
    let base = Memory.bytes(.resident) ?? 0
    let most = Int(Double(limit.bytes) * Self.usedPart)
    var best: Int?
    var forecast = 0
    for images in Self.candidates(batch: batch, group: group) {
      if forecast > most {
        say(
          "--batch-gpu=auto: \(Text.count(images, "image")) would take about \(Text.bytes(Double(forecast)))"
        )
        break
      }
      let peak = try measure(images)
      say("--batch-gpu=auto: \(Text.count(images, "image")) took \(Text.bytes(Double(peak)))")
      if peak > most { break }
      best = images
      // Memory beyond that of before the step grows at most in proportion to the images.
      let next = Self.candidates(batch: batch, group: group).first { $0 > images } ?? images
      forecast = Self.forecast(peak: peak, base: base, images: images, next: next)
    }
    let allowed = "\(Text.bytes(Double(most))), nine tenths of \(limit.reason)"
    guard let best else {
      throw TrainingError.option(
        "--batch-gpu=auto: not even \(Text.count(group, "image")) fit into \(allowed); lower --channel-max, or "
          + "--mbstd-group, below which no batch can be cut"
      )
    }
    say("--batch-gpu=auto: \(best) of \(batch) at once, within \(allowed)")
    return batch / best
  }

  /// The batch sizes that divide a step into whole groups, the smallest first.
  static func candidates(batch: Int, group: Int) -> [Int] {
    (1...batch).filter { batch % $0 == 0 && $0 % group == 0 }
  }

  /// An upper bound on the memory of a larger batch.
  ///
  /// - Parameters:
  ///   - peak: The peak of the last attempt, in bytes.
  ///   - base: The memory before any step, in bytes.
  ///   - images: The images of the last attempt.
  ///   - next: The images of the next attempt.
  /// - Returns: Bytes.
  static func forecast(peak: Int, base: Int, images: Int, next: Int) -> Int {
    peak + Int(Double(max(peak - base, 0)) * Double(next - images) / Double(images))
  }

  /// The options of a step with a number of images at once that is as large as any of the run.
  static func trial(_ options: TrainingOptions, images: Int) -> TrainingOptions {
    var trial = options
    trial.trainer.rounds = trial.trainer.batchSize / images
    // A step that warms up takes less than those that follow it.
    trial.trainer.losses.pairedWarmup = 0
    trial.trainer.losses.visionAidedWarmup = 0
    return trial
  }

  /// Takes one step with a number of images at once.
  ///
  /// - Returns: The peak memory of the process in bytes.
  private func measure(_ images: Int) throws -> Int {
    let trial = inputs.with(Self.trial(inputs.options, images: images))
    let trainer = Trainer(trial)
    let isReset = Self.resetPeak()
    _ = trainer.step(try StepData(trial).batch(at: 0))
    return isReset ? Memory.bytes(.peak) ?? peakMemoryBytes() : peakMemoryBytes()
  }
}

// MARK: Memory of this process

extension BatchSearch {
  /// Resets the kernel's peak of this process's memory.
  ///
  /// - Returns: Whether it was reset; else earlier peaks count, too.
  private static func resetPeak() -> Bool {
    let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return write(file, "5", 1) == 1
  }

  /// The limit of this process: its group's, else the memory that the machine has left.
  static func limitOfProcess() -> Limit {
    // The process's own memory is available to it, too.
    let free = Memory.available.map { $0 + (Memory.bytes(.resident) ?? 0) }
    var found = Limit(
      bytes: free ?? Int(ProcessInfo.processInfo.physicalMemory),
      reason: "the memory that is free"
    )
    for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
      let text = try? String(contentsOfFile: path, encoding: .utf8)
      if let bytes = text.flatMap(Self.bytes), bytes < found.bytes {
        found = Limit(bytes: bytes, reason: "the limit of the control group (\(path))")
      }
    }
    var own = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &own) == 0,
      let bytes = Int(exactly: own.rlim_cur), bytes < found.bytes
    {
      found = Limit(bytes: bytes, reason: "the limit on address space (ulimit -v)")
    }
    return found
  }

  /// The number in a file of a control group; `nil` for "max".
  static func bytes(_ text: String) -> Int? {
    Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
