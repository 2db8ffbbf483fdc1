/// The limits on a loader's decoding ahead.
package enum Prefetch {
  /// The memory budget of prefetched images and features, in bytes.
  ///
  /// It is far below a training step's own; without it images at 1024² would take a gigabyte.
  package static let maximumBytes = 256 << 20
  /// The minimum of prefetched steps, whatever memory they take: the current one and the next.
  package static let minimumSteps = 2
  /// The maximum of prefetched steps; more do not help.
  package static let maximumSteps = 8

  /// The number of images to decode ahead.
  ///
  /// - Parameters:
  ///   - rankBatch: Images that this process takes in a step.
  ///   - resolution: Side of the images in pixels.
  ///   - featureDimension: Numbers per CLIP feature; each image has two.
  /// - Returns: The images of two to eight steps, as many as fit into `maximumBytes`.
  package static func capacity(rankBatch: Int, resolution: Int, featureDimension: Int) -> Int {
    precondition(rankBatch >= 1 && resolution >= 1, "\(rankBatch) images of \(resolution)")
    let size = 3 * resolution * resolution + 2 * featureDimension * MemoryLayout<Float>.size
    let fitting = min(maximumBytes / size, maximumSteps * rankBatch)
    return max(minimumSteps * rankBatch, fitting)
  }
}
