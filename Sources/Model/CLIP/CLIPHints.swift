public import Foundation

/// The two smooth step functions that CLIPs are trained with.
public enum CLIPActivation: String, Codable, Sendable, CaseIterable {
  /// x · σ(1.702 · x): OpenAI's models.
  case quickGELU = "quick-gelu"
  /// x · Φ(x), exact: most of OpenCLIP's models.
  case gelu
}

/// What the shapes of a CLIP's weights do not tell, as the files beside published weights say it.
public struct CLIPHints: Equatable, Sendable {
  /// The activation of the perceptrons.
  public var activation: CLIPActivation?
  /// Attention heads of the text transformer; 64 channels a head if `nil`.
  public var textHeads: Int?
  /// Attention heads of the image tower.
  public var visionHeads: Int?

  /// Hints, or none.
  public init(
    activation: CLIPActivation? = nil,
    textHeads: Int? = nil,
    visionHeads: Int? = nil
  ) {
    self.activation = activation
    self.textHeads = textHeads
    self.visionHeads = visionHeads
  }

  /// Reads `open_clip_config.json` of OpenCLIP.
  ///
  /// - Throws: `CLIPError.configuration` if it is none.
  public init(openCLIP json: Data) throws(CLIPError) {
    guard let model = Self.object(json)?["model_cfg"] as? [String: Any] else {
      throw .configuration("open_clip_config.json has no model_cfg")
    }
    // What a file does not state is OpenCLIP's default.
    activation = model["quick_gelu"] as? Bool == true ? .quickGELU : .gelu
    if let text = model["text_cfg"] as? [String: Any] { textHeads = text["heads"] as? Int }
    if let vision = model["vision_cfg"] as? [String: Any], let width = vision["width"] as? Int,
      let head = vision["head_width"] as? Int, head > 0
    {
      visionHeads = width / head
    }
  }

  /// Reads `config.json` of Hugging Face.
  ///
  /// - Throws: `CLIPError.configuration` if it is none, or its activation is neither of the two.
  public init(huggingFace json: Data) throws(CLIPError) {
    guard let object = Self.object(json) else {
      throw .configuration("config.json is no JSON object")
    }
    let text = object["text_config"] as? [String: Any] ?? [:]
    let vision = object["vision_config"] as? [String: Any] ?? [:]
    textHeads = text["num_attention_heads"] as? Int
    visionHeads = vision["num_attention_heads"] as? Int
    let names = [text, vision].map { $0["hidden_act"] as? String ?? "quick_gelu" }
    guard names[0] == names[1] else {
      throw .configuration("its towers have different activations: \(names[0]), \(names[1])")
    }
    switch names[0] {
    case "quick_gelu": activation = .quickGELU
    case "gelu": activation = .gelu
    default: throw .configuration("an activation that no CLIP has: \(names[0])")
    }
  }

  private static func object(_ json: Data) -> [String: Any]? {
    // A configuration has a few kilobytes.
    guard json.count <= 1 << 20 else { return nil }
    return (try? JSONSerialization.jsonObject(with: json)) as? [String: Any]
  }
}
