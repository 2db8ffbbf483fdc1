import Files
import Images

/// What TensorBoard is shown of a run; trouble with its file never troubles the run.
final class Board {
  private let file: EventFile?
  /// Why nothing more is written; `nil` while all is well, and after it was asked for.
  private var trouble: FileError?

  /// Begins an event file; `imagesSeen` is `nil` for a new run.
  init(in folder: RunFolder, imagesSeen: Int?) {
    do { file = try EventFile(in: folder, imagesSeen: imagesSeen) } catch {
      (file, trouble) = (nil, error)
    }
  }

  /// Shows the means of a tick.
  func show(_ statistics: RunningStatistics, step: Int) {
    let means = statistics.summaries.map { ($0.name, $0.summary.mean) }
    attempt { file throws(FileError) in try file.scalars(means, step: step) }
  }

  /// Shows a score.
  func show(_ name: String, _ value: Double, step: Int) {
    attempt { file throws(FileError) in
      try file.scalars([("Metrics/\(name)", value)], step: step)
    }
  }

  /// Shows a picture.
  func show(_ name: String, _ image: RGBImage, png: [UInt8], step: Int) {
    attempt { file throws(FileError) in
      try file.image(name, png: png, width: image.width, height: image.height, step: step)
    }
  }

  /// The trouble since this was asked for last.
  func takeTrouble() -> FileError? {
    defer { trouble = nil }
    return trouble
  }

  private func attempt(_ body: (EventFile) throws(FileError) -> Void) {
    guard let file else { return }
    do { try body(file) } catch { trouble = error }
  }
}
