import JSON
import Networks

/// What the tensors of a pickled network say of its shape.
///
/// The keyword arguments in a pickle are claims: whatever tensors can tell is taken from them, and a
/// claim that disagrees is an error. The rest, such as clamps, is taken from the claims.
struct NetworkShapes {
  /// Shapes by the names of the state dictionary.
  let shapes: [String: [Int]]
  /// The claims, `_init_kwargs`.
  let keywords: OptionValue
  /// The file, for errors.
  let path: String

  /// The shape of a generator; text layers may be missing, as in StyleGAN2-ADA.
  func generator() throws -> GeneratorConfiguration {
    let synthesis = keywords["synthesis_kwargs"] ?? [:]
    let channels = try channels(prefix: "synthesis.b", suffix: ".conv1.weight", least: 4)
    var result = GeneratorConfiguration(resolution: try resolution(of: channels))
    result.labelDimension = try labelDimension()
    result.mappingLayers = (0..<65).first { shapes["mapping.fc\($0).weight"] == nil } ?? 65
    result.wDimension = try size("mapping.w_avg", 0)
    result.zDimension =
      try size("mapping.fc0.weight", 1) - (result.labelDimension == nil ? 0 : result.wDimension)
    let text = shapes.keys.filter { $0.hasSuffix("_0.weight") && $0.hasPrefix("synthesis.b") }
    if let first = text.filter({ $0.contains(".pre_0.") || $0.contains("_layer_0.") }).min() {
      result.featureDimension = try size(first, 1)
      result.styleWidth = try size(first.replacing("_0.weight", with: "_1.weight"), 0)
    } else {
      result.featureDimension = 0
    }
    result.structureChange = try structureChange(synthesis, channels.keys.sorted())
    (result.channelBase, result.channelMax) = try channelRule(
      channels,
      base: synthesis["channel_base"]?.int,
      most: synthesis["channel_max"]?.int
    )
    (result.reducedPrecisionResolutions, result.clamp) = try precision(synthesis)
    result.channelsLast = synthesis["fp16_channels_last"]?.bool
    try expect("z_dim", keywords, result.zDimension)
    try expect("w_dim", keywords, result.wDimension)
    try expect("num_layers", keywords["mapping_kwargs"] ?? [:], result.mappingLayers)
    if !text.isEmpty { try expect("f_dim", synthesis, result.featureDimension) }
    return result
  }

  /// The shape of a discriminator; the semantic head may be missing, as in StyleGAN2-ADA.
  func discriminator() throws -> DiscriminatorConfiguration {
    let epilogue = keywords["epilogue_kwargs"] ?? [:]
    var channels = try channels(prefix: "b", suffix: ".conv0.weight", least: 8)
    channels[4] = try size("b4.fc.weight", 0)
    var result = DiscriminatorConfiguration(resolution: try resolution(of: channels))
    result.usesFeatures = shapes["b4.fts.weight"] != nil
    if result.usesFeatures {
      result.featureDimension = try size("b4.fts.weight", 0)
      try expect("f_dim", epilogue, result.featureDimension)
    } else if let width = epilogue["f_dim"]?.int {
      result.featureDimension = width
    }
    result.labelDimension = try labelDimension()
    if result.labelDimension != nil {
      let layers = (0..<65).first { shapes["mapping.fc\($0).weight"] == nil } ?? 65
      try expect("num_layers", keywords["mapping_kwargs"] ?? [:], layers)
      let isStandard = layers == DiscriminatorConfiguration.standardLabelLayers
      result.labelLayers = isStandard ? nil : layers
    }
    if let claimed = keywords["use_fts"]?.bool, claimed != result.usesFeatures {
      throw SnapshotError(path, "D's use_fts disagrees with its tensors")
    }
    result.normalizesFeatures = keywords["use_norm"]?.bool ?? false
    switch epilogue["mbstd_group_size"] {
    case .null?: result.minibatchGroup = nil
    case .int(let size)?: result.minibatchGroup = size
    default: break
    }
    (result.channelBase, result.channelMax) = try channelRule(
      channels,
      base: keywords["channel_base"]?.int,
      most: keywords["channel_max"]?.int
    )
    (result.reducedPrecisionResolutions, result.clamp) = try precision(keywords)
    result.channelsLast = keywords["block_kwargs"]?["fp16_channels_last"]?.bool
    return result
  }

