import Files
package import Networks
import Pickle
package import Torch
import TorchNN

/// A feature detector: sets of images are compared by its features.
package protocol FeatureDetector {
  /// Its name in metrics: `lite0`.
  var name: String { get }
  /// SHA-256 of the file of its weights.
  var sha256: String { get }
  /// The resizing to its input size, in words.
  var resize: String { get }
  /// Length of a feature vector.
  var dimension: Int { get }
  /// Features of uint8 images [N, 3, H, W]: [N, D].
  ///
  /// - Throws: The error of a TorchScript detector.
  func features(_ images: Tensor) throws -> Tensor
}

/// EfficientNet-Lite0 as a feature detector, the offline default.
///
/// Its Fréchet distance is called `fd-lite0`, never FID.
package struct Lite0Detector: FeatureDetector {
  package let name = "lite0"
  package let sha256: String
  package let resize = "bilinear, antialiased, to 224²"
  package let dimension = EfficientNetLite0.featureCount
  /// The network itself, which is not trained.
  package let network: EfficientNetLite0

  /// Reads the published PyTorch weights.
  ///
  /// - Throws: `EvaluationError.weights` for a damaged file or another network, `FileError` for none.
  package init(path: String) throws {
    sha256 = try SHA256.digest(ofFile: path)
    do {
      var weights: [String: Tensor] = [:]
      for (name, stored) in try TorchArchive(path).tensors {
        weights[name] = Tensor(stored.contiguousFloats(), shape: stored.shape)
      }
      network = try EfficientNetLite0(weights: weights)
    } catch let error as FileError {
      throw error
    } catch {
      throw EvaluationError.weights(path: path, reason: "\(error)")
    }
  }

  /// Moves the network to a device; images must be on it.
  package func move(to device: Device) { network.move(to: device) }

  package func features(_ images: Tensor) -> Tensor {
    withoutGradients { differentiableFeatures(images) }
  }

  /// The same, recorded for differentiation: a picture can be changed after them.
  package func differentiableFeatures(_ images: Tensor) -> Tensor { network.features(images) }
}
