package import Images

/// A CLIP model as a packer sees it: images and captions in, features out.
///
/// All calls come from one thread, in the order of the dataset.
package protocol FeatureExtractor {
  /// The model's name, as `ViT-B/32`.
  var name: String { get }
  /// The SHA-256 of its weights file, in hexadecimal.
  var sha256: String { get }
  /// The other settings that decide about the features, in words.
  var settings: String { get }
  /// The features of images, one each [F], unnormalised.
  ///
  /// - Parameters:
  ///   - images: Images that follow one another in the dataset, of one size.
  ///   - first: The number of the first of them in the dataset. What is random about a feature is a
  ///     function of this number, so that a run that was interrupted computes the same.
  /// - Returns: One feature per image.
  /// - Throws: Whatever keeps the model from computing; it ends the run.
  func embed(images: [RGBImage], first: Int) throws -> [[Float]]
  /// The features of captions, one each [F], unnormalised.
  func embed(captions: [String]) throws -> [[Float]]
}
