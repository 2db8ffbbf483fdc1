import CLIP
import Datasets
import Fetch
import Foundation
import Images
import Text

/// Every option of packing, in the order of the help.
enum PackOptions {
  static let all: [any AnyPackOption] = [
    width, height, transform, orientation, resizeFilter, maxImages, clip, noClip, clipView,
    clipPrecision,
    mirrorFeatures, format, quality, minSide, dropGrey, threads, batch, checkpoint, lafiteJson,
  ]

  static let width = PackOption<Int?>(
    "width",
    "Width of the images in pixels; without it they stay as they are.",
    nil,
    \.width,
    in: .between(4, 4096, "pixels")
  )
  static let height = PackOption<Int?>(
    "height",
    "Height of the images in pixels.",
    nil,
    \.height,
    in: .between(1, 4096, "pixels")
  )
  static let transform = PackOption<Packer.Options.Crop>(
    "transform",
    "How images become square: center-crop, center-crop-wide or none.",
    .none,
    \.transform
  )
  static let orientation = PackOption<PackFlags.OrientationRule>(
    "orientation",
    "What becomes of a photo's EXIF orientation: none, as the original has it, or exif, which turns it upright.",
    .none,
    \.orientation
  )
  static let resizeFilter = PackOption<ResampleFilter>(
    "resize-filter",
    "Filter that resizes: box or lanczos.",
    .lanczos,
    \.resizeFilter
  )
  static let maxImages = PackOption<Int?>(
    "max-images",
    "Read only this many images.",
    nil,
    \.maxImages,
    in: .atLeast(1)
  )
  static let clip = PackOption<String?>(
    "clip",
    "CLIP model that makes the features. (default: \(Weights.standardCLIPText))",
    nil,
    \.clip
  )
  static let noClip = PackOption<Bool>("no-clip", "Pack without features.", false, \.noClip)
  static let clipView = PackOption<PackView>(
    "clip-view",
    "What CLIP sees of an image: lafite or whole.",
    .lafite,
    \.clipView
  )
  static let clipPrecision = PackOption<PackFlags.ClipPrecision>(
    "clip-precision",
    "How CLIP computes: float32 or, in half the time, bfloat16.",
    .float32,
    \.clipPrecision
  )
  static let mirrorFeatures = PackOption<Bool>(
    "mirror-features",
    "Add CLIP features of the mirrored images.",
    false,
    \.mirrorFeatures
  )
  static let format = PackOption<PackFlags.PackedFormat?>(
    "format",
    """
    How images are stored: webp (without loss), png (without loss) or jpeg.
    (default: \(PackFlags.PackedFormat.standard(lafiteJSON: false)); \(PackFlags.PackedFormat.standard(lafiteJSON: true)) with --lafite-json)
    """,
    nil,
    \.format
  )
  static let quality = PackOption<Int>(
    "quality",
    "Quality of JPEG, 1 to 100.",
    95,
    \.quality,
    in: .between(1, 100)
  )
  static let minSide = PackOption<Int>(
    "min-side",
    "Leave out images with a shorter side.",
    0,
    \.minSide,
    in: .atLeast(0, "pixels")
  )
  static let dropGrey = PackOption<Bool>(
    "drop-grey",
    "Leave out images without colours.",
    false,
    \.dropGrey
  )
  static let threads = PackOption<Int>(
    "threads",
    "Threads that decode and encode.",
    ProcessInfo.processInfo.activeProcessorCount,
    \.threads,
    in: .threads
  )
  static let batch = PackOption<Int>(
    "batch",
    "Images per call of the CLIP model.",
    64,
    \.batch,
    in: .between(1, 65_536, "images")
  )
  static let checkpoint = PackOption<Double>(
    "checkpoint",
    "Seconds that a killed run may have to repeat.",
    5,
    \.checkpoint,
    in: .between(0, 86_400, "seconds")
  )
  static let lafiteJson = PackOption<Bool>(
    "lafite-json",
    "Also write dataset.json, so that the original code can read the zip.",
    false,
    \.lafiteJson
  )
}
