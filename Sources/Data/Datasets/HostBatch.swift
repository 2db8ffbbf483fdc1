/// A batch of training data in host memory, ready to become tensors.
package struct HostBatch: Sendable, Equatable {
  /// Number of images, N.
  package let size: Int
  /// Side of the square images in pixels, R.
  package let resolution: Int
  /// Numbers per CLIP feature, F.
  package let featureDimension: Int
  /// Images [N, R, R, 3], interleaved RGB, 0…255.
  package internal(set) var pixels: [UInt8] = []
  /// CLIP features of the images [N, F], as stored (unnormalised).
  package internal(set) var imageFeatures: [Float] = []
  /// CLIP features of one caption each [N, F], as stored (unnormalised) or pseudo-text of norm 1.
  package internal(set) var textFeatures: [Float] = []
  /// Whether each row of `textFeatures` is pseudo-text [N]: its image has no caption, or `ratio` ignores it.
  package internal(set) var isPseudoText: [Bool] = []
  /// Class labels [N, L] as networks take them; empty where none are asked for.
  package internal(set) var labels: [Float] = []
  /// Indices into the training set [N].
  package internal(set) var indices: [Int] = []
}
