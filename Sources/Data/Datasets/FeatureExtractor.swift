package import Images

/// A CLIP model for a packer: images and captions in, features out.
///
/// All calls come from one thread, in the order of the dataset.
package protocol FeatureExtractor {
  /// The model's name, as `ViT-B/32`.
  var name: String { get }
  /// The SHA-256 of its weights file, in hexadecimal.
  var sha256: String { get }
  /// The other settings that change the features, in words.
  var settings: String { get }
  /// The features of images, one each [F], unnormalised.
  ///
  /// - Parameters:
  ///   - images: Consecutive images of the dataset, of one size.
  ///   - first: The number of the first of them in the dataset. Random numbers are a function of it, so that
  ///     a continued run computes the same features.
  /// - Returns: One feature per image.
  /// - Throws: An error of the model, which ends the run.
  func embed(images: [RGBImage], first: Int) throws -> [[Float]]
  /// The features of captions, one each [F], unnormalised.
  func embed(captions: [String]) throws -> [[Float]]
}
