import ArgumentParser
import CLIP
import CommandLine
import Console
import Fetch
import Files
import Foundation
import Images
import Networks
import Pixels
package import Sampling
import Snapshots
import Text
import Torch

/// Texts, pictures or recorded latents → images.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Paint images of texts.",
    discussion: """
      EXAMPLES
        nifty generate --network emoji "red heart" 赤いハート
        nifty generate --network network-snapshot-010000.pkl \\
          --clip clip.safetensors --prompts prompts.txt --seeds 0-7 \\
          --trunc 0.7 --out images
        nifty generate --network emoji --from-image photo.jpg
        nifty generate --network emoji --mix-seeds 5,6 --mix-layers 0-3 sun
        nifty generate --network runs/00000-birds-cond-auto --class 3 "a bird"
        nifty generate --network FILE --latents latents.safetensors \\
          --noise_mode const --out images.safetensors
      """
  )

  private static let standardImageNoise = PaintingRecord.standardImageNoise
  /// The seeds of each text where neither --seeds nor --samples is given.
  static let standardSeeds: ClosedRange<UInt64> = 0...3
  /// The layers that --mix-seeds take where --mix-layers is not given.
  static let standardMixLayers = PartRange(0...3)

  @Argument(help: "Texts in any language that the CLIP knows.")
  var texts: [String] = []

  @OptionGroup var flags: PainterFlags

  @Option(help: "File of texts, one a line.")
  var prompts: String?

  @Option(help: "Picture to paint after, through its CLIP feature; repeat for several.")
  var fromImage: [String] = []

  @Option(help: "Share of noise in a picture's feature, as in training without captions.")
  var imageNoise = Self.standardImageNoise

  @Option(
    help: "File of tensors z [N, z], or ws of nifty project, and fts [N, f]; replaces texts."
  )
  var latents: String?

  @Option(help: "Images of each text; their seeds are 0, 1, …")
  var samples: Int?

  @Option(
    help: "Seeds of latents and noise, as 0,3,10-15. (default: \(SeedList(Self.standardSeeds)))"
  )
  var seeds: SeedList?

  @Option(help: "Truncation: 1 is the full variety, 0 the average image.")
  var trunc = 1.0

  @Option(help: "Seeds whose styles are mixed into each image.")
  var mixSeeds: SeedList?

  @Option(
    help: """
      Layers that take the other seed's styles; 0-3 are the coarse ones. (default: \(Self.standardMixLayers))
      """
  )
  var mixLayers: PartRange?

  @Option(
    help:
      "Folder for images, named by seed and text, and a sheet; or X.safetensors for the tensor img."
  )
  var out = "out"

  @Flag(help: "Replace earlier pictures of the same name; else new ones get a number.")
  var overwrite = false

  func validate() throws {
    // A network may need no text: StyleGAN2-ADA's, or one with classes.
    if latents == nil, !hasCondition, flags.classes == nil, seeds == nil, samples == nil {
      throw ValidationError("give a text, --prompts FILE, --from-image FILE or --latents FILE")
    }
    if latents != nil, hasCondition || mixSeeds != nil {
      throw ValidationError("--latents stands alone: no texts, pictures or mixing beside it")
    }
    if mixLayers != nil, mixSeeds == nil {
      throw ValidationError("--mix-layers says where --mix-seeds are mixed in: give these, too")
    }
    if samples != nil, seeds != nil {
      throw ValidationError("--samples and --seeds exclude each other")
    }
    guard samples.map({ (1...1000).contains($0) }) ?? true else {
      throw ValidationError("--samples must be from 1 to 1000")
    }
    try refuse(trunc, unless: .truncation, flag: "--trunc")
    try refuse(imageNoise, unless: .between(0, 1), flag: "--image-noise")
    try refuseIdleFlags()
  }

  private var hasCondition: Bool { !texts.isEmpty || !fromImage.isEmpty || prompts != nil }

  /// The seeds of each text.
  var ownSeeds: [UInt64] {
    seeds?.seeds ?? samples.map { (0..<UInt64($0)).map { $0 } } ?? Array(Self.standardSeeds)
  }

  /// The layers that take the other seed's styles.
  var mixedLayers: ClosedRange<Int> { (mixLayers ?? Self.standardMixLayers).range }

  /// Refuses what would have no effect.
  private func refuseIdleFlags() throws {
    if latents != nil, flags.clip != nil || samples != nil || seeds != nil {
      throw ValidationError(
        "--latents holds features and latents: no --clip, --samples or --seeds beside it"
      )
    }
    if latents == nil, !hasCondition, flags.clip != nil {
      throw ValidationError("--clip reads texts and pictures: give one, or leave --clip out")
    }
    if imageNoise != Self.standardImageNoise, fromImage.isEmpty {
      throw ValidationError("--image-noise is the noise of --from-image: give a picture, too")
    }
    if overwrite, out.hasSuffix(".safetensors") {
      throw ValidationError("--overwrite is for a folder of pictures; \(out) is replaced anyway")
    }
  }

  func run() throws {
    if out.hasSuffix(".safetensors") {
      try RegularFile.expectPlace(for: out)
    } else {
      try OutputName.expectFolder(out)
    }
    let opened = try flags.opened()
    let rows =
      if let latents {
        try recordedRows(of: latents, opened)
      } else {
        try conditionedRows(opened, painters(opened))
      }
    let count = rows.reduce(0) { $0 + $1.count }
    if out.hasSuffix(".safetensors") {
      let side = opened.generator.configuration.resolution
      let images = SafeTensors.Draft(
        name: "img",
        dtype: .float32,
        shape: [count, 3, side, side]
      ) { write in
        for row in rows { for index in 0..<row.count { try write(try row.paint(index).bytes) } }
      }
      try SafeTensors.write([images], to: out)
      Console.line("img \(count) images in \(out)")
    } else {
      let sheets = try PictureFolder(path: out, overwrites: overwrite).write(
        rows.map { row in row.map { try finitePictures($0)[0] } },
        subtitle: "\(opened.snapshot.imagesSeen / 1000) kimg"
      )
      let sheet = sheets.count == 1 ? sheets[0] : "\(sheets.count) sheets"
      Console.line("\(Text.count(count, "image")) and \(sheet) in \(out)")
    }
  }

  /// What paints each of the classes.
  private func painters(_ opened: OpenedModel) throws -> [Painter] {
    try flags.choices(opened).map {
      flags.painter(opened.generator, truncation: trunc, classes: $0)
    }
  }

  /// A row whose images are tensors, [1, 3, R, R]: thousands of them at once would not fit into memory.
  private typealias Row = PaintedRow<Tensor>

  /// A row a text or picture and class; with mixing, a row a text or picture, class and seed.
  private func conditionedRows(_ opened: OpenedModel, _ painters: [Painter]) throws -> [Row] {
    let (conditions, clip) = try conditions(opened)
    let sha256 = try opened.digest.value()
    let layers = try layersToMix(opened.generator)
    return conditions.flatMap { condition in
      painters.flatMap { painter in
        rows(of: condition, painter, layers) {
          painter.record(of: condition.kind, seed: $0, network: sha256, clip: clip)
        }
      }
    }
  }

  /// The layers that take the other seed's styles, if the generator has them.
  private func layersToMix(_ generator: Generator) throws -> ClosedRange<Int> {
    let last = generator.mapping.wCount - 1
    guard mixLayers == nil || mixedLayers.upperBound <= last else {
      throw SamplingError(
        "--mix-layers \(mixedLayers.lowerBound)-\(mixedLayers.upperBound): the generator has layers 0 to \(last)"
      )
    }
    return mixedLayers
  }

  /// The rows of one condition and class: one, or with mixing one a seed.
  private func rows(
    of condition: Condition,
    _ painter: Painter,
    _ layers: ClosedRange<Int>,
    record: @escaping (UInt64) -> PaintingRecord
  ) -> [Row] {
    let caption = [painter.classes.map { "class \($0)" }, condition.caption].compactMap(\.self)
      .joined(separator: ", ")
    let seeds = ownSeeds
    guard let others = mixSeeds?.seeds else {
      return [
        Row(
          caption: caption,
          count: seeds.count,
          origin: { PictureFolder.origin(seed: seeds[$0]) },
          record: { record(seeds[$0]) },
          paint: { painter.row(fts: condition.fts(seeds[$0]), seeds: [seeds[$0]]) }
        )
      ]
    }
    let mixing = Painter.Mixing(seeds: others, layers: layers)
    return seeds.map { seed in
      let own = PictureFolder.origin(seed: seed)
      return Row(
        caption: caption.isEmpty ? "seed \(seed)" : "\(caption), seed \(seed)",
        count: 1 + others.count,
        origin: { $0 == 0 ? own : "\(own)-with-\(PictureFolder.origin(seed: others[$0 - 1]))" },
        record: {
          let unmixed = record(seed)
          return $0 == 0
            ? unmixed : unmixed.mixing(.init(seed: others[$0 - 1], layers: layers))
        },
        paint: {
          painter.mixedImage(fts: condition.fts(seed), seed: seed, mixing: mixing, at: $0)
        }
      )
    }
  }

  /// What pictures are painted after: its text for people if any, and the CLIP feature of a seed, [1, F].
  private struct Condition {
    let caption: String?
    let kind: PaintingRecord.Condition
    let fts: (UInt64) -> Tensor
  }

  /// The texts and pictures with their features of unit length, and the CLIP that made them.
  private func conditions(
    _ opened: OpenedModel
  ) throws -> (conditions: [Condition], clip: String?) {
    guard hasCondition else { return ([try unconditioned(opened)], nil) }
    let model = try opened.location.clipModel(
      flags.clip,
      for: opened.snapshot,
      on: opened.device,
      towers: fromImage.isEmpty ? .texts : .both
    )
    let lines = try texts + (prompts.map { try Prompts.lines(of: $0) } ?? [])
    if let note = model.noteOnLength(of: lines) { Console.error(note) }
    let textConditions = try lines.map { text in
      let fts = try model.features(of: [text]).normalized()
      return Condition(caption: text, kind: .text(text)) { _ in fts }
    }
    let pictureConditions = try fromImage.map { path in
      let fts = model.condition(
        of: try givenPicture(path),
        noise: imageNoise
      )
      let name = URL(filePath: path).lastPathComponent
      return Condition(caption: name, kind: .picture(name, imageNoise: imageNoise)) { _ in fts }
    }
    return (textConditions + pictureConditions, model.sha256)
  }

  /// The condition of pictures without a text: none, or a random feature where the generator takes one.
  private func unconditioned(_ opened: OpenedModel) throws -> Condition {
    let shape = opened.generator.configuration
    guard shape.featureDimension == 0 || shape.labelDimension != nil else {
      throw SamplingError(
        "\(flags.network) paints after texts: give one, --prompts FILE, --from-image FILE or --latents FILE"
      )
    }
    if shape.featureDimension > 0 {
      Console.error("no text is given: each seed has a random feature in its place")
    }
    let painter = flags.painter(opened.generator, truncation: trunc)
    return Condition(caption: nil, kind: .nothing) { painter.features([$0]) }
  }

  /// The rows of recorded latents: one a class; of recorded styles, which classes do not change, one.
  private func recordedRows(of path: String, _ opened: OpenedModel) throws -> [Row] {
    let file = try SafeTensors(path: path)
    guard RecordedStyles.areIn(file) else {
      return try painters(opened).map {
        try recordedRow(of: file, path, $0, opened.digest.value())
      }
    }
    if let classes = flags.classes {
      throw SamplingError("--class \(classes): \(path) holds styles, which no class changes")
    }
    let painter = flags.painter(opened.generator, truncation: trunc)
    return [try styledRow(of: path, painter, opened.digest.value())]
  }

  private func recordedRow(
    of file: SafeTensors,
    _ path: String,
    _ painter: Painter,
    _ sha256: String
  ) throws -> Row {
    let shape = painter.generator.configuration
    func tensor(_ name: String, width: Int) throws -> Tensor {
      guard let tensor = file[name] else { throw SamplingError("\(path) holds no \(name)") }
      guard tensor.shape.count == 2, tensor.shape[1] == width, tensor.shape[0] > 0 else {
        throw SamplingError("\(path): \(name) is \(tensor.shape), not [N, \(width)]")
      }
      return tensor.to(.float32)
    }
    let z = try tensor("z", width: shape.zDimension)
    let fts =
      shape.featureDimension == 0
      ? Tensor.zeros([z.size(0), 0]) : try tensor("fts", width: shape.featureDimension)
    guard z.size(0) == fts.size(0) else {
      throw SamplingError("\(path): \(z.size(0)) rows of z, but \(fts.size(0)) of fts")
    }
    let name = URL(filePath: path).lastPathComponent
    return Row(
      caption: painter.classes.map { "class \($0), \(name)" } ?? name,
      count: z.size(0),
      origin: { "row" + zeroPadded($0, to: 4) },
      record: {
        painter.record(
          of: .latents(name, row: $0),
          seed: UInt64($0),
          network: sha256,
          clip: nil
        )
      },
      paint: {
        painter.images(
          z: z.sliced(0, $0..<$0 + 1),
          fts: fts.sliced(0, $0..<$0 + 1),
          seeds: [UInt64($0)]
        )
      }
    )
  }
}

extension GenerateCommand {
  /// A row of what `nifty project` found.
  private func styledRow(
    of path: String,
    _ painter: Painter,
    _ sha256: String
  ) throws -> PaintedRow<Tensor> {
    guard trunc == 1, flags.truncCutoff == nil else {
      throw SamplingError("\(path) holds styles, which --trunc and --trunc-cutoff do not change")
    }
    let recorded = try RecordedStyles(path, for: painter.generator)
    return PaintedRow(
      caption: recorded.name,
      count: recorded.ws.size(0),
      origin: { "row" + zeroPadded($0, to: 4) },
      record: {
        painter.record(
          of: .latents(recorded.name, row: $0),
          seed: UInt64($0),
          network: sha256,
          clip: nil
        )
      },
      paint: {
        painter.images(
          ws: recorded.ws.sliced(0, $0..<$0 + 1),
          fts: recorded.fts.sliced(0, $0..<$0 + 1),
          seeds: [UInt64($0)]
        )
      }
    )
  }
}

extension Painter.Noise: ExpressibleByArgument {}
