/// What the numbers of a `SeededRandom` are for: every random stream of the program by name.
///
/// Results depend on the numbers, so a number never changes. Some numbers have two names, because two
/// purposes were given the same one: with equal seed and position both draw the same. Their draws never
/// meet in one result, and another number would change results for nothing. A new purpose takes a number
/// that is free.
public enum RandomStream: Sendable, CaseIterable {
  /// Weights of fresh networks; position 0.
  case weights
  /// Latents of the sample grid; position 0.
  case sampleGrid
  /// Draws of a phase of the training step; by images seen.
  case generatorMain, generatorRegularisation
  /// Draws of a phase of the training step; by images seen.
  case discriminatorMain, discriminatorRegularisation
  /// Noise of the learned mapper in the training step; by images seen.
  case mappedPseudoText

  /// Captions of a step of CLIP's training; by images seen.
  case clipStep
  /// Order of the pictures of a round of CLIP's training; by images seen.
  case clipOrder
  /// Where CLIP looks at an image while it is packed; by number of the image.
  case packedView

  /// Weights of a fresh text mapper; position 0.
  case mapperWeights
  /// Pairs and noise of a step of the text mapper's training; by step.
  case mapperStep
  /// Noise when a text mapper is measured; position 0.
  case mapperMeasurement

  /// Latents and noise of the images that a metric looks at; by position in the walk.
  case metricImages
  /// Latents, positions and noise of a path length; by position in the walk.
  case pathLength
  /// Subsets of the kernel distance; position 0.
  case kernelSubsets
  /// Subsets of the Fréchet distance at infinity; position 0.
  case frechetSubsets
  /// Directions that pixels are projected on; seed 0, position 0.
  case pixelDirections
  /// Pictures that a classifier is measured with; seed 0, position 0.
  case classifierSplit
  /// Weights of a fresh classifier of pictures; position 0.
  case classifierWeights
  /// Changes of the pictures of a step of the classifier's training; by images seen.
  case classifierStep
  /// Order of the pictures of a round of the classifier's training; by images seen.
  case classifierOrder
  /// Other captions that an image is compared with (`r_precision`).
  case retrievalCandidates
  /// Latents and noise of the images whose captions are judged; position 0.
  case captionJudge

  /// Latents of the pictures that are asked for; position 0, by seed.
  case paintedLatents
  /// Noise of the pictures that are asked for; position 0, by seed.
  case paintedNoise
  /// Noise of the pseudo-text feature of an image that is asked for; position 0.
  case paintedPseudoText
  /// The feature of a picture that is asked for without a text; position 0, by seed.
  case paintedFeatures
  /// Noise on the styles of a projection; by step.
  case projection
  /// Latents whose styles are the start of a projection; position 0.
  case projectionStyles

  /// The number that results depend on.
  public var number: UInt64 {
    switch self {
    case .weights, .clipStep: 1
    case .sampleGrid, .clipOrder: 2
    case .metricImages: 3
    case .captionJudge: 4
    case .paintedLatents: 5
    case .paintedNoise, .kernelSubsets: 6
    case .packedView, .pathLength, .paintedPseudoText: 7
    case .retrievalCandidates: 8
    case .paintedFeatures: 9
    case .generatorMain: 10
    case .generatorRegularisation: 11
    case .discriminatorMain: 13
    case .discriminatorRegularisation: 14
    case .mappedPseudoText: 20
    case .mapperWeights: 30
    case .mapperStep: 31
    case .mapperMeasurement: 32
    case .projection: 40
    case .projectionStyles: 41
    case .frechetSubsets: 50
    case .pixelDirections: 51
    case .classifierWeights: 52
    case .classifierStep: 53
    case .classifierOrder: 54
    case .classifierSplit: 55
    }
  }
}

/// What the draws of a `SeededRandom` are for that starts at the seed itself.
///
/// They are older than the numbers of `RandomStream`, and results depend on them. No new purpose joins them.
public enum PlainStream: Sendable {
  /// Weights of a fresh CLIP; by seed.
  case clipWeights
  /// Noise that a reference point of a metric is measured with; seed 0.
  case referenceNoise
  /// Latents of the demonstration's sheet; seed 0.
  case demonstrationSheet
}
