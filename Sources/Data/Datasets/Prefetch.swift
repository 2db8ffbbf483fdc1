/// How far a loader decodes ahead of training.
package enum Prefetch {
  /// A decoded image and its features may wait, all together, for so many bytes.
  ///
  /// Far below what a training step needs itself; whole photos at 1024² would else take a gigabyte.
  package static let maximumBytes = 256 << 20
  /// At least so many shares of a step, whatever they need: one that is used, and one behind it.
  package static let minimumShares = 2
  /// At most so many: more would not help a step that comes when its share is there.
  package static let maximumShares = 8

  /// The number of images to decode ahead.
  ///
  /// - Parameters:
  ///   - share: Images that this process takes in a step.
  ///   - resolution: Side of the images in pixels.
  ///   - featureDimension: Numbers per CLIP feature; there are two of them with each image.
  /// - Returns: Two shares at least, eight at most, and in between what fits into `maximumBytes`.
  package static func capacity(share: Int, resolution: Int, featureDimension: Int) -> Int {
    precondition(share >= 1 && resolution >= 1, "\(share) images of \(resolution)")
    let size = 3 * resolution * resolution + 2 * featureDimension * MemoryLayout<Float>.size
    let fitting = min(maximumBytes / size, maximumShares * share)
    return max(minimumShares * share, fitting)
  }
}
