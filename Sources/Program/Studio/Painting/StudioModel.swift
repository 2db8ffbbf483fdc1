import CLIP
import Files
package import Images
import Networks
package import Sampling
import Snapshots
import Torch

/// A picture with what it was painted from.
package struct PaintedPicture: Sendable {
  /// The pixels.
  package let image: RGBImage
  /// How it was painted.
  package let record: PaintingRecord
  /// What to say of prompts that CLIP read only the beginning of; `nil` if it read all.
  package let note: String?

  /// A picture with its record.
  package init(image: RGBImage, record: PaintingRecord, note: String? = nil) {
    (self.image, self.record, self.note) = (image, record, note)
  }

  /// The PNG file, which carries the record.
  package func png() throws(ImageError) -> [UInt8] { try image.encodedPNG(texts: [record.text]) }
}

/// What people and programs may know of the model.
package struct ModelAbout: Sendable, Equatable {
  /// A name for people: what the command line said, without folders.
  package let name: String
  /// SHA-256 of the snapshot's file.
  package let network: String
  /// SHA-256 of the CLIP's file.
  package let clip: String
  /// Pixels of a picture's side.
  package let resolution: Int
  /// Images that it was trained on.
  package let imagesSeen: Int
  /// Number of layers that take styles.
  package let layers: Int

  /// All of it.
  package init(
    name: String,
    network: String,
    clip: String,
    resolution: Int,
    imagesSeen: Int,
    layers: Int
  ) {
    self.name = name
    self.network = network
    self.clip = clip
    self.resolution = resolution
    self.imagesSeen = imagesSeen
    self.layers = layers
  }
}

/// A generator with its CLIP; stays on the thread that opened it.
final class StudioModel {
  let about: ModelAbout
  private let generator: Generator
  private let clip: ClipModel
  private var features = RecentValues<String, Tensor>(capacity: 256)

  /// Opens a model.
  ///
  /// - Parameters:
  ///   - network: A snapshot, run folder or name, as `nifty generate` takes it.
  ///   - clip: The CLIP's file, where the location has none.
  ///   - threads: Of libtorch.
  /// - Throws: `SamplingError` and what reading the files throws.
  init(network: String, clip: String?, threads: Int) throws {
    Runtime.threads = threads
    let location = try ModelLocation(network)
    let snapshot = try NetworkSnapshot(path: location.network)
    generator = try snapshot.averagedGenerator()
    self.clip = try location.clipModel(clip, for: snapshot)
    about = ModelAbout(
      name: network.split(separator: "/").last.map(String.init) ?? network,
      network: try SHA256.digest(ofFile: location.network),
      clip: self.clip.sha256,
      resolution: generator.configuration.resolution,
      imagesSeen: snapshot.imagesSeen,
      layers: generator.mapping.wCount
    )
  }

  /// Paints one picture, with the very pixels that `nifty generate` gives.
  ///
  /// - Throws: `RequestError` if the generator lacks a layer; what the tokenizer throws.
  func picture(_ request: PictureRequest) throws -> PaintedPicture {
    let painter = Painter(
      generator: generator,
      truncation: request.truncation,
      truncationCutoff: request.truncationCutoff,
      noise: request.noise
    )
    let fts = try feature(of: request.prompt)
    let note = clip.noteOnLength(of: [request.prompt] + (request.blend.map { [$0.prompt] } ?? []))
    let record = painter.record(
      of: .text(request.prompt),
      seed: request.seed,
      network: about.network,
      clip: about.clip
    )
    if let blend = request.blend {
      let end = Painter.End(fts: try feature(of: blend.prompt), seed: blend.seed)
      let start = Painter.End(fts: fts, seed: request.seed)
      let image = pictures(painter.between(start, end, share: blend.share))[0]
      return PaintedPicture(image: image, record: record.blending(blend), note: note)
    }
    guard let mixed = request.mixed else {
      let image = pictures(painter.row(fts: fts, seeds: [request.seed]))[0]
      return PaintedPicture(image: image, record: record, note: note)
    }
    guard mixed.layers.upperBound < about.layers else {
      throw RequestError(
        "mix_layers \(mixed.layers.lowerBound)-\(mixed.layers.upperBound): the generator has layers "
          + "0 to \(about.layers - 1)",
        parameter: "mix_layers"
      )
    }
    let row = painter.mixedRow(
      fts: fts,
      seed: request.seed,
      mixing: .init(seeds: [mixed.seed], layers: mixed.layers)
    )
    return PaintedPicture(image: pictures(row)[1], record: record.mixing(mixed), note: note)
  }

  /// The CLIP feature of a text, unit length, [1, F].
  private func feature(of prompt: String) throws -> Tensor {
    if let known = features[prompt] { return known }
    let feature = try clip.features(of: [prompt]).normalized()
    features[prompt] = feature
    return feature
  }
}

extension PaintingThread<PictureRequest, PaintedPicture> {
  /// Starts the thread with a model from files.
  ///
  /// - Parameters:
  ///   - network: A snapshot, run folder or name, as `nifty generate` takes it.
  ///   - clip: The CLIP's file, where the location has none.
  ///   - threads: Of libtorch.
  /// - Returns: What is known of the model.
  /// - Throws: `SamplingError` and what reading the files throws.
  package func open(network: String, clip: String?, threads: Int) async throws -> ModelAbout {
    try await open {
      let model = try StudioModel(network: network, clip: clip, threads: threads)
      return (model.about, { try model.picture($0) })
    }
  }
}