  // MARK: Parts

  /// The numbers of a class label, as the mapping's layer of it tells; `nil` without classes.
  private func labelDimension() throws -> Int? {
    let name = "mapping.embed.weight"
    let dimension = shapes[name] == nil ? nil : try size(name, 1)
    try expect("c_dim", keywords, dimension ?? 0)
    return dimension
  }

  /// Channels by resolution, of blocks named by it.
  private func channels(prefix: String, suffix: String, least: Int) throws -> [Int: Int] {
    var result: [Int: Int] = [:]
    var resolution = least
    while resolution <= 4096, shapes["\(prefix)\(resolution)\(suffix)"] != nil {
      result[resolution] = try size("\(prefix)\(resolution)\(suffix)", 0)
      resolution *= 2
    }
    return result
  }

  private func resolution(of channels: [Int: Int]) throws -> Int {
    guard let resolution = channels.keys.max(), resolution >= 8 else {
      throw SnapshotError(path, "its networks are none of LAFITE's or StyleGAN2-ADA's")
    }
    try expect("img_resolution", keywords, resolution)
    try expect("img_channels", keywords, 3)
    return resolution
  }

  /// The largest resolution with style structure 2, as claimed where the claim fits.
  private func structureChange(_ synthesis: OptionValue, _ resolutions: [Int]) throws -> Int {
    let second = resolutions.filter { shapes["synthesis.b\($0).conv1.pre_0.weight"] != nil }
    let claim = synthesis["change"]?.int
    let hasText = shapes.keys.contains { $0.contains(".pre_0.") || $0.contains(".scale_layer_0.") }
    let assumed = claim ?? 256
    if !hasText || second == resolutions.filter({ $0 <= assumed }) { return assumed }
    guard claim == nil else {
      throw SnapshotError(
        path,
        "its style structure (change=\(assumed)) disagrees with its tensors"
      )
    }
    return second.max() ?? 2
  }

  /// Base and limit of min(base / r, limit), as claimed where the claim fits the tensors.
  private func channelRule(
    _ channels: [Int: Int],
    base: Int?,
    most: Int?
  ) throws -> (base: Int, most: Int) {
    let limit = channels.values.max() ?? 1
    let top = channels.keys.max() ?? 8
    let candidates = [
      (base ?? 32768, most ?? 512), ((channels[top] ?? 1) * top, limit),
    ]
    for (base, most) in candidates
    where channels.allSatisfy({ $1 == min(base / $0, most) }) {
      return (base, most)
    }
    throw SnapshotError(path, "the channels of its layers follow no rule that nifty knows")
  }

  private func precision(_ keywords: OptionValue) throws -> (reduced: Int, clamp: Double?) {
    let reduced = keywords["num_fp16_res"]?.int ?? 0
    guard (0...20).contains(reduced) else {
      throw SnapshotError(path, "num_fp16_res is \(reduced)")
    }
    let clamp = keywords["conv_clamp"]?.double
    guard isPossibleClamp(clamp, reducedPrecisionResolutions: reduced) else {
      throw SnapshotError(path, "conv_clamp is \(clamp ?? 0), which no layer can compute with")
    }
    return (reduced, clamp)
  }

  private func size(_ name: String, _ dimension: Int) throws -> Int {
    guard let shape = shapes[name] else {
      throw SnapshotError(path, "its networks are none of LAFITE's (\(name) is missing)")
    }
    guard dimension < shape.count, (1...1 << 20).contains(shape[dimension]) else {
      throw SnapshotError(path, "its tensor \(name) has the shape \(shape)")
    }
    return shape[dimension]
  }

  private func expect(_ key: String, _ claims: OptionValue, _ found: Int) throws {
    if let claimed = claims[key]?.int, claimed != found {
      throw SnapshotError(path, "it says \(key)=\(claimed), but its tensors say \(found)")
    }
  }
}
