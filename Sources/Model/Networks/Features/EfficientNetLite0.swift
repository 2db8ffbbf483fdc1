public import Torch
public import TorchNN

/// EfficientNet-Lite0, an image classifier whose pooled features compare sets of images (Tan & Le,
/// arXiv 1905.11946; the Lite variant has no squeeze-and-excitation, ReLU6 for swish, and stem and head
/// of fixed width).
///
/// It stands in for Inception-v3 where those weights cannot be had. Distances in its features are not
/// comparable with published FIDs and must not be called so. State names are those of the PyTorch port
/// of the TensorFlow weights.
public final class EfficientNetLite0: Module {
  /// Length of the feature vector.
  public static let featureCount = 1280
  /// Height and width that the weights were trained for, in pixels.
  public static let resolution = 224

  private let stem: Convolution2dSame
  private let stemNorm: BatchNorm2d
  private let blocks: [InvertedBottleneck]
  private let head: Convolution2dSame
  private let headNorm: BatchNorm2d
  private let classifier: Linear

  /// Stages of the network: how often, kernel, stride of the first, expansion, output channels.
  private static let stages = [
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
  ]

  /// A network with fresh weights.
  public init(random: any RandomSource) {
    stem = Convolution2dSame(3, 32, kernel: 3, stride: 2, random: random)
    stemNorm = BatchNorm2d(32, epsilon: 1e-3)
    var inputs = 32
    blocks = Self.stages.flatMap { count, kernel, stride, expansion, outputs in
      (0..<count).map { index in
        defer { inputs = outputs }
        return InvertedBottleneck(
          inputs,
          outputs,
          kernel: kernel,
          stride: index == 0 ? stride : 1,
          expansion: expansion,
          random: random
        )
      }
    }
    head = Convolution2dSame(inputs, Self.featureCount, kernel: 1, random: random)
    headNorm = BatchNorm2d(Self.featureCount, epsilon: 1e-3)
    classifier = Linear(Self.featureCount, 1000, random: random)
  }

  /// A frozen network with given weights.
  ///
  /// - Parameter weights: By the port's names; counters of batches are ignored.
  /// - Throws: `StateMismatch` if names or shapes do not fit.
  public convenience init(weights: [String: Tensor]) throws(StateMismatch) {
    self.init(random: UninitializedSource())
    try adopt(weights.filter { !$0.key.hasSuffix("num_batches_tracked") })
    setTrainable(false)
  }

  /// The published names, which begin with an underscore.
  public var members: [(key: String, member: Member)] {
    [("_conv_stem", .module(stem)), ("_bn0", .module(stemNorm))]
      + blocks.enumerated().map { ("_blocks.\($0)", .module($1)) }
      + [
        ("_conv_head", .module(head)), ("_bn1", .module(headNorm)), ("_fc", .module(classifier)),
      ]
  }

  /// The features before the classifier.
  ///
  /// - Parameter images: Any size, values in 0 … 255, [N, 3, H, W]; resampled to 224² bilinearly with
  ///   antialiasing, then (x − 127) / 128.
  /// - Returns: [N, 1280], each in 0 … 6.
  public func features(_ images: Tensor) -> Tensor {
    let last = maps(Self.resized(images.to(stem.weight.dtype)), after: [blocks.count])[0]
    return headNorm(head(last)).reluSix().mean(2, 3)
  }

  /// The feature maps after some blocks; later blocks are not computed.
  ///
  /// - Parameters:
  ///   - images: Values in 0 … 255, [N, 3, H, W]; they are not resampled.
  ///   - ends: Numbers of blocks in ascending order, 1 … 16.
  /// - Returns: A map for each number, [N, C, H', W'].
  public func maps(_ images: Tensor, after ends: [Int]) -> [Tensor] {
    var x = (images.to(stem.weight.dtype) - 127) / 128
    x = stemNorm(stem(x.laidOut(.channelsLast))).reluSix()
    var maps: [Tensor] = []
    for (index, block) in blocks.prefix(ends.last ?? 0).enumerated() {
      x = block(x)
      if ends.contains(index + 1) { maps.append(x) }
    }
    return maps
  }

