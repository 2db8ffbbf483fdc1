package import Images

/// Images of a set in a given order, decoded ahead on threads of its own.
///
/// One consumer at a time. Results do not depend on the number of threads.
package final class ImageSequence {
  private let pipeline: OrderedPipeline<Int, Result<RGBImage, DatasetError>>

  /// Starts to decode.
  ///
  /// - Parameters:
  ///   - set: The set.
  ///   - threads: Number of decoding threads, at least 1.
  ///   - ahead: The number of images to decode ahead, at least 1.
  ///   - index: The index in the set of the sequence's image 0, 1, 2, …; `nil` after the last.
  package init(
    _ set: TrainingSet,
    threads: Int = 2,
    ahead: Int = 64,
    index: @escaping (Int) -> Int?
  ) {
    pipeline = OrderedPipeline(threads: threads, capacity: ahead, claim: index) { index in
      Result { () throws(DatasetError) in try set.image(at: index) }
    }
  }

  deinit { pipeline.stop() }

  /// The next image; `nil` after the last.
  ///
  /// - Throws: `DatasetError` if it cannot be read.
  package func next() throws(DatasetError) -> RGBImage? { try pipeline.next()?.get() }
}
