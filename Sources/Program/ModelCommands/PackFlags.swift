import ArgumentParser
package import CLIP
import Console
import Datasets
import Fetch
import Foundation
import Images
import Text
import Torch
import Training

/// How images are packed: what `nifty pack` and `nifty import` share.
struct PackFlags: ParsableArguments {
  @Option(optional: PackOptions.width) var width: Int?
  @Option(optional: PackOptions.height) var height: Int?
  @Option(PackOptions.transform) var transform: Packer.Options.Crop
  @Option(PackOptions.orientation) var orientation: OrientationRule
  @Option(PackOptions.resizeFilter) var resizeFilter: ResampleFilter
  @Option(optional: PackOptions.maxImages) var maxImages: Int?
  @Option(optional: PackOptions.clip) var clip: String?
  @Flag(PackOptions.noClip) var noClip: Bool
  @Option(PackOptions.clipView) var clipView: PackView
  @Option(PackOptions.clipPrecision) var clipPrecision: ClipPrecision
  @Flag(PackOptions.mirrorFeatures) var mirrorFeatures: Bool
  @Option(optional: PackOptions.format) var format: PackedFormat?
  @Option(PackOptions.quality) var quality: Int
  @Option(PackOptions.minSide) var minSide: Int
  @Flag(PackOptions.dropGrey) var dropGrey: Bool
  @Option(PackOptions.threads) var threads: Int
  @Option(PackOptions.batch) var batch: Int
  @Option(PackOptions.checkpoint) var checkpoint: Double
  @Flag(PackOptions.lafiteJson) var lafiteJson: Bool

  /// What becomes of the EXIF orientation.
  enum OrientationRule: String, ExpressibleByArgument, CaseIterable { case none, exif }

  /// The precision of CLIP.
  enum ClipPrecision: String, ExpressibleByArgument, CaseIterable {
    case float32, bfloat16

    var type: DType { self == .float32 ? .float32 : .bfloat16 }
  }

  /// How images are stored in the zip.
  enum PackedFormat: String, ExpressibleByArgument, CaseIterable {
    case webp, png, jpeg

    /// The format if no flag says otherwise: what the original reads fastest is PNG; what is smaller and
    /// faster here is WebP.
    static func standard(lafiteJSON: Bool) -> Self { lafiteJSON ? .png : .webp }
  }

  /// How images are stored in the zip.
  var storedFormat: PackedFormat { format ?? .standard(lafiteJSON: lafiteJson) }

  /// Refuses values that do not fit.
  func check() throws {
    for option in PackOptions.all { try option.check(in: self) }
    if storedFormat != .jpeg, PackOptions.quality.isChanged(in: self) {
      throw ValidationError("--quality is for --format=jpeg; \(storedFormat) is without loss")
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
    let ofCLIP: [any AnyPackOption] = [
      PackOptions.mirrorFeatures, PackOptions.clipView, PackOptions.clipPrecision,
    ]
    if noClip, let option = ofCLIP.first(where: { $0.isChanged(in: self) }) {
      throw ValidationError("--\(option.name) needs --clip")
    }
    try checkSize()
  }

  private func checkSize() throws {
    if transform != .none && (width == nil || height == nil) {
      throw ValidationError("--transform=\(transform.rawValue) needs --width and --height")
    }
    if let width, width & (width - 1) != 0 {
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

  /// Refuses what a folder of files as they are has no use for.
  func checkUnused(by folder: String) throws {
    for option in PackOptions.all where option.isChanged(in: self) && option.name != "no-clip" {
      throw ValidationError(
        "--\(option.name) is about what a zip holds; \(folder) is a folder of the files as they are"
      )
    }
  }

  private var clipFile: String? { noClip ? nil : clip ?? Weights.standardCLIP }

  /// The CLIP model that makes the features, loaded; `nil` with `--no-clip`.
  func extractor() throws -> PackFeatures? {
    try clipFile.map {
      try ClipModel(path: $0, device: Runtime.defaultDevice).extractor(
        view: clipView,
        precision: clipPrecision.type
      )
    }
  }

  private var options: Packer.Options {
    var options = Packer.Options()
    (options.width, options.height) = (width, height)
    options.crop = transform
    options.filter = resizeFilter
    options.appliesOrientation = orientation == .exif
    options.minimumSide = minSide
    options.leavesOutGrey = dropGrey
    options.maximumCount = maxImages
    options.addsFlippedFeatures = mirrorFeatures
    options.writesLafiteJSON = lafiteJson
    switch storedFormat {
    case .png: options.encoding = .png(level: 2)
    case .webp: options.encoding = .webp
    case .jpeg: options.encoding = .jpeg(quality: quality)
    }
    options.threads = threads
    options.batchSize = batch
    options.checkpointInterval = .seconds(checkpoint)
    return options
  }

  /// Packs one source, and prints a summary.
  func pack(
    _ source: any ImageTextSource,
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
      Console.error("labels dropped: \(Text.count(report.unlabelledCount, "image")) without one")
    }
  }
}

extension Packer.Options.Crop: ExpressibleByArgument {}
extension ResampleFilter: ExpressibleByArgument {}
extension PackView: ExpressibleByArgument {}
