extension CLIPConfiguration {
  /// The configuration of the model whose state has these shapes.
  ///
  /// Everything that takes memory follows from the shapes, so a hostile file cannot ask for more than
  /// it holds. What shapes do not tell (heads, the meaning of tokens) comes from `stored`, else is as
  /// published: 64 channels a head.
  ///
  /// - Parameters:
  ///   - shapes: By OpenAI's names.
  ///   - stored: What the file says of itself, if anything.
  /// - Throws: `CLIPError` when it is no CLIP, or another one than the file says.
  public init(shapes: [String: [Int]], stored: CLIPConfiguration? = nil) throws(CLIPError) {
    func shape(_ name: String, _ rank: Int) throws(CLIPError) -> [Int] {
      guard let shape = shapes[name] else { throw .snapshot("it has no tensor \(name)") }
      if shape.count != rank { throw .snapshot("\(name) has the shape \(shape)") }
      return shape
    }
    let projection = try shape("text_projection", 2)
    let table = try shape("token_embedding.weight", 2)
    let positions = try shape("positional_embedding", 2)
    let resolution: Int
    let vision: Vision
    if let patches = shapes["visual.class_embedding"].map({ _ in "visual.positional_embedding" }) {
      let kernel = try shape("visual.conv1.weight", 4)
      let side = Self.side(try shape(patches, 2)[0])
      resolution = side * kernel[3]
      let layers = Self.count("visual.transformer.resblocks", shapes)
      let heads = stored?.visionHeads ?? max(1, kernel[0] / 64)
      vision = .transformer(layers: layers, width: kernel[0], patch: kernel[3], heads: heads)
    } else if shapes["visual.attnpool.positional_embedding"] != nil {
      let width = try shape("visual.conv3.weight", 4)[0]
      resolution = Self.side(try shape("visual.attnpool.positional_embedding", 2)[0]) * 32
      let layers = (1...4).map { Self.count("visual.layer\($0)", shapes) }
      vision = .resnet(layers: layers, width: width, heads: stored?.visionHeads ?? width / 2)
    } else {
      let stages = Self.count("visual.stages", shapes)
      var channels: [Int] = []
      for stage in 0..<min(stages, 32) {
        channels.append(try shape("visual.stages.\(stage).conv0.weight", 4)[0])
      }
      resolution = stored?.imageResolution ?? 8 << stages
      vision = .convolutional(channels: channels)
    }
    self.init(
      embedDimension: projection[1],
      imageResolution: resolution,
      vision: vision,
      contextLength: positions[0],
      vocabularySize: table[0],
      textWidth: table[1],
      textHeads: stored?.textHeads,
      textLayers: Self.count("transformer.resblocks", shapes),
      vocabulary: stored?.vocabulary
    )
    try validate()
    if let stored, stored != self {
      throw .snapshot("the configuration in its metadata does not fit its tensors")
    }
    if vocabularySize != table[0] { throw .snapshot("\(table[0]) token vectors do not fit") }
  }

  private var visionHeads: Int? {
    switch vision {
    case .transformer(_, _, _, let heads), .resnet(_, _, let heads): heads
    case .convolutional: nil
    }
  }

  /// Number of different components after `prefix`.
  private static func count(_ prefix: String, _ shapes: [String: [Int]]) -> Int {
    let start = prefix + "."
    let numbers = shapes.keys.lazy.filter { $0.hasPrefix(start) }
      .map { $0.dropFirst(start.count).prefix { $0 != "." } }
    return Set(numbers).count
  }

  /// The side of a square map with one more token.
  private static func side(_ tokens: Int) -> Int {
    Int(Double(max(0, tokens - 1)).squareRoot().rounded())
  }
}
