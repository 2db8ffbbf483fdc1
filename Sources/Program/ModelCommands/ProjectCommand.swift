import ArgumentParser
import CLIP
import CommandLine
import Console
import Evaluation
import Fetch
import Files
import Foundation
import Images
import Networks
import Pixels
import Sampling
import Text
import Torch

/// A picture → the styles that paint it.
struct ProjectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "project",
    abstract: "Find a picture in a generator: the styles that paint it.",
    discussion: """
      Searches for the styles whose picture is most like the given one, by the features
      of an encoder and by pixels. Writes what they paint, the styles, and the search
      as an animation, the given picture on its left.

      EXAMPLES
        nifty project --network emoji cat.png
        nifty project --network emoji cat.png --space w --steps 1000
        nifty generate --network emoji --latents projected/cat.safetensors
        nifty walk --network emoji --latents projected/cat.safetensors \\
          --latents projected/dog.safetensors
      """
  )

  /// What sees the pictures.
  enum Encoder: String, ExpressibleByArgument, CaseIterable {
    /// The image tower of the generator's CLIP.
    case clip
    /// EfficientNet-Lite0.
    case lite0
  }

  private static let standard = Projector.Settings()
  /// Frames of the animation, and pixels of the smaller pictures in it.
  private static let (mostFrames, leastSide) = (60, 256)

  @Argument(help: "The picture; its middle is cut out and scaled to the network's size.")
  var picture: String

  @OptionGroup var flags: PainterFlags

  @Option(help: "Where styles are searched: w, one for all layers, or w+, one for each layer.")
  var space = Self.standard.space

  @Option(help: "Steps of the search.")
  var steps = Self.standard.steps

  @Option(name: .customLong("lr"), help: "Largest step size.")
  var learningRate = Self.standard.learningRate

  @Option(help: "What compares the pictures beside their pixels.")
  var features = Encoder.clip

  @Option(help: "Weight of the features' distance.")
  var featureWeight = Self.standard.featureWeight

  @Option(help: "Weight of the pixels' distance.")
  var pixelWeight = Self.standard.pixelWeight

  @Option(help: "Text to paint after; without it the picture's own CLIP feature.")
  var text: String?

  @Option(help: "Seed of the noise in the search.")
  var seed: UInt64 = Self.standard.seed

  @Option(help: "Folder for the picture, the styles and the animation.")
  var out = "projected"

  @Flag(help: "Replace earlier files of the same name; else new ones get a number.")
  var overwrite = false

  func validate() throws {
    try refuse(steps, unless: .between(1, 100_000, "steps"), flag: "--steps")
    try refuse(learningRate, unless: .between(1e-6, 10), flag: "--lr")
    try refuse(featureWeight, unless: .between(0, 1e6), flag: "--feature-weight")
    try refuse(pixelWeight, unless: .between(0, 1e6), flag: "--pixel-weight")
    if featureWeight + pixelWeight == 0 {
      throw ValidationError("--feature-weight and --pixel-weight are both 0: nothing to search for")
    }
    guard flags.noise == .const, flags.truncCutoff == nil else {
      throw ValidationError(
        "a projection is painted with --noise_mode const, without --trunc-cutoff"
      )
    }
  }

  private var settings: Projector.Settings {
    var settings = Projector.Settings()
    (settings.space, settings.steps, settings.seed) = (space, steps, seed)
    settings.learningRate = learningRate
    (settings.featureWeight, settings.pixelWeight) = (featureWeight, pixelWeight)
    return settings
  }

  func run() throws {
    try OutputName.expectFolder(out)
    let given = try givenPicture(picture)
    let opened = try flags.opened()
    let shape = opened.generator.configuration
    let side = shape.resolution
    let choices = try flags.choices(opened)
    guard choices.count == 1, let classes = choices.first else {
      throw SamplingError("--class: a projection begins with the styles of one class")
    }
    let target = given.centerCropped().resized(width: side, height: side)
    let model = try clip(opened)
    let fts = try condition(given, model)
    let names = try FreeNames(out, stem: URL(filePath: picture), overwrites: overwrite)
    var way = try FrameFile(names.animation, framesPerSecond: 20, quality: nil)
    let projector = Projector(
      opened.generator,
      settings,
      labels: shape.labelDimension.flatMap { classes?.label(dimension: $0) },
      encode: try encoder(model, opened.device)
    )
    let every = max(1, (steps + Self.mostFrames - 1) / Self.mostFrames)
    let grid = ImageGrid(columns: 2, magnification: max(1, Self.leastSide / side))
    let ws = try projector.styles(of: imageTensor([target]).to(opened.device), fts: fts) {
      progress in
      let (step, isLast) = (progress.step, progress.step == steps)
      guard step % every == 0 || step == 1 || isLast else { return }
      let frame = try grid.image(of: [target, finitePictures(progress.image)[0]])
      try way.append(frame, repeats: isLast ? 20 : 1)
      Console.progress(
        "project  step \(step) of \(steps)  features \(Text.number(progress.featureDistance))  "
          + "pixels \(Text.number(progress.pixelDistance))"
      )
    }
    try RecordedStyles.write(ws: ws.to(.cpu), fts: fts.to(.cpu), to: names.styles)
    try way.finish()
    try write(ws, fts, opened, model, target, names)
  }

  /// The CLIP of the network; `nil` for one that knows no texts.
  private func clip(_ opened: OpenedModel) throws -> ClipModel? {
    if opened.generator.configuration.featureDimension > 0 {
      return try opened.location.clipModel(flags.clip, for: opened.snapshot, on: opened.device)
    }
    guard text == nil, features == .lite0 else {
      throw SamplingError(
        "\(flags.network) knows no texts and has no CLIP: give --features lite0, and no --text"
      )
    }
    return nil
  }

  /// What the picture is painted after, unit length, [1, featureDimension].
  private func condition(_ given: RGBImage, _ model: ClipModel?) throws -> Tensor {
    guard let model else { return .zeros([1, 0]) }
    guard let text else { return model.condition(of: given, noise: 0) }
    if let note = model.noteOnLength(of: [text]) { Console.error(note) }
    return try model.features(of: [text]).normalized()
  }

  /// Paints what was found and says how far from the picture it is.
  private func write(
    _ ws: Tensor,
    _ fts: Tensor,
    _ opened: OpenedModel,
    _ model: ClipModel?,
    _ target: RGBImage,
    _ names: FreeNames
  ) throws {
    let painter = flags.painter(opened.generator, truncation: 1)
    let image = try finitePictures(painter.images(ws: ws, fts: fts, seeds: [0]))[0]
    let record = painter.record(
      of: .latents(URL(filePath: names.styles).lastPathComponent, row: 0),
      seed: 0,
      network: try opened.digest.value(),
      clip: model?.sha256
    )
    try image.write(png: names.picture, texts: [record.text])
    let squares = zip(image.pixels, target.pixels).map { pow(Double($0) - Double($1), 2) }
    let deviation = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    Console.line(
      "wrote \(names.picture), \(names.styles) and \(names.animation); pixels differ by "
        + "\(Text.number(deviation)) of 255 (root mean square)"
    )
  }

  /// Features of unit length of pictures in [−1, 1], differentiable.
  private func encoder(_ model: ClipModel?, _ device: Device) throws -> (Tensor) -> Tensor {
    if features == .clip, let model {
      return { images in
        let fitting =
          images.size(2) == model.side
          ? images : images.bilinear(height: model.side, width: model.side, antialias: true)
        return model.model.encodeImage(CLIP.normalize((fitting + 1) / 2)).to(.float32).normalized()
      }
    }
    let detector = try Lite0Detector(path: Weights.path(Weights.efficientNet))
    detector.move(to: device)
    return { detector.differentiableFeatures($0 * 127.5 + 127.5).normalized() }
  }
}

/// Names of the files of one projection that no earlier one has.
private struct FreeNames {
  let picture: String
  let styles: String
  let animation: String

  /// Makes the folder and chooses the names.
  init(_ folder: String, stem: URL, overwrites: Bool) throws {
    try makeFolder(folder)
    let own = stem.deletingPathExtension().lastPathComponent
    var name = own
    var number = 1
    func all(_ name: String) -> [String] {
      ["png", "safetensors", "webp"].map { "\(folder)/\(name).\($0)" }
    }
    while !overwrites, all(name).contains(where: exists) {
      number += 1
      name = "\(own)-\(number)"
    }
    let paths = all(name)
    (picture, styles, animation) = (paths[0], paths[1], paths[2])
  }
}

extension Projector.Space: ExpressibleByArgument {}
