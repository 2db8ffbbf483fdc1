import CLIP
package import Images
package import JSON

/// How a picture was painted: what its PNG file carries, so that it can be painted again.
package struct PaintingRecord: Sendable, Equatable {
  /// What the picture was painted after.
  package enum Condition: Sendable, Equatable {
    /// A text.
    case text(String)
    /// A picture by its file's name, with the share of noise in its feature.
    case picture(String, imageNoise: Double)
    /// A row of a file of recorded latents and features.
    case latents(String, row: Int)
    /// No text and no picture: a random feature of the seed, where the generator takes one.
    case nothing
  }

  /// Styles of another seed in some layers.
  package struct Mixed: Sendable, Equatable {
    /// The other seed.
    package let seed: UInt64
    /// The layers that take its styles.
    package let layers: ClosedRange<Int>

    /// Styles of this seed in these layers.
    package init(seed: UInt64, layers: ClosedRange<Int>) {
      (self.seed, self.layers) = (seed, layers)
    }
  }

  /// An interpolation towards another picture.
  package struct Blend: Sendable, Equatable {
    /// The other picture's text.
    package let prompt: String
    /// The other picture's seed.
    package let seed: UInt64
    /// The other picture's truncation; that of the first if `nil`.
    package let truncation: Double?
    /// The other picture's classes; `nil` without classes.
    package let classes: ClassChoice?
    /// How far on the way to it, 0 to 1.
    package let share: Double

    /// This far on the way to a picture.
    package init(
      prompt: String,
      seed: UInt64,
      truncation: Double? = nil,
      classes: ClassChoice? = nil,
      share: Double
    ) {
      (self.prompt, self.seed, self.truncation) = (prompt, seed, truncation)
      (self.classes, self.share) = (classes, share)
    }
  }

  /// An interpolation towards a picture of recorded styles.
  package struct Approach: Sendable, Equatable {
    /// The name of the file that holds the other picture's styles.
    package let latents: String
    /// Its row there.
    package let row: Int
    /// How far on the way to it, 0 to 1.
    package let share: Double

    /// This far on the way to a picture.
    package init(latents: String, row: Int, share: Double) {
      (self.latents, self.row, self.share) = (latents, row, share)
    }
  }

  /// SHA-256 of the snapshot's file, hexadecimal.
  package var network: String
  /// SHA-256 of the CLIP's file, hexadecimal; `nil` where none took part.
  package var clip: String?
  /// What it was painted after.
  package var condition: Condition
  /// Of the latent and the noise.
  package var seed: UInt64
  /// 1 is the full variety, 0 the average image.
  package var truncation: Double
  /// Number of first layers that are truncated; all if `nil`.
  package var truncationCutoff: Int?
  /// The kind of per-pixel noise.
  package var noise: Painter.Noise
  /// Its classes; `nil` without classes.
  package var classes: ClassChoice?
  /// Styles of another seed; `nil` for none.
  package var mixed: Mixed?
  /// The interpolation towards another picture; `nil` for none.
  package var blend: Blend?
  /// The interpolation towards recorded styles; `nil` for none.
  package var approach: Approach?

  /// A record without mixing.
  package init(
    network: String,
    clip: String?,
    condition: Condition,
    seed: UInt64,
    truncation: Double,
    truncationCutoff: Int?,
    noise: Painter.Noise,
    classes: ClassChoice? = nil
  ) {
    self.network = network
    self.clip = clip
    self.condition = condition
    self.seed = seed
    self.truncation = truncation
    self.truncationCutoff = truncationCutoff
    self.noise = noise
    self.classes = classes
  }

  /// The same picture with the styles of another seed.
  package func mixing(_ mixed: Mixed) -> PaintingRecord {
    var record = self
    record.mixed = mixed
    return record
  }

  /// The same on the way to another picture.
  package func blending(_ blend: Blend) -> PaintingRecord {
    var record = self
    record.blend = blend
    return record
  }

  /// The usual share of noise in a picture's feature.
  package static let standardImageNoise = ClipModel.standardNoise

  /// The keyword of the text in a PNG file.
  package static let keyword = "nifty"

  /// The record as a PNG file carries it.
  package var text: PNGText { PNGText(keyword: Self.keyword, text: json.json) }

  /// The record as JSON, whose keys the document on formats lists.
  package var json: OptionValue {
    let start: OptionValue =
      switch condition {
      case .text(let prompt): ["prompt": .string(prompt)]
      case .picture(let name, let noise): ["picture": .string(name), "image_noise": .double(noise)]
      case .latents(let name, let row): ["latents": .string(name), "row": .int(row)]
      case .nothing: [:]
      }
    return
      start
      .adding("class", classes.map(Self.json))
      .adding("seed", Self.number(seed))
      .adding("truncation", .double(truncation))
      .adding("truncation_cutoff", truncationCutoff.map { .int($0) })
      .adding("noise", .string(noise.rawValue))
      .adding("mix_seed", mixed.map { Self.number($0.seed) })
      .adding(
        "mix_layers",
        mixed.map { .string("\($0.layers.lowerBound)-\($0.layers.upperBound)") }
      )
      .adding("to_prompt", blend.map { .string($0.prompt) })
      .adding("to_class", blend?.classes.map(Self.json))
      .adding("to_seed", blend.map { Self.number($0.seed) })
      .adding("to_truncation", blend?.truncation.map { .double($0) })
      .adding("to_latents", approach.map { .string($0.latents) })
      .adding("to_row", approach.map { .int($0.row) })
      .adding("share", (blend?.share ?? approach?.share).map { .double($0) })
      .adding("network_sha256", .string(network))
      .adding("clip_sha256", clip.map { .string($0) })
  }

  /// A class as a number, several as a list.
  private static func json(_ choice: ClassChoice) -> OptionValue {
    let numbers = choice.classes.map { OptionValue.int($0) }
    return numbers.count == 1 ? numbers[0] : .list(numbers)
  }

  /// A seed; as a text where readers that keep numbers as doubles would lose digits.
  private static func number(_ seed: UInt64) -> OptionValue {
    seed <= 1 << 53 ? .int(Int(seed)) : .string(String(seed))
  }
}
