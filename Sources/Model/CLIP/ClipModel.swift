import Fetch
import Files
package import Images
import Pixels
package import Torch
import TorchNN

/// A CLIP file in use: features of pictures and texts.
package final class ClipModel {
  package let name: String
  package let sha256: String
  package let model: CLIP
  private let tokenizer: CLIPTokenizer
  private let device: Device
  private let towers: CLIPTowers

  /// Input size in pixels.
  package var side: Int { model.configuration.imageResolution }

  /// Reads a CLIP.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - device: Where the model shall live.
  ///   - towers: `texts` for callers that never ask for the features of pictures, and the reverse.
  /// - Throws: `CLIPError` if the file holds no CLIP or its tokenizer does not fit; what reading it throws.
  package init(path: String, device: Device = .cpu, towers: CLIPTowers = .both) throws {
    let digest = BackgroundDigest(ofFile: path)
    model = try CLIPFile(path, towers: towers).model
    self.towers = towers
    model.setTrainable(false)
    model.move(to: device)
    self.device = device
    tokenizer = try Weights.tokenizer(for: model.configuration)
    let (tokens, known) = (model.configuration.vocabularySize, tokenizer.vocabularySize)
    guard tokens == known else {
      throw CLIPError.file(
        path: path,
        reason: "it has vectors of \(tokens) tokens, and the tokenizer \(known): "
          + "another tokenizer's model"
      )
    }
    sha256 = try digest.value()
    name = String(path.split(separator: "/").last ?? "clip")
  }

  /// Features of pictures of any size, unnormalised, [N, E].
  ///
  /// A picture of another size is resampled as its pixels need: Lanczos in 8 bits.
  package func features(of images: [RGBImage]) -> Tensor {
    precondition(towers != .texts, "\(name) was read for texts only")
    let fitting = images.map {
      $0.width == side && $0.height == side
        ? $0 : $0.centerCropped().resized(width: side, height: side)
    }
    let pixels = (imageTensor(fitting).to(device) + 1) / 2
    return withoutGradients { model.encodeImage(CLIP.normalize(pixels)).to(.float32) }
  }

  /// Features of texts, unnormalised, [N, E].
  package func features(of texts: [String]) throws -> Tensor {
    precondition(towers != .images, "\(name) was read for images only")
    let ids = try tokens(of: texts).flatMap { $0.map(Int64.init) }
    let shape = [texts.count, model.configuration.contextLength]
    let tokens = Tensor(ids, shape: shape).to(device)
    return withoutGradients { model.encodeText(tokens).to(.float32) }
  }

  /// What the text tower reads of texts: ids of the whole context's length each; longer texts lose their ends.
  package func tokens(of texts: [String]) throws -> [[Int]] {
    let length = model.configuration.contextLength
    return try texts.map { try tokenizer.tokenize($0, contextLength: length, truncating: true) }
  }

  /// What to say of texts that are longer than CLIP reads: `features(of:)` leaves their ends out.
  ///
  /// - Parameters:
  ///   - texts: What is read.
  ///   - noun: What they are, in the plural.
  /// - Returns: One line with a count; `nil` if all of them fit.
  package func noteOnLength(of texts: [String], _ noun: String = "prompts") -> String? {
    let length = model.configuration.contextLength
    let cut = texts.count { !tokenizer.fits($0, contextLength: length) }
    guard cut > 0 else { return nil }
    return "\(noun) longer than the \(length) tokens that CLIP reads, "
      + "whose ends are left out: \(cut) of \(texts.count)"
  }

  /// The model as a packer uses it.
  package func extractor(view: PackView, precision: DType) -> PackFeatures {
    PackFeatures(
      model,
      tokenizer: tokenizer,
      name: name,
      sha256: sha256,
      view: view,
      precision: precision
    )
  }
}
