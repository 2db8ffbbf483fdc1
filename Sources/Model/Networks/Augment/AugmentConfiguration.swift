/// Which transforms an augmentation pipeline makes, and how strongly (Karras et al., arXiv 2006.06676,
/// appendix B).
///
/// A multiplier of 1 lets a transform happen with the pipeline's probability p, 0 leaves it out.
public struct AugmentConfiguration: Codable, Equatable, Sendable {
  /// Mirroring, left to right.
  public var xFlip = 0.0
  /// Quarter turns.
  public var rotate90 = 0.0
  /// Shifts by whole pixels, up to `xIntMax` of the side.
  public var xInt = 0.0
  /// Enlargement and reduction by 2^N(0, `scaleStd`²).
  public var scale = 0.0
  /// Turns by any angle up to `rotateMax` · 180°.
  public var rotate = 0.0
  /// Stretching by 2^N(0, `anisoStd`²) along a random direction.
  public var aniso = 0.0
  /// Shifts by N(0, `xFracStd`²) of the side.
  public var xFrac = 0.0
  /// Brightness by N(0, `brightnessStd`²).
  public var brightness = 0.0
  /// Contrast by 2^N(0, `contrastStd`²).
  public var contrast = 0.0
  /// Inverting luma.
  public var lumaFlip = 0.0
  /// Turning the hue by up to `hueMax` · 180°.
  public var hue = 0.0
  /// Saturation by 2^N(0, `saturationStd`²).
  public var saturation = 0.0
  /// Amplifying frequency bands by 2^N(0, `imageFilterStd`²).
  public var imageFilter = 0.0
  /// Noise of deviation |N(0, `noiseStd`²)|.
  public var noise = 0.0
  /// Blanking a square of `cutoutSize` of the side.
  public var cutout = 0.0

  /// Largest whole-pixel shift, as a share of the side.
  public var xIntMax = 0.125
  /// Deviation of the binary logarithm of the scale.
  public var scaleStd = 0.2
  /// Largest turn, as a share of 180°.
  public var rotateMax = 1.0
  /// Deviation of the binary logarithm of the stretch.
  public var anisoStd = 0.2
  /// Deviation of the fractional shift, as a share of the side.
  public var xFracStd = 0.125
  /// Deviation of the brightness, for pixels in [−1, 1].
  public var brightnessStd = 0.2
  /// Deviation of the binary logarithm of the contrast.
  public var contrastStd = 0.5
  /// Largest turn of the hue, as a share of 180°.
  public var hueMax = 1.0
  /// Deviation of the binary logarithm of the saturation.
  public var saturationStd = 1.0
  /// Deviation of the binary logarithm of a band's gain.
  public var imageFilterStd = 1.0
  /// Scale of the noise's deviation, for pixels in [−1, 1].
  public var noiseStd = 0.1
  /// Side of the blanked square, as a share.
  public var cutoutSize = 0.5

  /// No transform at all.
  public init() {}

  /// A named set: one of `blit`, `geom`, `color`, `filter`, `noise`, `cutout`, or several by their
  /// initials in this order: `bg`, `bgc`, `bgcf`, `bgfn`, `bgcfn`, `bgcfnc`.
  ///
  /// - Parameter name: As in the original's `--augpipe`; others give `nil`.
  public init?(named name: String) {
    self.init()
    guard let groups = Self.groups[name] else { return nil }
    for group in groups {
      switch group {
      case .blit: (xFlip, rotate90, xInt) = (1, 1, 1)
      case .geometry: (scale, rotate, aniso, xFrac) = (1, 1, 1, 1)
      case .colour: (brightness, contrast, lumaFlip, hue, saturation) = (1, 1, 1, 1, 1)
      case .filter: imageFilter = 1
      case .noise: noise = 1
      case .cutout: cutout = 1
      }
    }
  }

  /// The names that `init(named:)` knows, sorted.
  public static var names: [String] { groups.keys.sorted() }

  private enum Group { case blit, geometry, colour, filter, noise, cutout }

  private static let groups: [String: [Group]] = [
    "blit": [.blit], "geom": [.geometry], "color": [.colour], "filter": [.filter],
    "noise": [.noise], "cutout": [.cutout],
    "bg": [.blit, .geometry],
    "bgc": [.blit, .geometry, .colour],
    "bgcf": [.blit, .geometry, .colour, .filter],
    "bgfn": [.blit, .geometry, .filter, .noise],
    "bgcfn": [.blit, .geometry, .colour, .filter, .noise],
    "bgcfnc": [.blit, .geometry, .colour, .filter, .noise, .cutout],
  ]
}
