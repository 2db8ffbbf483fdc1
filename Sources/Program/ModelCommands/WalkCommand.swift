import ArgumentParser
import CLIP
import CommandLine
import Console
import Files
import Images
import Networks
import Pixels
import Sampling
import Snapshots
import Text
import Torch

/// An interpolation between pictures.
struct WalkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "walk",
    abstract: "Interpolate between pictures, as an animation.",
    discussion: """
      Every stop has a text, a seed and a truncation, and a class if the network has
      classes. Give several of at least one of them; what is given once holds for all
      stops. The animation returns to the first stop, so that it repeats without a
      seam, unless --once is given.
      A frame is the picture that nifty studio paints at that point of its slider.
      With --latents the stops are what nifty project found.

      EXAMPLES
        nifty walk --network emoji "red heart" "yellow star" --out walk.webp
        nifty walk --network emoji "smiling cat" --seeds 0-5 --out cats.webp
        nifty walk --network emoji sun --seeds 7 --trunc 0,1.5 --out sun.webp
        nifty walk --network runs/00000-coco-auto "a red bus" "a blue boat" \\
          --seeds 3,4 --frames 48 --fps 24 --out walk.mp4
        nifty walk --network emoji sun moon --once --out frames
        nifty walk --network emoji --latents projected/a.safetensors \\
          --latents projected/b.safetensors --out ab.webp

      --out walk.webp is an animation that browsers show, walk.mp4 a film, which
      needs ffmpeg; any other name is a folder of PNG files, each of which carries
      how it was painted.
      """
  )

  /// The seeds where the stops differ in nothing else.
  static let standardSeeds: ClosedRange<UInt64> = 0...3
  /// The seed where the stops differ in their texts or truncations.
  static let standardSeed: UInt64 = 0

  /// The most frames of one walk.
  private static let mostFrames = 20_000

  @Argument(help: "Texts, one a stop, in any language that the CLIP knows.")
  var texts: [String] = []

  @Option(help: "File of nifty project, whose pictures are stops; repeats. Instead of texts.")
  var latents: [String] = []

  @OptionGroup var flags: PainterFlags

  @Option(
    help: """
      Seeds of the stops, as 0,3,10-15. (default: \(SeedList(Self.standardSeeds)) for one text,
      truncation and class, else \(Self.standardSeed))
      """
  )
  var seeds: SeedList?

  @Option(help: "Truncations of the stops, as 1,0.5: 1 is the full variety, 0 the average image.")
  var trunc: TruncationList = .init([1])

  @Option(help: "Frames from one stop to the next.")
  var frames = 24

  @Option(help: "Frames a second.")
  var fps = 24.0

  @Flag(help: "End on the last stop instead of returning to the first.")
  var once = false

  @Option(help: "Pixels of a side, scaled by Lanczos; without it the network's.")
  var size: Int?

  @Option(
    help: """
      Quality of a .webp, 1 to 100. (default: \(AnimatedWebP.standardQuality); no loss up to
      \(AnimatedWebP.widestWithoutLoss) pixels)
      """
  )
  var quality: Int?

  @Option(help: "File .webp or .mp4, or a folder for PNG files.")
  var out = "walk.webp"

  func validate() throws {
    guard FrameFile.Kind(out) != nil else { throw ValidationError("\(FrameFileError.kind(out))") }
    guard flags.noise != .random else {
      throw ValidationError("--noise_mode of a walk is const or none: random noise jumps at stops")
    }
    if latents.isEmpty == texts.isEmpty {
      throw ValidationError("a walk needs texts, or --latents of nifty project, not both")
    }
    if !latents.isEmpty,
      seeds != nil || trunc.values != [1] || flags.truncCutoff != nil || flags.classes != nil
    {
      throw ValidationError(
        "--latents hold the styles: leave --seeds, --trunc, --trunc-cutoff and --class out"
      )
    }
    for value in trunc.values { try refuse(value, unless: .truncation, flag: "--trunc") }
    if latents.isEmpty { try validateStops() }
    try refuse(frames, unless: .between(1, Double(Self.mostFrames)), flag: "--frames")
    try refuse(fps, unless: .between(0.1, 100), flag: "--fps")
    try refuse(size, unless: .between(1, 4096), flag: "--size")
    try refuse(quality, unless: .between(1, 100), flag: "--quality")
    if quality != nil, FrameFile.Kind(out) != .webp {
      throw ValidationError("--quality is for a .webp: \(out) has none")
    }
  }

  private func validateStops() throws {
    let counts = [
      ("texts", texts.count), ("seeds", stopSeeds.count), ("trunc", trunc.values.count),
      ("class", classCount),
    ]
    let stops = counts.map(\.1).max() ?? 1
    guard stops >= 2 else {
      throw ValidationError("a walk needs two stops: give two texts, --seeds, --trunc or --class")
    }
    if let odd = counts.first(where: { $0.1 != 1 && $0.1 != stops }) {
      let name = odd.0 == "texts" ? "texts" : "--\(odd.0)"
      throw ValidationError(
        "there are \(stops) stops, but \(odd.1) of \(name): give one for all, or one a stop"
      )
    }
    try refuse(frames, unless: .between(1, Double(Self.mostFrames)), flag: "--frames")
    guard stops * frames <= Self.mostFrames else {
      throw ValidationError("\(Self.tooMany(stops, frames))")
    }
  }

  private static func tooMany(_ stops: Int, _ frames: Int) -> String {
    "\(stops) stops of \(frames) --frames are \(stops * frames): \(mostFrames) are allowed"
  }

  /// The seeds of the stops, or the one of all.
  var stopSeeds: [UInt64] {
    if let seeds { return seeds.seeds }
    return texts.count == 1 && trunc.values.count == 1 && classCount == 1
      ? Array(Self.standardSeeds) : [Self.standardSeed]
  }

  private var classCount: Int { flags.classes?.choices.count ?? 1 }

  func run() throws {
    var file = try FrameFile(out, framesPerSecond: fps, quality: quality)
    let opened = try flags.opened()
    let stops = try latents.isEmpty ? describedStops(opened) : recordedStops(opened)
    let walk = Walk(stops: stops.count, framesOfLeg: frames, isLoop: !once)
    for (number, frame) in walk.frames.enumerated() {
      let (from, to) = (stops[frame.from], stops[frame.to])
      let painter = flags.painter(
        opened.generator,
        truncation: from.truncation,
        classes: from.end.classes
      )
      let record = from.record(painter, to, frame.share)
      let image = try finitePictures(painter.between(from.end, to.end, share: frame.share))[0]
      let side = size ?? image.width
      try file.append(
        side == image.width ? image : image.resized(width: side, height: side),
        texts: [record.text]
      )
      Console.progress("walk  frame \(number + 1) of \(walk.frames.count)")
    }
    try file.finish()
    let seconds = Text.number(Double(file.count) / fps)
    Console.line("wrote \(out): \(Text.count(file.count, "frame")), \(seconds) s")
  }

  /// A picture that the animation passes.
  private struct Stop {
    /// The text; of recorded styles the file's name.
    let name: String
    let seed: UInt64
    let truncation: Double
    let end: Painter.End
    /// The record of a frame between this stop and another.
    let record: (Painter, _ to: Stop, _ share: Double) -> PaintingRecord
  }

  /// Stops of texts, seeds and truncations.
  private func describedStops(_ opened: OpenedModel) throws -> [Stop] {
    let model = try opened.location.clipModel(
      flags.clip,
      for: opened.snapshot,
      on: opened.device,
      towers: .texts
    )
    if let note = model.noteOnLength(of: texts) { Console.error(note) }
    let features = try texts.map { try model.features(of: [$0]).normalized() }
    let network = try opened.digest.value()
    let choices = try flags.choices(opened)
    let count = max(texts.count, stopSeeds.count, trunc.values.count, choices.count)
    return (0..<count).map { index in
      let (prompt, seed) = (pick(texts, index), pick(stopSeeds, index))
      let truncation = pick(trunc.values, index)
      return Stop(
        name: prompt,
        seed: seed,
        truncation: truncation,
        end: .init(
          fts: pick(features, index),
          seed: seed,
          truncation: truncation,
          classes: pick(choices, index)
        )
      ) { painter, to, share in
        painter.record(of: .text(prompt), seed: seed, network: network, clip: model.sha256)
          .blending(
            .init(
              prompt: to.name,
              seed: to.seed,
              truncation: to.truncation,
              classes: to.end.classes,
              share: share
            )
          )
      }
    }
  }

  /// Stops of what `nifty project` found.
  private func recordedStops(_ opened: OpenedModel) throws -> [Stop] {
    let network = try opened.digest.value()
    let stops = try latents.flatMap { path in
      let recorded = try RecordedStyles(path, for: opened.generator)
      return (0..<recorded.ws.size(0)).map { row in
        Stop(
          name: recorded.name,
          // Of recorded styles the row: what they are painted with is no seed.
          seed: UInt64(row),
          truncation: 1,
          end: .init(
            fts: recorded.fts.sliced(0, row..<row + 1).to(opened.device),
            ws: recorded.ws.sliced(0, row..<row + 1)
          )
        ) { painter, to, share in
          var record = painter.record(
            of: .latents(recorded.name, row: row),
            seed: UInt64(row),
            network: network,
            clip: nil
          )
          record.approach = .init(latents: to.name, row: Int(to.seed), share: share)
          return record
        }
      }
    }
    guard stops.count >= 2 else {
      throw SamplingError("a walk needs two stops: give --latents of two pictures")
    }
    guard stops.count * frames <= Self.mostFrames else {
      throw SamplingError(Self.tooMany(stops.count, frames))
    }
    return stops
  }

  /// The value of a stop: the only one, or its own.
  private func pick<Value>(_ values: [Value], _ index: Int) -> Value {
    values.count == 1 ? values[0] : values[index]
  }
}

/// Truncations as `1,0.5`.
struct TruncationList: ExpressibleByArgument, CustomStringConvertible {
  /// The values in the order given.
  let values: [Double]

  /// These values.
  init(_ values: [Double]) { self.values = values }

  /// The values that a text lists; `nil` where one is no number.
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
      .map { Double(String($0)) }
    let values = parts.compactMap { $0 }
    guard values.count == parts.count, values.count <= 1000 else { return nil }
    self.values = values
  }

  var description: String { values.map { "\($0)" }.joined(separator: ",") }
}
