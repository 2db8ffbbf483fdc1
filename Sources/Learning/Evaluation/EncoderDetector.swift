import CLIP
package import Torch

/// How an image encoder takes its images.
package enum EncoderInput: String, CaseIterable, Sendable {
  /// Less ImageNet's mean, divided by its deviation: DINOv2, and most networks of torchvision.
  case imagenet
  /// Less CLIP's mean, divided by its deviation.
  case clip
  /// In [0, 1].
  case unit
  /// In [−1, 1].
  case signed

  /// Mean and deviation of each channel, for pixels in [0, 1].
  var normalization: (mean: [Double], deviation: [Double]) {
    switch self {
    case .imagenet: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    case .clip: (CLIPConfiguration.pixelMean, CLIPConfiguration.pixelDeviation)
    case .unit: ([0, 0, 0], [1, 1, 1])
    case .signed: ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    }
  }
}

/// Any image encoder in TorchScript as a feature detector.
///
/// DINOv2 is one, by which Stein et al. compare generators (arXiv 2306.04675). Images are resized to a square, bicubically with antialiasing, and normalised. The encoder takes float32
/// [N, 3, R, R] and gives [N, D].
package final class EncoderDetector: FeatureDetector {
  package let name: String
  package let sha256: String
  package let resize: String
  package let dimension: Int
  private let module: ScriptModule
  private let path: String
  private let side: Int
  private let mean: Tensor  // [1, 3, 1, 1]
  private let deviation: Tensor  // [1, 3, 1, 1]

  /// Loads an encoder and calls it once, for the length of its vectors.
  ///
  /// - Parameters:
  ///   - path: The TorchScript file; its name without suffix is the encoder's.
  ///   - side: Height and width of what it sees, in pixels.
  ///   - input: The range of its input.
  ///   - device: The device.
  /// - Throws: `EvaluationError.encoder` if the file is damaged, refuses images of that size, or gives anything
  ///   but a vector.
  package init(path: String, side: Int, input: EncoderInput, device: Device = .cpu) throws {
    func refusal(_ reason: String) -> EvaluationError { .encoder(path: path, reason: reason) }
    (module, sha256) = try ScriptModule.checked(path, on: device, refusal: refusal)
    func channels(_ values: [Double]) -> Tensor {
      Tensor(values, shape: [1, 3, 1, 1]).to(.float32).to(device)
    }
    (mean, deviation) = (
      channels(input.normalization.mean), channels(input.normalization.deviation)
    )
    name = Self.name(of: path)
    resize = "bicubic, antialiased, to \(side)², \(input.rawValue)"
    (self.path, self.side) = (path, side)
    let answer: Tensor
    do throws(TorchError) {
      answer = try module(Tensor.zeros([1, 3, side, side]).to(device))
    } catch {
      throw refusal("\(error)")
    }
    guard answer.rank == 2, answer.size(0) == 1, answer.count > 0 else {
      throw refusal("it gives \(answer.shape) for one image, not [1, D]")
    }
    dimension = answer.size(1)
  }

  /// The name of an encoder's file without folder and suffix: `dinov2` of `/models/dinov2.pt`.
  package static func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    guard let dot = file.lastIndex(of: "."), dot > file.startIndex else { return file }
    return String(file[..<dot])
  }

  package func features(_ images: Tensor) throws -> Tensor {
    var x = images.to(.float32) / 255
    let (N, _, H, W) = x.shape4
    if (H, W) != (side, side) {
      x = x.bicubic(height: side, width: side, antialias: true).clamped(from: 0, to: 1)
    }
    let answer: Tensor
    do throws(TorchError) { answer = try module((x - mean) / deviation) } catch {
      throw EvaluationError.encoder(path: path, reason: "\(error)")
    }
    guard answer.shape == [N, dimension] else {
      throw EvaluationError.encoder(
        path: path,
        reason: "it gives \(answer.shape) for \(N) images, not \([N, dimension])"
      )
    }
    return answer.to(.float32)
  }
}
