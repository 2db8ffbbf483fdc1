import Distributed
import Foundation
import Synchronization
import Threads

/// Writes checkpoints on a thread of its own, one at a time.
///
/// Training waits only while the tensors are copied; what became of a checkpoint is asked for later,
/// so that the run's lines all come from one thread.
final class CheckpointWriter: Sendable {
  /// How a checkpoint ended.
  enum Outcome: Sendable {
    case written(imagesSeen: Int, seconds: Double)
    case failed(imagesSeen: Int, reason: String)
  }

  private struct State: Sendable {
    var isBusy = false
    var outcomes: [Outcome] = []
  }

  private let folder: CheckpointFolder
  private let progress: HangDetector
  private let state = Mutex(State())
  private let finished = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - folder: Where checkpoints are written.
  ///   - progress: That of the process.
  init(_ folder: CheckpointFolder, progress: HangDetector) {
    self.folder = folder
    self.progress = progress
  }

  /// Whether a checkpoint is being written.
  var isBusy: Bool { state.withLock { $0.isBusy } }

  /// Begins to write; nothing else may be under way.
  func begin(_ runState: RunState, _ tensors: [HostTensor]) {
    let wasBusy = state.withLock { state in
      defer { state.isBusy = true }
      return state.isBusy
    }
    precondition(!wasBusy, "two checkpoints at a time")
    // Where the system has no thread left, training waits for the checkpoint.
    if WorkerThread.start({ [self] in write(runState, tensors) }) != 0 { write(runState, tensors) }
  }

  private func write(_ runState: RunState, _ tensors: [HostTensor]) {
    let start = Date()
    let images = runState.trainer.imagesSeen
    let outcome: Outcome
    do {
      try progress.alongside { try folder.write(runState, tensors) }
      outcome = .written(imagesSeen: images, seconds: Date().timeIntervalSince(start))
    } catch {
      outcome = .failed(imagesSeen: images, reason: "\(error)")
    }
    state.withLock { state in
      state.isBusy = false
      state.outcomes.append(outcome)
    }
    finished.signal()
  }

  /// Waits until nothing is being written.
  func wait() {
    if !isBusy { return }
    progress.doing("waits for a checkpoint to be written in \(folder.path)") {
      while isBusy { finished.wait() }
    }
  }

  /// How the checkpoints ended that were not asked for before.
  func takeOutcomes() -> [Outcome] {
    state.withLock { state in
      defer { state.outcomes = [] }
      return state.outcomes
    }
  }
}
