import CLIP
import Files
package import Images
import Networks
import Pixels
package import Sampling
import Snapshots
import Torch

/// A picture with its record.
package struct PaintedPicture: Sendable {
  /// The pixels.
  package let image: RGBImage
  /// The inputs and settings that reproduce it.
  package let record: PaintingRecord
  /// A note about truncated prompts; `nil` if CLIP read all.
  package let note: String?
  /// Its CLIP feature, [F], unit length, if requested.
  package var feature: [Float]?

  /// A picture with its record.
  package init(image: RGBImage, record: PaintingRecord, note: String? = nil) {
    (self.image, self.record, self.note) = (image, record, note)
  }

  /// The PNG file, which carries the record.
  package func png() throws(ImageError) -> [UInt8] { try image.encodedPNG(texts: [record.text]) }
}

/// The public description of the model.
package struct ModelAbout: Sendable, Equatable {
  /// The display name: the command line's, without folders.
  package let name: String
  /// SHA-256 of the snapshot's file.
  package let network: String
  /// SHA-256 of the CLIP's file.
  package let clip: String
  /// The side of a picture in pixels.
  package let resolution: Int
  /// The number of images it was trained on.
  package let imagesSeen: Int
  /// The number of layers that take styles.
  package let layers: Int
  /// The side of CLIP's input in pixels.
  package let clipSide: Int
  /// The dimension of a CLIP feature.
  package let features: Int

  /// A description.
  package init(
    name: String,
    network: String,
    clip: String,
    resolution: Int,
    imagesSeen: Int,
    layers: Int,
    clipSide: Int = 224,
    features: Int = 512
  ) {
    self.name = name
    self.network = network
    self.clip = clip
    self.resolution = resolution
    self.imagesSeen = imagesSeen
    self.layers = layers
    self.clipSide = clipSide
    self.features = features
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
  ///   - network: A snapshot, run folder or name, as for `nifty generate`.
  ///   - clip: The CLIP's file, if the location has none.
  ///   - threads: The number of libtorch's threads.
  /// - Throws: `SamplingError`, or an error of reading the files.
  init(network: String, clip: String?, threads: Int) throws {
    let opened = try OpenedModel(network, threads: threads)
    guard opened.snapshot.generator.labelDimension == nil else {
      throw SamplingError(
        "\(network) paints classes, which the studio cannot choose; paint with nifty generate --class"
      )
    }
    generator = opened.generator
    self.clip = try opened.location.clipModel(clip, for: opened.snapshot, on: opened.device)
    about = ModelAbout(
      name: network.split(separator: "/").last.map(String.init) ?? network,
      network: try opened.digest.value(),
      clip: self.clip.sha256,
      resolution: generator.configuration.resolution,
      imagesSeen: opened.snapshot.imagesSeen,
      layers: generator.mapping.wCount,
      clipSide: self.clip.side,
      features: self.clip.model.configuration.embedDimension
    )
  }

  /// Paints one picture, with the pixels of `nifty generate`.
  ///
  /// - Throws: `RequestError` if the generator lacks a layer; the tokenizer's error.
  func picture(_ request: PictureRequest) throws -> PaintedPicture {
    var picture = try painted(request)
    if request.wantsFeature { picture.feature = feature(of: picture.image) }
    return picture
  }

  /// Paints several pictures in one batch: the pixels may differ by a level from those of `nifty generate`.
  ///
  /// - Parameter requests: At least one, each of which fits to the first.
  /// - Returns: A result for each request.
  func pictures(_ requests: [PictureRequest]) -> [Result<PaintedPicture, any Error>] {
    func each() -> [Result<PaintedPicture, any Error>] {
      requests.map { request in Result { try picture(request) } }
    }
    guard requests.count > 1 else { return each() }
    do {
      let images = try finitePictures(
        painter(of: requests[0]).batch(
          fts: .concatenated(requests.map { try condition(of: $0) }, 0),
          seeds: requests.map(\.seed)
        )
      )
      return zip(requests, images).map { request, image in
        var picture = PaintedPicture(
          image: image,
          record: record(of: request),
          note: note(on: request)
        )
        if request.wantsFeature { picture.feature = feature(of: image) }
        return .success(picture)
      }
    } catch {
      // One of them cannot be painted; the others can.
      return each()
    }
  }

  private func feature(of image: RGBImage) -> [Float] {
    clip.features(of: [image]).normalized().floats
  }

  private func painter(of request: PictureRequest) -> Painter {
    Painter(
      generator: generator,
      truncation: request.truncation,
      truncationCutoff: request.truncationCutoff,
      noise: request.noise
    )
  }

  private func note(on request: PictureRequest) -> String? {
    let texts = request.source == nil ? [request.prompt] : []
    return clip.noteOnLength(of: texts + (request.blend.map { [$0.prompt] } ?? []))
  }

  private func record(of request: PictureRequest) -> PaintingRecord {
    painter(of: request).record(
      of: request.source.map { .picture($0.name, imageNoise: $0.noise) } ?? .text(request.prompt),
      seed: request.seed,
      network: about.network,
      clip: about.clip
    )
  }

  private func painted(_ request: PictureRequest) throws -> PaintedPicture {
    let painter = painter(of: request)
    let fts = try condition(of: request)
    let (note, record) = (note(on: request), record(of: request))
    if let blend = request.blend {
      let end = Painter.End(
        fts: try feature(of: blend.prompt),
        seed: blend.seed,
        truncation: blend.truncation
      )
      let start = Painter.End(fts: fts, seed: request.seed)
      let image = try finitePictures(painter.between(start, end, share: blend.share))[0]
      return PaintedPicture(image: image, record: record.blending(blend), note: note)
    }
    guard let mixed = request.mixed else {
      let image = try finitePictures(painter.row(fts: fts, seeds: [request.seed]))[0]
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
    return PaintedPicture(
      image: try finitePictures(row)[1],
      record: record.mixing(mixed),
      note: note
    )
  }

  /// The condition of a picture, unit length, [1, F].
  private func condition(of request: PictureRequest) throws -> Tensor {
    guard let source = request.source else { return try feature(of: request.prompt) }
    // No prompt begins with a zero byte.
    let key = "\0\(source.id) \(source.noise)"
    if let known = features[key] { return known }
    let condition = clip.condition(of: source.image, noise: source.noise)
    features[key] = condition
    return condition
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
  ///   - network: A snapshot, run folder or name, as for `nifty generate`.
  ///   - clip: The CLIP's file, if the location has none.
  ///   - threads: The number of libtorch's threads.
  ///   - batch: The most pictures that are painted together.
  /// - Returns: The description of the model.
  /// - Throws: `SamplingError`, or an error of reading the files.
  package func open(
    network: String,
    clip: String?,
    threads: Int,
    batch: Int = 1
  ) async throws -> ModelAbout {
    try await open(
      inBatchesOf: batch,
      joining: { $1.fits($0) },
      make: {
        let model = try StudioModel(network: network, clip: clip, threads: threads)
        return (model.about, { model.pictures($0) })
      }
    )
  }
}
