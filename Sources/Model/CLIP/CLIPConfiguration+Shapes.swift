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
  ///   - hints: What files beside it say.
  /// - Throws: `CLIPError` when it is no CLIP, or another one than the file says.
  public init(
    shapes: [String: [Int]],
    stored: CLIPConfiguration? = nil,
    hints: CLIPHints = CLIPHints()
  ) throws(CLIPError) {
    let reader = ShapeReader(shapes: shapes)
    let projection = try reader.shape("text_projection", rank: 2)
    let table = try reader.shape("token_embedding.weight", rank: 2)
    let positions = try reader.shape("positional_embedding", rank: 2)
    let heads = stored?.visionHeads ?? hints.visionHeads
    let (vision, resolution) = try reader.imageTower(stored, heads: heads)
    self.init(
      embedDimension: projection[1],
      imageResolution: resolution,
      vision: vision,
      contextLength: positions[0],
      vocabularySize: table[0],
      textWidth: table[1],
      textHeads: stored?.textHeads ?? hints.textHeads,
      textLayers: reader.count("transformer.resblocks"),
      vocabulary: stored?.vocabulary,
      activation: stored == nil ? hints.activation : stored?.activation
    )
    try validate()
    if let stored, stored != self {
      throw .snapshot("the configuration in its metadata does not fit its tensors")
    }
    if vocabularySize != table[0] { throw .snapshot("\(table[0]) token vectors do not fit") }
  }

  fileprivate var visionHeads: Int? {
    switch vision {
    case .transformer(_, _, _, let heads), .resnet(_, _, let heads): heads
    case .convolutional: nil
    }
  }
}

/// Reads a model's structure off the shapes of its state.
private struct ShapeReader {
  let shapes: [String: [Int]]

  func shape(_ name: String, rank: Int) throws(CLIPError) -> [Int] {
    guard let shape = shapes[name] else { throw .snapshot("it has no tensor \(name)") }
    if shape.count != rank { throw .snapshot("\(name) has the shape \(shape)") }
    return shape
  }

  /// The image tower and the side of its images in pixels.
  func imageTower(
    _ stored: CLIPConfiguration?,
    heads known: Int?
  ) throws(CLIPError) -> (CLIPConfiguration.Vision, resolution: Int) {
    if shapes["visual.class_embedding"] != nil {
      let kernel = try shape("visual.conv1.weight", rank: 4)
      let (width, patch) = (kernel[0], kernel[3])
      let (pixels, overflow) = try side("visual.positional_embedding")
        .multipliedReportingOverflow(by: patch)
      if overflow { throw .snapshot("patches of \(patch) pixels") }
      let heads = known ?? max(1, width / 64)
      let layers = count("visual.transformer.resblocks")
      return (.transformer(layers: layers, width: width, patch: patch, heads: heads), pixels)
    }
    if shapes["visual.attnpool.positional_embedding"] != nil {
      let width = try shape("visual.conv3.weight", rank: 4)[0]
      let layers = (1...4).map { count("visual.layer\($0)") }
      let heads = known ?? width / 2
      let pixels = try side("visual.attnpool.positional_embedding") * 32
      return (.resnet(layers: layers, width: width, heads: heads), pixels)
    }
    // More stages than a model can have are left to the check of the configuration.
    let stages = min(count("visual.stages"), 32)
    var channels: [Int] = []
    for stage in 0..<stages {
      channels.append(try shape("visual.stages.\(stage).conv0.weight", rank: 4)[0])
    }
    return (.convolutional(channels: channels), stored?.imageResolution ?? 8 << stages)
  }

  /// Number of different components after `prefix`.
  func count(_ prefix: String) -> Int {
    let start = prefix + "."
    let numbers = shapes.keys.lazy.filter { $0.hasPrefix(start) }
      .map { $0.dropFirst(start.count).prefix { $0 != "." } }
    return Set(numbers).count
  }

  /// The side of the square map whose places, and one token more, have position vectors.
  private func side(_ positions: String) throws(CLIPError) -> Int {
    let tokens = try shape(positions, rank: 2)[0]
    return Int(Double(max(0, tokens - 1)).squareRoot().rounded())
  }
}
