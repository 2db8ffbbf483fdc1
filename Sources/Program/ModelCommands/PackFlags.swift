import ArgumentParser
package import CLIP
import Console
import Datasets
import Fetch
import Foundation
import Images
import Laion
import Text
import Torch
import Training

/// How images are packed: what `nifty pack` and `nifty import` share.
struct PackFlags: ParsableArguments {
  @Option(help: "Width of the images in pixels; without it they stay as they are.")
  var width: Int?

  @Option(help: "Height of the images in pixels.")
  var height: Int?

  @Option(help: "How images become square: center-crop, center-crop-wide or none.")
  var transform = Packer.Options.Crop.none

  @Option(name: .customLong("resize-filter"), help: "Filter that resizes: box or lanczos.")
  var resizeFilter = ResampleFilter.lanczos

  @Option(name: .customLong("max-images"), help: "Read only this many images.")
  var maxImages: Int?

  @Option(help: "CLIP model that makes the features. (default: ViT-B-32.pt, if it was fetched)")
  var clip: String?

  @Flag(name: .customLong("no-clip"), help: "Pack without features.")
  var noClip = false

  @Option(name: .customLong("clip-view"), help: "What CLIP sees of an image: lafite or whole.")
  var clipView = PackView.lafite

  @Option(help: "How CLIP computes: float32 or, in half the time, bfloat16.")
  var clipPrecision = ClipPrecision.float32

  @Flag(help: "Add CLIP features of the mirrored images.")
  var mirrorFeatures = false

  @Option(
    help: """
      How images are stored: webp (without loss), png (without loss) or jpeg.
      (default: webp; png with --lafite-json)
      """
  )
  var format: StoredFormat?

  @Option(help: "Quality of JPEG, 1 to 100.")
  var quality = 95

  @Option(name: .customLong("min-side"), help: "Leave out images with a shorter side.")
  var minSide = 0

  @Flag(help: "Leave out images without colours.")
  var dropGrey = false

  @Option(help: "Threads that decode and encode.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Images per call of the CLIP model.")
  var batch = 64

  @Option(help: "Seconds that a killed run may have to repeat.")
  var checkpoint = 5.0

  @Flag(help: "Also write dataset.json, so that the original code can read the zip.")
  var lafiteJson = false

  /// The precision of CLIP.
  enum ClipPrecision: String, ExpressibleByArgument, CaseIterable {
    case float32, bfloat16

    var type: DType { self == .float32 ? .float32 : .bfloat16 }
  }

  /// How images are stored in the zip.
  enum StoredFormat: String, ExpressibleByArgument, CaseIterable { case webp, png, jpeg }

  /// Refuses values that do not fit.
  func check() throws {
    for (flag, value, least) in [
      ("--max-images", maxImages ?? 1, 1), ("--threads", threads, 1), ("--batch", batch, 1),
      ("--min-side", minSide, 0),
    ] where value < least {
      throw ValidationError("\(flag) must be at least \(least), not \(value)")
    }
    guard (1...100).contains(quality) else {
      throw ValidationError("--quality must be 1 to 100, not \(quality)")
    }
    if clip != nil, noClip {
      throw ValidationError("--clip and --no-clip exclude each other")
    }
    if !noClip, clipFile == nil {
      throw ValidationError(
        "give the CLIP model with --clip, get the original's by nifty fetch weights "
          + "clip-vit-b-32, or give --no-clip to pack without features"
      )
    }
    if noClip && mirrorFeatures {
      throw ValidationError("--mirror-features needs --clip")
    }
    try checkSize()
  }

  private func checkSize() throws {
    if transform != .none && (width == nil || height == nil) {
      throw ValidationError("--transform=\(transform.rawValue) needs --width and --height")
    }
    for (flag, value) in [("--width", width), ("--height", height)] {
      if let value, !(1...4096).contains(value) {
        throw ValidationError("\(flag) must be from 1 to 4096, not \(value)")
      }
    }
    if let width, width & (width - 1) != 0 || width < 4 {
      throw ValidationError("--width must be a power of two from 4 to 4096, not \(width)")
    }
    guard let width, let height else { return }
    let fits = transform == .centerWide ? height <= width : height == width
    guard fits else {
      throw ValidationError(
        "--height must \(transform == .centerWide ? "not exceed" : "equal") --width, "
          + "not \(width) and \(height)"
      )
    }
  }

  private var clipFile: String? { noClip ? nil : clip ?? Weights.standardCLIP }

  /// The CLIP model that makes the features, loaded; `nil` with `--no-clip`.
  func extractor() throws -> PackFeatures? {
    try clipFile.map {
      try ClipModel(path: $0).extractor(view: clipView, precision: clipPrecision.type)
    }
  }

  private var options: Packer.Options {
    var options = Packer.Options()
    (options.width, options.height) = (width, height)
    options.crop = transform
    options.filter = resizeFilter
    options.minimumSide = minSide
    options.leavesOutGrey = dropGrey
    options.maximumCount = maxImages
    options.addsFlippedFeatures = mirrorFeatures
    options.writesLafiteJSON = lafiteJson
    // What the original reads fastest is PNG; what is smaller and faster here is WebP.
    switch format ?? (lafiteJson ? .png : .webp) {
    case .png: options.encoding = .png(level: 2)
    case .webp: options.encoding = .webp
    case .jpeg: options.encoding = .jpeg(quality: quality)
    }
    options.threads = threads
    options.batchSize = batch
    options.checkpointInterval = .seconds(max(0, checkpoint))
    return options
  }

  /// Packs one source, and prints a summary.
  func pack(
    _ source: some ImageTextSource,
    called name: String,
    to path: String,
    _ extractor: PackFeatures?
  ) throws {
    var begun: (items: Int, at: Date)?
    let report = try Packer(options).pack(source, to: path, extractor: extractor) { done, total in
      guard let begun else {
        begun = (done, Date())
        return
      }
      let seconds = max(Date().timeIntervalSince(begun.at), 1e-3)
      let rate = Double(done - begun.items) / seconds
      Console.progress(
        "pack \(name)  \(done)/\(total)  \(Text.rate(rate, "images"))  "
          + "\(Text.time(Double(total - done) / max(rate, 1e-3))) left"
      )
    }
    let manifest = report.manifest
    Console.line(
      "\(path): \(Text.count(manifest.imageCount, "image")) of \(manifest.resolution)², "
        + "\(Text.count(manifest.captionCount, "caption")), "
        + "\(report.dropped.count { $0.cause.leavesOutImage }) left out"
    )
    for (cause, count) in manifest.dropped.sorted(by: { $0.value > $1.value }) {
      Console.line("  \(DropCause(cause).leavesOutImage ? "left out: " : "")\(cause) \(count)")
    }
    if manifest.captionCount > 0, report.uncaptionedCount > 0 {
      Console.line("  without captions \(report.uncaptionedCount)")
    }
    let side = manifest.resolution
    if side < 8 || side & (side - 1) != 0 {
      Console.error(
        "\(path): nifty train takes sides that are powers of two from 8 on, not \(side); "
          + "pack with --width, --height and --transform=center-crop"
      )
    }
    let hasStrays = report.dropped.contains { $0.cause == .strayLabel }
    if report.unlabelledCount > 0 && (report.unlabelledCount < manifest.imageCount || hasStrays) {
      Console.error("labels dropped: \(report.unlabelledCount) images have none")
    }
  }
}

extension Packer.Options.Crop: ExpressibleByArgument {}
extension ResampleFilter: ExpressibleByArgument {}
extension PackView: ExpressibleByArgument {}
