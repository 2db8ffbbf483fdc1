import Files
import Pickle
package import Torch

/// A feature detector in TorchScript: the original's Inception-v3 and VGG-16.
///
/// They take uint8 images [N, 3, H, W] of any size, resize them inside, and choose the output by a flag:
/// `return_features`, `no_output_bias` or `return_lpips`. The last takes floats in [0, 255], which are not
/// resized, and gives more numbers for larger images.
package final class ScriptDetector: FeatureDetector {
  package let name: String
  package let sha256: String
  package let resize: String
  package let dimension: Int
  private let module: ScriptModule
  private let flags: [String: Bool]
  private let path: String
  private let isAskedForDistances: Bool

  /// Loads a detector and calls it once, for the length of its vectors.
  ///
  /// - Parameters:
  ///   - kind: An output of Inception or VGG-16.
  ///   - path: The TorchScript file.
  ///   - device: The device.
  /// - Throws: `EvaluationError.detector` if the file is damaged or has another interface.
  package init(_ kind: DetectorKind, path: String, device: Device = .cpu) throws {
    let (name, flag, wantsOwnSize) = Self.interface(kind)
    func refusal(_ reason: String) -> EvaluationError { .detector(path: path, reason: reason) }
    let (module, sha256) = try ScriptModule.checked(path, on: device, refusal: refusal)
    guard module.takes(flag) else { throw refusal("its forward takes no \(flag)") }
    var flags = [flag: true]
    if wantsOwnSize, module.takes("resize_images") { flags["resize_images"] = false }
    self.name = name
    self.path = path
    self.module = module
    self.flags = flags
    isAskedForDistances = wantsOwnSize
    self.sha256 = sha256
    resize = wantsOwnSize ? "none" : "inside the detector"
    let probe = Tensor.zeros([1, 3, 64, 64], dtype: wantsOwnSize ? .float32 : .uint8).to(device)
    let answer: Tensor
    do throws(TorchError) { answer = try module(probe, flags: flags) } catch {
      throw refusal("\(error)")
    }
    guard answer.rank == 2, answer.size(0) == 1, answer.count > 0 else {
      throw refusal("it gives \(answer.shape) for one image")
    }
    dimension = answer.size(1)
  }

  package func features(_ images: Tensor) throws -> Tensor {
    let answer: Tensor
    do throws(TorchError) { answer = try module(images, flags: flags) } catch {
      throw EvaluationError.detector(path: path, reason: "\(error)")
    }
    let lengthFits = answer.rank == 2 && (isAskedForDistances || answer.size(1) == dimension)
    guard lengthFits, answer.size(0) == images.size(0) else {
      throw EvaluationError.detector(
        path: path,
        reason: "it gives \(answer.shape) for \(images.size(0)) images"
      )
    }
    return answer.to(.float32)
  }

  private static func interface(
    _ kind: DetectorKind
  ) -> (name: String, flag: String, wantsOwnSize: Bool) {
    switch kind {
    case .inceptionFeatures: ("inception-2015-12-05", "return_features", false)
    case .inceptionProbabilities: ("inception-2015-12-05", "no_output_bias", false)
    case .vggFeatures: ("vgg16", "return_features", false)
    case .vggDistances: ("vgg16", "return_lpips", true)
    case .lite0, .clip, .judge, .classifier, .encoder, .pixels:
      preconditionFailure("\(kind) is no TorchScript detector")
    }
  }
}

extension ScriptModule {
  /// Loads a module that comes from outside.
  ///
  /// - Parameters:
  ///   - path: The TorchScript file.
  ///   - device: Where it computes.
  ///   - refusal: The error of a file that is damaged or no module.
  /// - Returns: The module, and the SHA-256 of its file.
  /// - Throws: `refusal`, or `FileError` for a file that cannot be read.
  static func checked(
    _ path: String,
    on device: Device,
    refusal: (String) -> EvaluationError
  ) throws -> (module: ScriptModule, sha256: String) {
    let file = try MappedFile(path)
    // Our own reader first: it checks every length before libtorch reads the file.
    do throws(PickleError) { _ = try TorchArchive(path) } catch { throw refusal("\(error)") }
    do throws(TorchError) {
      let module = try ScriptModule(file)
      try module.move(to: device)
      return (module, SHA256.digest(of: file.bytes))
    } catch {
      throw refusal("\(error)")
    }
  }
}
