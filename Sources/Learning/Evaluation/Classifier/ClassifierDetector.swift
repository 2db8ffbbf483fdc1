import CLIP
import Files
import Images
import Pixels
package import Torch
import TorchNN

/// A classifier of pictures as a feature detector.
package struct ClassifierDetector: FeatureDetector {
  package let name = "features"
  package let sha256: String
  package let resize: String
  package let dimension: Int
  private let model: PictureClassifier
  private let device: Device

  /// Reads a classifier.
  ///
  /// - Throws: What `PictureClassifier.load` throws.
  package init(path: String, device: Device) throws {
    sha256 = try SHA256.digest(ofFile: path)
    model = try PictureClassifier.load(path)
    model.move(to: device)
    self.device = device
    dimension = model.featureCount
    resize = "Lanczos in 8 bits, to \(model.resolution)²"
  }

  package func features(_ images: Tensor) -> Tensor {
    let side = model.resolution
    let fitting = pictures(ofBytes: images).map {
      $0.width == side && $0.height == side ? $0 : $0.resized(width: side, height: side)
    }
    let pixels = ((imageTensor(fitting) + 1) / 2).to(device)
    return withoutGradients { model.features(CLIP.normalize(pixels)) }
  }
}
