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
    try reader.expectHeld(self)
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

  /// Refuses a model whose largest tensors are not of the shapes that follow from the others: they are
  /// allocated before any is read, and shapes with a zero take no room in a file.
  func expectHeld(_ configuration: CLIPConfiguration) throws(CLIPError) {
    let (embedding, width) = (configuration.embedDimension, configuration.textWidth)
    try expect("positional_embedding", [configuration.contextLength, width])
    try expect("text_projection", [width, embedding])
    try expectBlocks("transformer", configuration.textLayers, width)
    switch configuration.vision {
    case .transformer(let layers, let width, let patch, _):
      let side = configuration.imageResolution / patch
      try expect("visual.class_embedding", [width])
      try expect("visual.positional_embedding", [side * side + 1, width])
      try expect("visual.conv1.weight", [width, 3, patch, patch])
      try expect("visual.proj", [width, embedding])
      try expectBlocks("visual.transformer", layers, width)
    case .resnet(let layers, let width, _):
      for (stage, count) in layers.enumerated() {
        let planes = width << stage
        for block in 0..<count {
          try expect("visual.layer\(stage + 1).\(block).conv2.weight", [planes, planes, 3, 3])
        }
      }
      let (side, wide) = (configuration.imageResolution / 32, 32 * width)
      try expect("visual.attnpool.positional_embedding", [side * side + 1, wide])
      try expect("visual.attnpool.k_proj.weight", [wide, wide])
      try expect("visual.attnpool.c_proj.weight", [embedding, wide])
    case .convolutional(let channels):
      for (stage, outputs) in channels.enumerated() {
        let inputs = stage == 0 ? 3 : channels[stage - 1]
        try expect("visual.stages.\(stage).conv0.weight", [outputs, inputs, 3, 3])
        try expect("visual.stages.\(stage).conv1.weight", [outputs, outputs, 3, 3])
      }
      try expect("visual.proj.weight", [embedding, channels.last ?? 3])
    }
  }

  private func expectBlocks(_ tower: String, _ layers: Int, _ width: Int) throws(CLIPError) {
    for layer in 0..<layers {
      try expect("\(tower).resblocks.\(layer).attn.in_proj_weight", [3 * width, width])
    }
  }

  private func expect(_ name: String, _ expected: [Int]) throws(CLIPError) {
    let shape = try shape(name, rank: expected.count)
    if shape != expected { throw .snapshot("\(name) has the shape \(shape), not \(expected)") }
  }

  /// Number of different components after `prefix`.
  func count(_ prefix: String) -> Int {
    let start = prefix + "."
    let numbers = shapes.keys.lazy.filter { $0.hasPrefix(start) }
      .map { $0.dropFirst(start.count).prefix { $0 != "." } }
    return Set(numbers).count
  }

  /// The side of the square map whose positions, and one token more, have position vectors.
  private func side(_ positions: String) throws(CLIPError) -> Int {
    let tokens = try shape(positions, rank: 2)[0]
    return Int(Double(max(0, tokens - 1)).squareRoot().rounded())
  }
}
