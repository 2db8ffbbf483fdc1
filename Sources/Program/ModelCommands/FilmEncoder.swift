import Files
import Foundation
import Images

/// ffmpeg at work on one film, which gets its pictures through a pipe.
final class FilmEncoder {
  private let path: String
  private let partial: String
  private let process = Process()
  private let pipe = Pipe()
  private let complaints: String
  private var isFinished = false

  /// The ffmpeg of `PATH`.
  ///
  /// - Throws: `FrameFileError` where there is none.
  static func program() throws -> String {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    let places = folders.map { "\($0)/ffmpeg" }
    guard let found = places.first(where: { access($0, X_OK) == 0 }) else {
      throw FrameFileError.film(
        "an .mp4 needs ffmpeg, which is not in PATH: install it, or take a name that ends in .webp"
      )
    }
    return found
  }

  /// Starts ffmpeg.
  ///
  /// - Parameters:
  ///   - path: The film; there only when it is whole.
  ///   - width: Pixels of each picture.
  ///   - height: The same.
  ///   - framesPerSecond: Above 0.
  /// - Throws: `FrameFileError` where ffmpeg is not found or cannot be started, `FileError` where a device or
  ///   a link has the name.
  init(_ path: String, width: Int, height: Int, framesPerSecond: Double) throws {
    try RegularFile.expect(at: path)
    self.path = path
    let url = URL(filePath: path)
    partial =
      url.deletingLastPathComponent()
      .appending(path: ".\(url.lastPathComponent).\(getpid()).part").path
    complaints =
      FileManager.default.temporaryDirectory
      .appending(path: "nifty-film-\(getpid())-\(UInt32.random(in: 0 ... .max)).log").path
    process.executableURL = URL(filePath: try Self.program())
    process.arguments = [
      "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
      "\(width)x\(height)", "-r", "\(framesPerSecond)", "-i", "pipe:0", "-an",
      // The colours that every player knows want even sides.
      "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
      "-f", "mp4", partial,
    ]
    process.standardInput = pipe
    process.standardOutput = FileHandle.nullDevice
    guard FileManager.default.createFile(atPath: complaints, contents: nil),
      let log = FileHandle(forWritingAtPath: complaints)
    else { throw FrameFileError.film("cannot write \(complaints), which ffmpeg complains to") }
    process.standardError = log
    do { try process.run() } catch {
      throw FrameFileError.film("ffmpeg cannot be started: \(error.localizedDescription)")
    }
  }

  deinit {
    if !isFinished {
      try? pipe.fileHandleForWriting.close()
      end()
      unlink(partial)
    }
    unlink(complaints)
  }

  /// Sends a picture.
  func append(_ image: RGBImage) throws {
    do {
      try pipe.fileHandleForWriting.write(contentsOf: Data(image.pixels))
    } catch { throw failure() }
  }

  /// Waits for ffmpeg and gives the film its name.
  func finish() throws {
    try pipe.fileHandleForWriting.close()
    process.waitUntilExit()
    isFinished = true
    guard process.terminationStatus == 0, process.terminationReason == .exit else {
      unlink(partial)
      throw failure()
    }
    do { try RegularFile.expect(at: path) } catch {
      unlink(partial)
      throw error
    }
    guard rename(partial, path) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(partial)
      throw FrameFileError.film("cannot write \(path): \(reason)")
    }
  }

  /// Ends ffmpeg, which may have inherited that signals are blocked.
  private func end() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  private func failure() -> FrameFileError {
    end()
    let words = (try? String(contentsOfFile: complaints, encoding: .utf8)) ?? ""
    let last = words.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(200))" } ?? ""
    return .film("ffmpeg did not make \(path)\(last)")
  }
}
