import CLIP
import Console
import Evaluation
import Fetch
import Files
import Foundation
import Images
import Networks
import Pixels
import Torch
import Training

extension MetricSources {
  /// Detectors from the weights of this machine; a CLIP that sees images and reads captions.
  ///
  /// - Parameters:
  ///   - clip: File of the CLIP of `clip_fid` and its like and of the metrics of captions, if any metric may need one.
  ///   - judge: File of the CLIP that took no part in training, if any metric may need one.
  ///   - classifier: File of the classifier of pictures, if any metric may need one.
  ///   - encoder: The image encoder, if any metric may need one.
  ///   - device: Where they compute.
  /// - Returns: Sources that load nothing yet.
  static func standard(
    clip: String?,
    judge: String? = nil,
    classifier: String? = nil,
    encoder: EncoderFlags? = nil,
    device: Device
  ) -> MetricSources {
    func model(_ path: String?, _ need: String) -> Once<ClipModel> {
      Once {
        guard let path else { throw EvaluationError.option(need) }
        return try ClipModel(path: path, device: device)
      }
    }
    let judgeModel = model(
      judge,
      "metrics of the judge need a CLIP that took no part: --judge FILE"
    )
    let clipModel =
      clip != nil && clip == judge
      ? judgeModel
      : model(
        clip,
        "metrics of captions, clip_fid, cmmd and prdc_clip need a CLIP: give --judge FILE or --clip FILE"
      )
    return MetricSources(
      detector: { kind in
        switch kind {
        case .lite0:
          let detector = try Lite0Detector(path: Weights.path(Weights.efficientNet))
          detector.move(to: device)
          return detector
        case .inceptionFeatures, .inceptionProbabilities:
          return try ScriptDetector(kind, path: Weights.path(Weights.inception), device: device)
        case .vggFeatures, .vggDistances:
          return try ScriptDetector(kind, path: Weights.path(Weights.vgg16), device: device)
        case .clip: return ClipDetector(model: try clipModel.value)
        case .judge: return ClipDetector(model: try judgeModel.value, role: "judge")
        case .classifier:
          guard let classifier else {
            throw EvaluationError.option("mmd_features needs --classifier FILE")
          }
          return try ClassifierDetector(path: classifier, device: device)
        case .encoder:
          guard let encoder, let path = encoder.detector else {
            throw EvaluationError.option("the metrics of an encoder need --detector FILE")
          }
          return try EncoderDetector(
            path: path,
            side: encoder.detectorSide,
            input: encoder.detectorInput,
            device: device
          )
        case .pixels: return PixelDetector()
        }
      },
      judge: {
        let model = try clipModel.value
        return CaptionPass.Judge(
          sha256: model.sha256,
          announce: { captions in
            if let note = model.noteOnLength(of: captions, "captions") { Console.error(note) }
          },
          features: { try model.features(of: $0) }
        )
      },
      progress: { what, done, total in Console.progress("\(what)  \(done)/\(total)") }
    )
  }

  /// Where statistics of real images are kept.
  static var standardCache: StatisticsCache? {
    cacheFolder.map { folder in
      StatisticsCache(folder: folder + "/statistics") { Console.error("nifty: \($0)") }
    }
  }
}

/// The image tower of a CLIP as a feature detector.
struct ClipDetector: FeatureDetector {
  let model: ClipModel
  var role = "clip"
  let resize = "Lanczos in 8 bits, after a centre crop"

  var name: String { "\(role) \(model.name)" }
  var sha256: String { model.sha256 }
  var dimension: Int { model.model.configuration.embedDimension }

  func features(_ images: Tensor) throws -> Tensor {
    model.features(of: pictures(ofBytes: images))
  }
}

/// A value made at its first use.
final class Once<Value> {
  private let make: () throws -> Value
  private var made: Value?

  init(_ make: @escaping () throws -> Value) { self.make = make }

  var value: Value {
    get throws {
      if let made { return made }
      let value = try make()
      made = value
      return value
    }
  }
}
