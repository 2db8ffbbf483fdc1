/// The shape of a CLIP model (Radford et al., arXiv 2103.00020).
public struct CLIPConfiguration: Codable, Equatable, Sendable {
  /// The kinds of image tower.
  public enum Vision: Codable, Equatable, Sendable {
    /// A vision transformer on square patches (Dosovitskiy et al., arXiv 2010.11929).
    case transformer(layers: Int, width: Int, patch: Int, heads: Int)
    /// CLIP's modified ResNet: blocks in each of four stages.
    case resnet(layers: [Int], width: Int, heads: Int)
    /// A plain convolutional tower for small images and little data: channels of each stage.
    case convolutional(channels: [Int])
  }

  /// Length of an embedding, E.
  public var embedDimension: Int
  /// Height and width of the images, R, in pixels.
  public var imageResolution: Int
  /// The image tower.
  public var vision: Vision
  /// Length of a tokenised caption, L.
  public var contextLength: Int
  /// Number of different tokens.
  public var vocabularySize: Int
  /// Width of the text transformer.
  public var textWidth: Int
  /// Attention heads of the text transformer.
  public var textHeads: Int
  /// Blocks of the text transformer.
  public var textLayers: Int
  /// The tokens in use, if the model was made with less than the tokenizer's vocabulary.
  public var vocabulary: CompactVocabulary?
  /// The activation of the transformers' perceptrons; `nil` is quick GELU, as OpenAI published.
  public var activation: CLIPActivation?

  /// A configuration; 64 channels an attention head, as published, unless given.
  public init(
    embedDimension: Int = 512,
    imageResolution: Int,
    vision: Vision,
    contextLength: Int = 77,
    vocabularySize: Int = 49_408,
    textWidth: Int = 512,
    textHeads: Int? = nil,
    textLayers: Int = 12,
    vocabulary: CompactVocabulary? = nil,
    activation: CLIPActivation? = nil
  ) {
    self.embedDimension = embedDimension
    self.imageResolution = imageResolution
    self.vision = vision
    self.contextLength = contextLength
    self.vocabularySize = vocabulary?.count ?? vocabularySize
    self.textWidth = textWidth
    self.textHeads = textHeads ?? max(1, textWidth / 64)
    self.textLayers = textLayers
    self.vocabulary = vocabulary
    self.activation = activation
  }

  /// OpenAI's ViT-B/32: 151 million parameters, images of 224², the model LAFITE is trained with.
  public static let vitB32 = CLIPConfiguration(
    imageResolution: 224,
    vision: .transformer(layers: 12, width: 768, patch: 32, heads: 12)
  )

  /// A CLIP that learns a thousand captioned pictures of 32² in minutes on one CPU core.
  ///
  /// At this size a convolutional tower learns many times faster than a transformer on patches.
  public static func small(vocabulary: CompactVocabulary, imageResolution: Int = 32) -> Self {
    CLIPConfiguration(
      imageResolution: imageResolution,
      vision: .convolutional(channels: [48, 96, 192]),
      contextLength: 20,
      textWidth: 128,
      textHeads: 2,
      textLayers: 2,
      vocabulary: vocabulary
    )
  }

  /// The mean of CLIP's training images by channel, in [0, 1].
  public static let pixelMean = [0.48145466, 0.4578275, 0.40821073]
  /// Their standard deviation.
  public static let pixelDeviation = [0.26862954, 0.26130258, 0.27577711]

  /// Refuses what no model can have: sizes that are not positive or do not divide.
  public func validate() throws(CLIPError) {
    let sizes = [
      embedDimension, imageResolution, contextLength - 1, vocabularySize - 2, textWidth, textHeads,
      textLayers,
    ]
    guard sizes.allSatisfy({ 1...1_000_000 ~= $0 }) else {
      throw .configuration("sizes must be positive")
    }
    try Self.require(textWidth.isMultiple(of: textHeads), "text width by text heads")
    if let vocabulary, vocabulary.count != vocabularySize {
      throw .configuration("\(vocabulary.count) tokens in use, not \(vocabularySize)")
    }
    switch vision {
    case .transformer(let layers, let width, let patch, let heads):
      try Self.requirePositive([layers, width, patch, heads])
      try Self.require(width.isMultiple(of: heads), "vision width by heads")
      try Self.require(imageResolution.isMultiple(of: patch), "image by patch")
    case .resnet(let layers, let width, let heads):
      try Self.requirePositive(layers + [width, heads])
      if layers.count != 4 { throw .configuration("\(layers.count) ResNet stages, not 4") }
      try Self.require((width * 32).isMultiple(of: heads), "ResNet width · 32 by heads")
      try Self.require(width.isMultiple(of: 2), "ResNet width by 2")
      try Self.require(imageResolution.isMultiple(of: 32), "image by 32")
    case .convolutional(let channels):
      try Self.requirePositive(channels + [channels.count])
      if channels.count > 12 || imageResolution >> channels.count == 0 {
        throw .configuration("\(channels.count) stages on images of \(imageResolution)²")
      }
    }
  }

  private static func requirePositive(_ sizes: [Int]) throws(CLIPError) {
    if !sizes.allSatisfy({ 1...1_000_000 ~= $0 }) {
      throw .configuration("sizes of the image tower must be positive: \(sizes)")
    }
  }

  private static func require(_ condition: Bool, _ what: String) throws(CLIPError) {
    if !condition { throw .configuration("\(what) must divide evenly") }
  }
}
