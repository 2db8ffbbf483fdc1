import Files
import Foundation
package import JSON

/// The outcome of a run's last session: the file `ending.json` of its folder, absent while a process trains
/// and after a kill.
package struct RunOutcome: Sendable, Equatable {
  /// The kind of an ending.
  package enum Kind: String, Sendable {
    /// The limit on images or time was reached.
    case finished
    /// A request stopped it.
    case stopped
    /// The watchdog ended it.
    case collapsed
    /// An error outside of the run ended it.
    case failed
  }

  /// The file's name.
  package static let fileName = "ending.json"

  /// The kind.
  package let kind: Kind
  /// The reason in one line, if the kind needs one.
  package let reason: String?
  /// Images seen so far.
  package let imagesSeen: Int

  /// An ending.
  package init(_ kind: Kind, reason: String? = nil, imagesSeen: Int) {
    (self.kind, self.reason, self.imagesSeen) = (kind, reason, imagesSeen)
  }

  /// The outcome of a run that ends with an error.
  package init(_ error: any Error, imagesSeen: Int) {
    let isCollapse = if case .diverged? = error as? TrainingError { true } else { false }
    self.init(isCollapse ? .collapsed : .failed, reason: "\(error)", imagesSeen: imagesSeen)
  }

  /// The file's text.
  package var json: OptionValue {
    let start: OptionValue = ["ending": .string(kind.rawValue), "images_seen": .int(imagesSeen)]
    return start.adding("reason", reason.map { .string($0) })
  }
}

extension RunOutcome {
  /// Trains, and records the outcome in the run's folder.
  ///
  /// The file is informational: a failed write does not fail the run.
  ///
  /// - Parameters:
  ///   - folder: The run's folder.
  ///   - report: Receives the warning when the file cannot be written.
  ///   - imagesSeen: Called at the end.
  ///   - body: Trains.
  /// - Returns: The result of the body.
  /// - Throws: The error of the body.
  static func noting(
    in folder: RunFolder,
    _ report: RunReport,
    _ imagesSeen: () -> Int,
    training body: () throws -> RunEnding
  ) throws -> RunEnding {
    // A session that is killed leaves none.
    try? FileManager.default.removeItem(atPath: folder.file(fileName))
    func note(_ outcome: RunOutcome) {
      do { try AtomicFile.write(outcome.json.prettyJSON, to: folder.file(fileName)) } catch {
        report.reportToConsole("\(error) (the run itself has ended as it should)")
      }
    }
    do {
      let ending = try body()
      note(.init(ending == .finished ? .finished : .stopped, imagesSeen: imagesSeen()))
      return ending
    } catch {
      note(.init(error, imagesSeen: imagesSeen()))
      throw error
    }
  }
}
