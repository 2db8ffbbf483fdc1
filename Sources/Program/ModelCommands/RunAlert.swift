import Console
import Fetch
import Files
import Foundation
import JSON
import Synchronization
import Training

/// What `--alert` posts: one JSON object when a run collapses, ends or is stopped.
final class RunAlert: Sendable {
  private struct Run: Sendable {
    var folder: String
    var imagesSeen = 0
    var isOver = false
  }

  private let hook: WebHook
  private let run = Mutex<Run?>(nil)

  /// Alerts to an address.
  ///
  /// - Throws: `DownloadError` if it is no http or https address.
  init(_ address: String) throws {
    hook = try WebHook(address) { Console.error("warning: \($0)") }
  }

  /// From now on there is a run to tell of.
  func begin(_ folder: String) { run.withLock { $0 = Run(folder: folder) } }

  /// Takes an event of the run.
  func note(_ event: TrainingEvent) {
    switch event {
    case .progress(let images, _, _, _): run.withLock { $0?.imagesSeen = images }
    case .rolledBack(let reason, let images): tell("rolled_back", reason, images)
    case .line, .snapshot: break
    }
  }

  /// Tells how the run ended, once, and waits a little until it is sent.
  func end(_ outcome: RunOutcome) {
    let isFirst = run.withLock { run in
      defer { run?.isOver = true }
      return run.map { !$0.isOver } ?? false
    }
    guard isFirst else { return }
    tell(outcome.kind.rawValue, outcome.reason, outcome.imagesSeen)
    hook.finish()
  }

  /// Tells that the process leaves in the middle of something that a continued run does again.
  func leave() {
    guard let images = run.withLock({ $0?.imagesSeen }) else { return }
    end(.init(.stopped, imagesSeen: images))
  }

  private func tell(_ event: String, _ reason: String?, _ images: Int) {
    guard let folder = run.withLock({ $0?.folder }) else { return }
    hook.tell(Self.message(event, reason, images, folder: folder).json)
  }

  /// The object; `text` is the line that chat programs show.
  static func message(
    _ event: String,
    _ reason: String?,
    _ images: Int,
    folder: String
  ) -> OptionValue {
    let url = URL(filePath: folder)
    let kimg = Double(images) / 1000
    let best = (try? String(contentsOf: url.appending(path: "best.json"), encoding: .utf8))
      .flatMap { OptionValue(json: $0) }
    let word = event.replacing("_", with: " ")
    let text =
      "\(url.lastPathComponent): \(word) at \(String(format: "%.3f", kimg)) kimg"
      + (reason.map { ": \($0)" } ?? "")
    let start: OptionValue = [
      "event": .string(event), "run": .string(url.lastPathComponent), "kimg": .double(kimg),
      "text": .string(text), "host": .string(ProcessInfo.processInfo.hostName),
      "time": .double(Date().timeIntervalSince1970.rounded()),
    ]
    return start.adding("reason", reason.map { .string($0) }).adding("best", best)
  }
}