  /// The scores of ImageNet's 1,000 classes for `features`, [N, 1000].
  public func logits(_ features: Tensor) -> Tensor { classifier(features) }

  private static func resized(_ images: Tensor) -> Tensor {
    let (_, C, H, W) = images.shape4
    precondition(C == 3, "images \(images.shape) have not three channels")
    if H == resolution && W == resolution { return images }
    return images.bilinear(height: resolution, width: resolution, antialias: true)
  }
}

/// Widen, filter each channel, narrow; with a shortcut where nothing changes size (Sandler et al.,
/// arXiv 1801.04381, figure 3b).
private final class InvertedBottleneck: Module {
  private let expand: Convolution2dSame?
  private let norm0: BatchNorm2d?
  private let depthwise: Convolution2dSame
  private let norm1: BatchNorm2d
  private let project: Convolution2dSame
  private let norm2: BatchNorm2d
  private let hasShortcut: Bool

  init(
    _ inputs: Int,
    _ outputs: Int,
    kernel: Int,
    stride: Int,
    expansion: Int,
    random: any RandomSource
  ) {
    let inner = inputs * expansion
    expand =
      expansion == 1 ? nil : Convolution2dSame(inputs, inner, kernel: 1, random: random)
    norm0 = expansion == 1 ? nil : BatchNorm2d(inner, epsilon: 1e-3)
    depthwise = Convolution2dSame(
      inner,
      inner,
      kernel: kernel,
      stride: stride,
      groups: inner,
      random: random
    )
    norm1 = BatchNorm2d(inner, epsilon: 1e-3)
    project = Convolution2dSame(inner, outputs, kernel: 1, random: random)
    norm2 = BatchNorm2d(outputs, epsilon: 1e-3)
    hasShortcut = stride == 1 && inputs == outputs
  }

  var members: [(key: String, member: Member)] {
    var members: [(key: String, member: Member)] = []
    if let expand { members.append(("_expand_conv", .module(expand))) }
    if let norm0 { members.append(("_bn0", .module(norm0))) }
    return members + [
      ("_depthwise_conv", .module(depthwise)), ("_bn1", .module(norm1)),
      ("_project_conv", .module(project)), ("_bn2", .module(norm2)),
    ]
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var inner = x
    if let expand, let norm0 { inner = norm0(expand(x)).reluSix() }
    inner = norm1(depthwise(inner)).reluSix()
    let result = norm2(project(inner))
    return hasShortcut ? x + result : result
  }
}

/// A convolution without bias, padded as TensorFlow's "same": the result has ⌈size / stride⌉ pixels, and
/// an odd number of padding pixels puts the extra one right and below.
private final class Convolution2dSame: Module {
  /// [out, in / groups, k, k].
  @Parameter var weight: Tensor
  private let stride: Int
  private let groups: Int

  init(
    _ inputs: Int,
    _ outputs: Int,
    kernel: Int,
    stride: Int = 1,
    groups: Int = 1,
    random: any RandomSource
  ) {
    let fanIn = Double(inputs / groups * kernel * kernel)
    _weight = Parameter(
      wrappedValue: random.normal(
        [outputs, inputs / groups, kernel, kernel],
        deviation: (2 / fanIn).squareRoot()
      )
    )
    self.stride = stride
    self.groups = groups
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (_, _, H, W) = x.shape4
    let (vertical, horizontal) = (padding(H), padding(W))
    if vertical.isMultiple(of: 2) && horizontal.isMultiple(of: 2) {
      let both = [vertical / 2, horizontal / 2]
      return x.convolved(weight, stride: stride, padding: both, groups: groups)
    }
    let (top, left) = (vertical / 2, horizontal / 2)
    let padded = x.padded([left, horizontal - left, top, vertical - top])
    return padded.convolved(weight, stride: stride, groups: groups)
  }

  private func padding(_ size: Int) -> Int {
    let kernel = weight.size(-1)
    let outputs = (size + stride - 1) / stride
    return max(0, (outputs - 1) * stride + kernel - size)
  }
}

extension Tensor {
  /// max(0, min(6, x)).
  fileprivate func reluSix() -> Tensor { clamped(from: 0, to: 6) }
}
