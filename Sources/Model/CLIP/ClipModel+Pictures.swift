import Datasets
package import Images
package import Torch

extension ClipModel {
  /// The share of noise in a picture's condition, as in LAFITE's training without captions.
  package static let standardNoise = standardPseudoTextNoise

  /// The condition that a picture gives instead of a text.
  ///
  /// It is the pseudo text feature of training without captions (arXiv 2111.13792, equation 3), with the same
  /// noise for all pictures.
  ///
  /// - Parameters:
  ///   - image: The picture, of any size.
  ///   - noise: The share of noise, 0 to 1.
  /// - Returns: [1, F], unit length.
  package func condition(of image: RGBImage, noise: Double) -> Tensor {
    let feature = features(of: [image]).normalized()
    let random = SeededRandom(seed: 0, stream: .paintedPseudoText, position: 0)
    let n = random.normal([1, feature.size(1)]).to(feature.device).normalized()
    return pseudoText(of: feature, n, share: noise)
  }
}
