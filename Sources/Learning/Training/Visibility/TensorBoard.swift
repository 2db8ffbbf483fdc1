import Files
import Images

/// TensorBoard's view of a run; an error of its file never ends the run.
final class TensorBoard {
  private let file: EventFile?
  /// The last error of the file, until `takeTrouble`.
  private var trouble: FileError?

  /// Begins an event file; `imagesSeen` is `nil` for a new run.
  init(in folder: RunFolder, imagesSeen: Int?) {
    do { file = try EventFile(in: folder, imagesSeen: imagesSeen) } catch {
      (file, trouble) = (nil, error)
    }
  }

  /// Writes the means of a tick.
  func show(_ statistics: RunningStatistics, step: Int) {
    let means = statistics.summaries.map { ($0.name, $0.summary.mean) }
    attempt { file throws(FileError) in try file.scalars(means, step: step) }
  }

  /// Writes a score.
  func show(_ name: String, _ value: Double, step: Int) {
    attempt { file throws(FileError) in
      try file.scalars([("Metrics/\(name)", value)], step: step)
    }
  }

  /// Writes a picture.
  func show(_ name: String, _ image: RGBImage, png: [UInt8], step: Int) {
    attempt { file throws(FileError) in
      try file.image(name, png: png, width: image.width, height: image.height, step: step)
    }
  }

  /// The error since the last call, if any.
  func takeTrouble() -> FileError? {
    defer { trouble = nil }
    return trouble
  }

  private func attempt(_ body: (EventFile) throws(FileError) -> Void) {
    guard let file else { return }
    do { try body(file) } catch { trouble = error }
  }
}
