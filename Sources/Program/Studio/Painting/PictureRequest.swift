import HTTPTypes
package import Images
package import JSON
package import Sampling

/// A request for one picture: prompt, seed and settings.
package struct PictureRequest: Sendable, Equatable {
  /// The text.
  package var prompt: String
  /// The seed of the latent and the noise.
  package var seed: UInt64
  /// 1 is the full variety, 0 the average image.
  package var truncation = 1.0
  /// The number of first layers that are truncated; all if `nil`.
  package var truncationCutoff: Int?
  /// The kind of per-pixel noise.
  package var noise = Painter.Noise.const
  /// Styles of another seed; `nil` for none.
  package var mixed: PaintingRecord.Mixed?
  /// The interpolation towards another picture; `nil` for none.
  package var blend: PaintingRecord.Blend?
  /// A picture that replaces the text; `nil` for none.
  package var source: Source?
  /// Whether the answer includes the picture's CLIP feature.
  package var wantsFeature = false

  /// A picture to condition on.
  package struct Source: Sendable, Equatable {
    /// Its name among the uploaded pictures.
    package let id: String
    /// Its display name.
    package let name: String
    /// The fraction of noise in its feature, 0 to 1.
    package let noise: Double
    /// The picture in the size of CLIP's input.
    package let image: RGBImage
  }

  /// The most bytes of a prompt; CLIP truncates it to its context length.
  package static let longestPrompt = 2000

  /// The keys of a request: those of the text in a PNG file, and those of uploaded pictures.
  static let keys = [
    "prompt", "seed", "truncation", "truncation_cutoff", "noise", "mix_seed", "mix_layers",
    "to_prompt", "to_seed", "to_truncation", "share", "picture_id", "picture", "image_noise",
    "network_sha256", "clip_sha256",
  ]

  /// A request with the default settings.
  package init(prompt: String, seed: UInt64) { (self.prompt, self.seed) = (prompt, seed) }

  /// Whether it can be painted in one batch with another: both are plain pictures with the same settings of the
  /// generator.
  package func fits(_ other: PictureRequest) -> Bool {
    let isPlain = [self, other].allSatisfy {
      $0.mixed == nil && $0.blend == nil && $0.noise != .random
    }
    return isPlain && truncation == other.truncation && noise == other.noise
      && truncationCutoff == other.truncationCutoff
  }

  /// Reads a request.
  ///
  /// - Parameters:
  ///   - json: An object with the keys of the text in a PNG file; only `prompt` is required, or `picture_id`
  ///     of an uploaded picture.
  ///   - given: The uploaded pictures.
  /// - Throws: `RequestError` naming the key.
  package init(json: OptionValue, given: UploadedPictures? = nil) throws(RequestError) {
    guard case .dictionary(let entries) = json else {
      throw RequestError("the body must be a JSON object")
    }
    if let unknown = entries.first(where: { !Self.keys.contains($0.key) }) {
      throw RequestError("there is no setting \(unknown.key.prefix(40))", parameter: "body")
    }
    let source = try Self.source(json, given)
    self.init(prompt: source == nil ? try Self.prompt(json) : "", seed: 0)
    self.source = source
    if let value = json.given("seed") { seed = try Self.seed(value, "seed") }
    truncation = try Self.truncation(json, "truncation") ?? 1
    if let value = json.given("truncation_cutoff") {
      guard let number = value.int, (0...100).contains(number) else {
        throw RequestError(
          "truncation_cutoff must be a whole number from 0 to 100",
          parameter: "truncation_cutoff"
        )
      }
      truncationCutoff = number
    }
    if let value = json.given("noise") {
      guard let kind = value.string.flatMap(Painter.Noise.init(rawValue:)) else {
        throw RequestError("noise must be const, random or none", parameter: "noise")
      }
      noise = kind
    }
    if let value = json.given("mix_seed") {
      mixed = .init(
        seed: try Self.seed(value, "mix_seed"),
        layers: try Self.layers(json.given("mix_layers"))
      )
    }
    blend = try Self.blend(json)
  }

  private static func truncation(
    _ json: OptionValue,
    _ key: String
  ) throws(RequestError) -> Double? {
    guard let value = json.given(key) else { return nil }
    guard let number = value.double, number.isFinite, abs(number) <= 10 else {
      throw RequestError("\(key) must be a number from -10 to 10", parameter: key)
    }
    return number
  }

  private static func source(
    _ json: OptionValue,
    _ given: UploadedPictures?
  ) throws(RequestError) -> Source? {
    guard let value = json.given("picture_id") else {
      if let idle = ["picture", "image_noise"].first(where: { json.given($0) != nil }) {
        throw RequestError("\(idle) goes with picture_id: send the picture first", parameter: idle)
      }
      return nil
    }
    if let idle = ["prompt", "to_prompt", "to_seed"].first(where: { json.given($0) != nil }) {
      throw RequestError("\(idle) and picture_id exclude each other", parameter: idle)
    }
    guard let id = value.string, let image = given?.picture(id) else {
      throw RequestError(
        "this picture is not kept any more: send it again",
        status: .notFound,
        parameter: "picture_id",
        code: "picture_gone"
      )
    }
    let noise = json.given("image_noise")
    guard let noise = noise == nil ? PaintingRecord.standardImageNoise : noise?.double,
      (0...1).contains(noise)
    else {
      throw RequestError("image_noise must be a number from 0 to 1", parameter: "image_noise")
    }
    let name = json.given("picture")?.string ?? id
    return Source(id: id, name: String(name.prefix(200)), noise: noise, image: image)
  }

  private static func blend(_ json: OptionValue) throws(RequestError) -> PaintingRecord.Blend? {
    guard json.given("to_prompt") != nil || json.given("to_seed") != nil else { return nil }
    if json.given("mix_seed") != nil {
      throw RequestError("mix_seed and to_prompt exclude each other", parameter: "mix_seed")
    }
    guard let share = json["share"]?.double, (0...1).contains(share) else {
      throw RequestError("share must be a number from 0 to 1", parameter: "share")
    }
    let prompt = try Self.prompt(json, json.given("to_prompt") == nil ? "prompt" : "to_prompt")
    let key = json.given("to_seed") == nil ? "seed" : "to_seed"
    return .init(
      prompt: prompt,
      seed: try Self.seed(json.given(key) ?? 0, key),
      truncation: try Self.truncation(json, "to_truncation"),
      share: share
    )
  }

  /// The prompt of a request, not empty and not too long.
  package static func prompt(
    _ json: OptionValue,
    _ key: String = "prompt"
  ) throws(RequestError) -> String {
    guard let prompt = json[key]?.string else {
      throw RequestError("\(key) is missing: give a text", parameter: key)
    }
    guard prompt.utf8.count <= longestPrompt else {
      throw RequestError(
        "\(key) has \(prompt.utf8.count) bytes: the limit is \(longestPrompt)",
        parameter: key
      )
    }
    guard prompt.contains(where: { !$0.isWhitespace }) else {
      throw RequestError("\(key) is empty: give a text", parameter: key)
    }
    return prompt
  }

  /// A seed as a number or, beyond JavaScript's exact integers, as a text of digits.
  package static func seed(_ value: OptionValue, _ key: String) throws(RequestError) -> UInt64 {
    let seed =
      switch value {
      case .int(let number): UInt64(exactly: number)
      case .string(let digits): UInt64(digits)
      default: UInt64?.none
      }
    guard let seed else {
      throw RequestError(
        "\(key) must be a whole number from 0 to \(UInt64.max)",
        parameter: key
      )
    }
    return seed
  }

  private static func layers(_ value: OptionValue?) throws(RequestError) -> ClosedRange<Int> {
    guard let value else { return 0...3 }
    let ends = (value.string ?? "").split(separator: "-").map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
      0 <= first, first <= last, last < 1000
    else {
      throw RequestError("mix_layers must be layers as 0-3", parameter: "mix_layers")
    }
    return first...last
  }
}

extension OptionValue {
  /// The value under a key, unless it is null.
  func given(_ key: String) -> OptionValue? {
    let value = self[key]
    return value == .null ? nil : value
  }
}
