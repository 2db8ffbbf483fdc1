import ArgumentParser
import Datasets
import Foundation
import Torch

/// Stage 3: folders of pairs → zips with features.
struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Shape folders of pairs into zips with CLIP features inside.",
    discussion: """
      Takes the original's flags. Several sources are packed one after the other
      into zips of the same names when --dest is a folder.

      EXAMPLES
        nifty pack --source=data/split0 --dest=data/split0.zip \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source='data/split{0..9}' --dest=data \\
          --width=256 --height=256 --clip clip.safetensors
      """
  )

  @Option(help: "Folder of pairs; repeat for several. Brace patterns are expanded.")
  var source: [String]

  @Option(help: "Zip to write, or a folder for several.")
  var dest: String

  @Option(help: "Width of the images in pixels.")
  var width: Int

  @Option(help: "Height of the images in pixels; equal to the width.")
  var height: Int

  @Option(help: "How images become square: center-crop or none.")
  var transform: String = "center-crop"

  @Option(help: "CLIP model that makes the features.")
  var clip: String

  @Option(help: "Threads that decode and encode.")
  var threads = 2

  @Flag(help: "Also write dataset.json, so that the original code can read the zip.")
  var lafiteJson = false

  func validate() throws {
    guard width == height, width >= 4, width <= 4096, width & (width - 1) == 0 else {
      throw ValidationError(
        "--width and --height must be the same power of two from 4 to 4096, "
          + "not \(width) and \(height)"
      )
    }
    guard Packer.Options.Crop(rawValue: transform) != nil else {
      throw ValidationError("--transform must be center-crop or none, not \(transform)")
    }
  }

  func run() throws {
    let sources = source.flatMap(expandedBraces)
    var isFolder: ObjCBool = false
    let destIsFolder =
      FileManager.default.fileExists(atPath: dest, isDirectory: &isFolder) && isFolder.boolValue
    guard sources.count == 1 || destIsFolder else {
      throw DatasetError.option(
        "--dest must be an existing folder for several sources, not \(dest)"
      )
    }
    let model = try ClipModel(path: clip)
    var options = Packer.Options(resolution: width)
    options.crop = Packer.Options.Crop(rawValue: transform) ?? .center
    options.threads = threads
    options.writesLafiteJSON = lafiteJson
    for source in sources {
      let stem = URL(filePath: source).lastPathComponent
      let path = destIsFolder ? "\(dest)/\(stem).zip" : dest
      try pack(source, to: path, options, model)
    }
  }

  private func pack(
    _ source: String,
    to path: String,
    _ options: Packer.Options,
    _ model: ClipModel
  ) throws {
    let start = Date()
    let report = try Packer(options).pack(
      try ImageTextFolder(source),
      to: path,
      extractor: model
    ) { done, total in
      let seconds = Date().timeIntervalSince(start)
      let rate = Double(done) / max(seconds, 1e-3)
      Console.progress(
        "pack \(source)  \(done)/\(total)  \(Text.number(rate)) images/s  "
          + "\(Text.time(Double(total - done) / max(rate, 1e-3))) left"
      )
    }
    for item in report.dropped {
      Console.error("left out \(item.name): \(item.reason)")
    }
    let manifest = report.manifest
    Console.line(
      "\(path): \(manifest.imageCount) images of \(manifest.resolution)², "
        + "\(manifest.captionCount) captions, \(report.dropped.count) left out"
    )
  }
}
