/// How far a loader decodes ahead of training.
package enum Prefetch {
  /// A decoded image and its features may wait, all together, for so many bytes.
  ///
  /// Far below what a training step needs itself; whole photos at 1024² would else take a gigabyte.
  package static let maximumBytes = 256 << 20
  /// The least number of prefetched steps, whatever memory they take: the current one and the next.
  package static let minimumSteps = 2
  /// At most so many: more would not help a step that comes when its images are there.
  package static let maximumSteps = 8

  /// The number of images to decode ahead.
  ///
  /// - Parameters:
  ///   - rankBatch: Images that this process takes in a step.
  ///   - resolution: Side of the images in pixels.
  ///   - featureDimension: Numbers per CLIP feature; there are two of them with each image.
  /// - Returns: Two steps' images at least, eight at most, and in between what fits into `maximumBytes`.
  package static func capacity(rankBatch: Int, resolution: Int, featureDimension: Int) -> Int {
    precondition(rankBatch >= 1 && resolution >= 1, "\(rankBatch) images of \(resolution)")
    let size = 3 * resolution * resolution + 2 * featureDimension * MemoryLayout<Float>.size
    let fitting = min(maximumBytes / size, maximumSteps * rankBatch)
    return max(minimumSteps * rankBatch, fitting)
  }
}
