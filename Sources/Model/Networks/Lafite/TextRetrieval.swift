public import Torch

/// Finds text features for image features in a collection of captions, and fits them to the images.
///
/// LAFITE2's way to train without pairs (arXiv 2210.14124, section 3): of the collection, the caption nearest
/// to the image's feature h is the first guess t. Then gradient ascent on the contrast of h with other images
/// r₁ … r_R of the data moves t along the unit sphere: log(exp(t·h / τ) / (exp(t·h / τ) + Σⱼ exp(t·rⱼ / τ))).
/// The query is h with LAFITE-G's noise, so that an image meets several of the captions near it.
///
/// The paper contrasts an image with those of its batch. Here the others are the same for all batches, so that
/// a result depends neither on the batch nor on ranks.
public struct TextRetrieval: PseudoTextSource {
  /// How captions are found and fitted.
  public struct Configuration: Equatable, Sendable {
    /// The share of noise in the query, from 0 to 1.
    public var noise: Double
    /// Steps of gradient ascent; 0 keeps the captions as they are.
    public var steps: Int
    /// The length of a step: the factor of the gradient times τ.
    public var rate = 0.1
    /// The temperature τ of the contrast.
    public var temperature = 0.1

    /// A way of finding and fitting.
    public init(noise: Double, steps: Int) {
      self.noise = noise
      self.steps = steps
    }
  }

  private let captions: Tensor
  private let others: Tensor
  private let configuration: Configuration
  /// Captions that are compared at a time: a batch of N takes the memory of N times as many numbers.
  private let rowsAtATime: Int

  /// A collection to search.
  ///
  /// - Parameters:
  ///   - captions: CLIP features of captions, unit length, [C, F], C ≥ 1.
  ///   - others: CLIP features of images to contrast with, unit length, [R, F].
  ///   - configuration: How captions are found and fitted.
  ///   - rowsAtATime: Captions that are compared at a time, at least 1; changes no result.
  public init(
    captions: Tensor,
    others: Tensor,
    _ configuration: Configuration,
    rowsAtATime: Int = 65_536
  ) {
    self.captions = captions
    self.others = others
    self.configuration = configuration
    self.rowsAtATime = rowsAtATime
  }

  /// Text features of image features, without gradient.
  public func callAsFunction(_ images: Tensor, noise: Tensor) -> Tensor {
    withoutGradients {
      let share = configuration.noise
      let query = images * (1 - share) + noise.normalized() * share
      return fitted(captions.gathered(0, nearest(to: query)), to: images)
    }
  }

  /// The nearest caption of each query.
  ///
  /// - Parameter queries: [N, F], of any length.
  /// - Returns: Rows of the collection, [N], int64.
  public func nearest(to queries: Tensor) -> Tensor {
    var (values, rows) = nearest(to: queries, in: 0..<min(rowsAtATime, captions.size(0)))
    for start in stride(from: rowsAtATime, to: captions.size(0), by: rowsAtATime) {
      let part = start..<min(start + rowsAtATime, captions.size(0))
      let (others, otherRows) = nearest(to: queries, in: part)
      let isNearer = others - values .> 0
      values = values.replacing(with: others, where: isNearer)
      rows = rows.replacing(with: otherRows, where: isNearer)
    }
    return rows
  }

  private func nearest(
    to queries: Tensor,
    in part: Range<Int>
  ) -> (similarities: Tensor, rows: Tensor) {
    let similarities = queries.matmul(captions.sliced(0, part).transposed())
    let start = Tensor([Int64(part.lowerBound)], shape: [1]).to(queries.device)
    return (similarities.largest(1), similarities.indexOfLargest(1) + start)
  }

  /// Moves captions towards their images and away from others.
  private func fitted(_ texts: Tensor, to images: Tensor) -> Tensor {
    var t = texts
    for _ in 0..<configuration.steps {
      let own = (t * images).sum(1, keeping: true)
      let logits = Tensor.concatenated([own, t.matmul(others.transposed())], 1)
      let p = (logits / configuration.temperature).softmax(1)
      let pulled = images * (1 - p.sliced(1, 0..<1))
      let pushed = p.sliced(1, 1..<p.size(1)).matmul(others)
      t = (t + (pulled - pushed) * configuration.rate).normalized()
    }
    return t
  }
}
