/// The network and the output of it that a metric uses.
package enum DetectorKind: String, CaseIterable, Sendable {
  /// EfficientNet-Lite0, pooled features.
  case lite0
  /// Inception-v3 of the original TensorFlow graph, 2,048 pooled features.
  case inceptionFeatures
  /// The same network, class probabilities without the last layer's bias.
  case inceptionProbabilities
  /// VGG-16, features of its second fully connected layer.
  case vggFeatures
  /// VGG-16, activations scaled so that squared differences are LPIPS distances.
  case vggDistances
  /// The image tower of a CLIP.
  case clip
  /// The image tower of the judge, a CLIP outside of training; it sees images one by one.
  case judge
  /// A small classifier of pictures that no discriminator saw; it sees images one by one.
  case classifier
  /// An image encoder of the user's, in TorchScript.
  case encoder
  /// Pixels along random directions; it sees images one by one.
  case pixels

  /// Whether images are painted and encoded one by one, so that features do not depend on the batch.
  var seesOneByOne: Bool { [.judge, .classifier, .pixels].contains(self) }

  /// Whether a run can score with it: it needs no file of weights beside those of every run.
  package var isKnownToRuns: Bool { ![.judge, .classifier, .encoder].contains(self) }
}

/// A metric by its name on the command line and in files.
///
/// The names, numbers of real images and parameters are those of StyleGAN2-ADA (arXiv 2006.06676),
/// which LAFITE uses. The number of generated images is not part of a metric: see `MetricRules`.
package struct MetricDefinition: Equatable, Sendable {
  /// A statistic of the detector's outputs.
  package enum Kind: Equatable, Sendable {
    /// `frechetDistance`.
    case frechet
    /// `frechetDistanceAtInfinity`.
    case frechetAtInfinity
    /// `kernelInceptionDistance`.
    case kernel
    /// `MaximumMeanDiscrepancy` under a kernel, with its standard error and the halves of the real images.
    case discrepancy(FeatureKernel)
    /// CMMD: the biased estimate of `MaximumMeanDiscrepancy` under σ = 10, times 1,000, as its code has it.
    case clipDiscrepancy
    /// `slicedWassersteinDistance`, and that of the halves of the real images.
    case slicedWasserstein
    /// `precisionRecall`.
    case precisionRecall
    /// `NeighbourShares`.
    case neighbourShares
    /// The distances of generated and held-out images to the nearest training image.
    case nearestTraining
    /// The distances between images of one caption.
    case variety
    /// `inceptionScore`.
    case inceptionScore
    /// `PathLength`.
    case pathLength(PathLength)
    /// Mean cosine of an image and its caption (Hessel et al., arXiv 2104.08718, without its factor).
    case captionCosine
    /// Share of images whose own caption is the nearest among a hundred.
    case captionRetrieval

    /// Whether generated images are compared with real ones.
    package var comparesWithReal: Bool {
      switch self {
      case .frechet, .frechetAtInfinity, .kernel, .discrepancy, .clipDiscrepancy: true
      case .slicedWasserstein, .precisionRecall, .neighbourShares: true
      case .nearestTraining, .variety: true
      case .inceptionScore, .pathLength, .captionCosine, .captionRetrieval: false
      }
    }

    /// Whether it paints images of its own instead of sharing the suite's.
    var paintsItsOwn: Bool {
      switch self {
      case .pathLength, .variety: true
      default: false
      }
    }

    /// Whether the feature vectors of generated images are needed, not only their moments.
    var needsVectors: Bool { self != .frechet }

    /// The same of real images.
    var needsRealVectors: Bool { !isFrechet }

    /// Whether moments can stand for the real images.
    package var isFrechet: Bool { self == .frechet || self == .frechetAtInfinity }
  }

  /// The metric's name: the file is `metric-NAME.jsonl`.
  package let name: String
  /// The statistic.
  package let kind: Kind
  /// The feature detector.
  package let detector: DetectorKind
  /// The limit on real images; `nil` for none.
  package let maximumReal: Int?
  /// Whether `--mirror` lists the real images a second time, flipped.
  package let honoursMirror: Bool

  private init(
    _ name: String,
    _ kind: Kind,
    _ detector: DetectorKind,
    maximumReal: Int? = nil,
    honoursMirror: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.detector = detector
    self.maximumReal = maximumReal
    self.honoursMirror = honoursMirror
  }

  /// The metric of a name, if there is one.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - encoder: The name of the encoder that is at hand, if there is one.
  package init?(named name: String, encoder: String? = nil) {
    let known = Self.all + (encoder.map(Self.metrics) ?? [])
    guard let found = known.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The metrics of an encoder by its name.
  package static func metrics(ofEncoder encoder: String) -> [MetricDefinition] {
    [
      .init("fd_\(encoder)", .frechet, .encoder),
      .init("fd_\(encoder)_infinity", .frechetAtInfinity, .encoder),
      .init("mmd_\(encoder)", .discrepancy(.cubic), .encoder),
      .init("prdc_\(encoder)", .neighbourShares, .encoder),
    ]
  }

  /// All metrics: the original's in its order, then ours.
  package static let all: [MetricDefinition] = [
    .init("fid50k_full", .frechet, .inceptionFeatures),
    .init("kid50k_full", .kernel, .inceptionFeatures, maximumReal: 1_000_000),
    .init("pr50k3_full", .precisionRecall, .vggFeatures, maximumReal: 200_000),
    .init("ppl2_wend", pathLength(.w, whole: false, cropped: false), .vggDistances),
    .init("is50k", .inceptionScore, .inceptionProbabilities),
    .init("fid50k", .frechet, .inceptionFeatures, maximumReal: 50_000, honoursMirror: true),
    .init("kid50k", .kernel, .inceptionFeatures, maximumReal: 50_000, honoursMirror: true),
    .init("pr50k3", .precisionRecall, .vggFeatures, maximumReal: 50_000, honoursMirror: true),
    .init("ppl_zfull", pathLength(.z, whole: true, cropped: true), .vggDistances),
    .init("ppl_wfull", pathLength(.w, whole: true, cropped: true), .vggDistances),
    .init("ppl_zend", pathLength(.z, whole: false, cropped: true), .vggDistances),
    .init("ppl_wend", pathLength(.w, whole: false, cropped: true), .vggDistances),
    .init("fd_lite0", .frechet, .lite0),
    .init("clip_fid", .frechet, .clip),
    .init("clip_score", .captionCosine, .clip),
    .init("r_precision", .captionRetrieval, .clip),
    .init("cmmd", .clipDiscrepancy, .clip),
    .init("prdc_inception", .neighbourShares, .inceptionFeatures),
    .init("prdc_vgg", .neighbourShares, .vggFeatures),
    .init("prdc_lite0", .neighbourShares, .lite0),
    .init("prdc_clip", .neighbourShares, .clip),
    .init("prdc_judge", .neighbourShares, .judge),
    .init("mmd_judge", .discrepancy(.cubic), .judge),
    .init("nearest_judge", .nearestTraining, .judge),
    .init("variety_judge", .variety, .judge),
    .init("mmd_features", .discrepancy(.cubic), .classifier),
    .init("fid_infinity", .frechetAtInfinity, .inceptionFeatures),
    .init("fd_lite0_infinity", .frechetAtInfinity, .lite0),
    .init("swd_pixels", .slicedWasserstein, .pixels),
  ]

  private static func pathLength(_ space: PathLength.Space, whole: Bool, cropped: Bool) -> Kind {
    .pathLength(PathLength(space, samplesWholePath: whole, isCropped: cropped))
  }
}

/// The rules of a protocol: the number of generated images, and their reference.
package enum MetricRules: String, CaseIterable, Sendable {
  /// LAFITE's rules, whatever a metric's name says: 30,000 images against the training images.
  case lafite
  /// The rules of most papers: 50,000 images against the test images.
  case clean

  /// Images to generate.
  ///
  /// - Parameter testPath: Path of the conditioning set: LAFITE takes 6,000 where it contains
  ///   "celeba".
  /// - Returns: Their number.
  package func generatedImages(testPath: String) -> Int {
    switch self {
    case .lafite: testPath.contains("celeba") ? 6000 : 30_000
    case .clean: 50_000
    }
  }
}
