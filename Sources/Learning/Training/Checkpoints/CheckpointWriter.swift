import Distributed
import Foundation
import Synchronization
import Threads

/// Writes checkpoints on a thread of its own, one at a time.
///
/// Training goes on meanwhile: it lends its state. It collects the outcomes later, so that all lines of the log
/// come from one thread.
final class CheckpointWriter: Sendable {
  /// The outcome of a checkpoint.
  enum Outcome: Sendable {
    case written(imagesSeen: Int, seconds: Double)
    case failed(imagesSeen: Int, reason: String)
  }

  private struct State: Sendable {
    var isBusy = false
    var outcomes: [Outcome] = []
  }

  private let folder: CheckpointFolder
  private let hangDetector: HangDetector
  private let state = Mutex(State())
  private let finished = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - folder: The destination.
  ///   - hangDetector: The hang detector of the process.
  init(_ folder: CheckpointFolder, hangDetector: HangDetector) {
    self.folder = folder
    self.hangDetector = hangDetector
  }

  /// Whether a checkpoint is being written.
  var isBusy: Bool { state.withLock { $0.isBusy } }

  /// Starts to write; the writer must be idle.
  func begin(_ runState: RunState, _ loan: StateLoan) {
    let wasBusy = state.withLock { state in
      defer { state.isBusy = true }
      return state.isBusy
    }
    precondition(!wasBusy, "two checkpoints at a time")
    // If the system refuses a thread, training waits for the checkpoint.
    if WorkerThread.start({ [self] in write(runState, loan) }) != 0 { write(runState, loan) }
  }

  private func write(_ runState: RunState, _ loan: StateLoan) {
    let start = Date()
    let images = runState.trainer.imagesSeen
    let outcome: Outcome
    defer { loan.end() }
    do {
      try hangDetector.alongside { try folder.write(runState, loan) }
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

  /// Waits for the checkpoint in flight.
  func wait() {
    if !isBusy { return }
    hangDetector.doing("waits for a checkpoint to be written in \(folder.path)") {
      while isBusy { finished.wait() }
    }
  }

  /// The outcomes since the last call.
  func takeOutcomes() -> [Outcome] {
    state.withLock { state in
      defer { state.outcomes = [] }
      return state.outcomes
    }
  }
}
