package import Images

/// A CLIP model as a packer sees it: images and captions in, features out.
///
/// All calls come from one thread, in the order of the dataset.
package protocol FeatureExtractor {
  /// The model's name, as `ViT-B/32`.
  var name: String { get }
  /// The SHA-256 of its weights file, in hexadecimal.
  var sha256: String { get }
  /// The features of images, one each [F], unnormalised.
  func embed(images: [RGBImage]) throws -> [[Float]]
  /// The features of captions, one each [F], unnormalised.
  func embed(captions: [String]) throws -> [[Float]]
}
