import ArgumentParser
import Console
import Files
import Foundation
import Images
import Text

/// The sample grids of a run, one after the other.
struct AnimateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "animate",
    abstract: "Show how the same latents looked over a run, as an animation.",
    discussion: """
      Takes fakes000000.png and so on of a run folder. They show the same
      latents under the same captions each time: those of --prompts, if the
      run was given some. Every browser opens a .webp; an .mp4 needs ffmpeg.

      EXAMPLES
        nifty animate runs/00000-coco-auto --out coco.webp
        nifty animate runs/00000-coco-auto --out coco.webp --fps 8 --every 2
      """
  )

  @Argument(help: ArgumentHelp("Run folder.", valueName: "run"))
  var folder: String
  @Option(help: "The animation's file, .webp or .mp4.")
  var out: String
  @Option(help: "Pictures a second.")
  var fps: Double = 4
  @Option(help: "Take each n-th picture; the last one is always in.")
  var every: Int = 1
  @Option(help: "Quality of the pictures, 1 to 100.")
  var quality = AnimatedWebP.standardQuality

  func validate() throws {
    guard let kind = FrameFile.Kind(out), kind != .folder else {
      throw ValidationError("--out must end in .webp or .mp4, not \(out)")
    }
    guard fps >= 0.01, fps <= 100 else {
      throw ValidationError("--fps must be between 0.01 and 100, not \(fps)")
    }
    guard every >= 1 else { throw ValidationError("--every must be at least 1, not \(every)") }
    guard (1...100).contains(quality) else {
      throw ValidationError("--quality must be between 1 and 100, not \(quality)")
    }
  }

  func run() throws {
    let names = try grids()
    let chosen = names.enumerated().filter { index, _ in
      (names.count - 1 - index) % every == 0
    }.map(\.element)
    let first = try picture(chosen[0])
    var animation = try FrameFile(out, framesPerSecond: fps, quality: quality)
    for (index, name) in chosen.enumerated() {
      let image = try picture(name)
      guard image.width == first.width, image.height == first.height else {
        throw AnimationError(
          "\(folder)/\(name) is \(image.width)×\(image.height), \(chosen[0]) is "
            + "\(first.width)×\(first.height)"
        )
      }
      // The last picture is held before the loop restarts.
      try animation.append(image, repeats: index == chosen.count - 1 ? 8 : 1)
    }
    try animation.finish()
    Console.line(
      "wrote \(out): \(Text.count(chosen.count, "picture")) of \(first.width)×\(first.height)"
    )
  }

  private func picture(_ name: String) throws -> RGBImage {
    do { return try RGBImage(contentsOf: "\(folder)/\(name)") } catch {
      throw AnimationError("\(folder)/\(name): \(error)")
    }
  }

  /// The names of the run's grids, oldest first.
  private func grids() throws -> [String] {
    let names = try listFolder(folder).filter { name in
      name.hasPrefix("fakes") && name.hasSuffix(".png")
        && name.dropFirst(5).dropLast(4).allSatisfy(\.isNumber)
    }
    guard !names.isEmpty else {
      throw AnimationError(
        "\(folder) holds no pictures as fakes000012.png; give the folder of a run"
      )
    }
    return names.sorted { ($0.count, $0) < ($1.count, $1) }
  }
}

/// Why a run's pictures make no animation, in one line: what, where, and what to do.
private struct AnimationError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
