import ArgumentParser
import Files
import Foundation
import Images
import Networks
import Snapshots
import Torch
import Training

/// Texts → images.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Paint images of texts.",
    discussion: """
      EXAMPLES
        nifty generate --network network-snapshot-000050.safetensors \\
          --clip clip.safetensors "red heart" 赤いハート
        nifty generate --network FILE --clip FILE --prompts prompts.txt \\
          --samples 8 --out images
      """
  )

  @Argument(help: "Texts in any language that the CLIP knows.")
  var texts: [String] = []

  @Option(help: "Snapshot, or a folder with generator.safetensors and clip.safetensors.")
  var network: String

  @Option(help: "CLIP model that the generator was trained with.")
  var clip: String?

  @Option(help: "File of texts, one a line.")
  var prompts: String?

  @Option(help: "Images of each text.")
  var samples = 4

  @Option(help: "Seed of latents and noise.")
  var seed: UInt64 = 0

  @Option(help: "Truncation: 1 is the full variety, 0 the average image.")
  var trunc = 1.0

  @Option(help: "Folder for the images and the sheet of all of them.")
  var out = "out"

  @Option(help: "Threads.")
  var threads = 2

  func validate() throws {
    if texts.isEmpty && prompts == nil {
      throw ValidationError("give a text, or --prompts FILE")
    }
    guard samples >= 1, samples <= 1000, threads >= 1, trunc.isFinite else {
      throw ValidationError("--samples must be from 1 to 1000, --threads at least 1")
    }
  }

  func run() throws {
    Runtime.threads = threads
    let files = try modelFiles()
    let snapshot = try NetworkSnapshot(path: files.network)
    let generator = try snapshot.averagedGenerator()
    let model = try ClipModel(path: files.clip)
    if let trainedWith = snapshot.notes["clip_sha256"], trainedWith != model.sha256 {
      throw TrainingError.option(
        "\(files.network) was trained with another CLIP (\(snapshot.notes["clip"] ?? "unknown")) "
          + "than \(files.clip)"
      )
    }
    let lines = try texts + (prompts.map { try Prompts.lines(of: $0) } ?? [])
    let rows = try paint(lines, generator, model)
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw FileError("create folder", path: out, reason: "not writable, or a file is in the way")
    }
    for (row, images) in rows.enumerated() {
      for (column, image) in images.enumerated() {
        try image.write(png: "\(out)/\(row)-\(column).png")
      }
    }
    let sheet = CaptionedSheet(
      title: "nifty",
      subtitle: "\(snapshot.imagesSeen / 1000) kimg",
      rows: zip(lines, rows).map { .init(caption: $0, samples: $1) },
      samplesHeading: "samples"
    )
    try sheet.rendered().write(png: "\(out)/sheet.png")
    Console.line("\(lines.count * samples) images and sheet.png in \(out)")
  }

  private func modelFiles() throws -> (network: String, clip: String) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: network, isDirectory: &isFolder), isFolder.boolValue {
      return ("\(network)/generator.safetensors", clip ?? "\(network)/clip.safetensors")
    }
    guard let clip else {
      throw TrainingError.option("--clip FILE is needed: the CLIP that \(network) was trained with")
    }
    return (network, clip)
  }

  private func paint(
    _ texts: [String],
    _ generator: Generator,
    _ model: ClipModel
  ) throws -> [[RGBImage]] {
    let features = try model.features(of: texts).normalized()
    let random = SeededRandom(seed: seed, stream: 5, position: 0)
    // The same latents for every text: differences between rows are the text's doing.
    let z = random.normal([samples, generator.configuration.zDimension])
    return withoutGradients {
      texts.indices.map { index in
        let fts = features.sliced(0, index..<index + 1).expanded(samples, -1)
        return pictures(
          generator(z, fts: fts, truncation: trunc, noiseMode: .constant)
        )
      }
    }
  }
}
