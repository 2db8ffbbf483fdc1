import Foundation
package import JSON
import Networks

/// What the original writes down beside the networks, as Python values.
package struct TrainingRecord: Equatable, Sendable {
  /// The entry `training_set_kwargs`: how the data was opened.
  package var trainingSet: OptionValue
  /// The entry `args`: the options of the training loop.
  package var arguments: OptionValue
  /// The generator's `_init_kwargs`; made from its shape when empty.
  package var generatorKeywords: OptionValue
  /// The discriminator's `_init_kwargs`; made from its shape when empty.
  package var discriminatorKeywords: OptionValue

  /// A record; everything may be left out.
  package init(
    trainingSet: OptionValue = [:],
    arguments: OptionValue = [:],
    generatorKeywords: OptionValue = [:],
    discriminatorKeywords: OptionValue = [:]
  ) {
    self.trainingSet = trainingSet
    self.arguments = arguments
    self.generatorKeywords = generatorKeywords
    self.discriminatorKeywords = discriminatorKeywords
  }

  typealias Field = WritableKeyPath<TrainingRecord, OptionValue> & Sendable

  static let fields: [(key: String, path: any Field)] = [
    ("training_set_kwargs", \.trainingSet), ("args", \.arguments),
    ("G_init_kwargs", \.generatorKeywords), ("D_init_kwargs", \.discriminatorKeywords),
  ]
}

/// Everything a snapshot says beside its tensors; the same in both formats.
struct SnapshotDescription: Equatable {
  var generator: GeneratorConfiguration
  var discriminator: DiscriminatorConfiguration?
  var imagesSeen = 0
  var notes: [String: String] = [:]
  var record = TrainingRecord()

  private static let ownKeys =
    ["generator", "discriminator", "images_seen"] + TrainingRecord.fields.map(\.key)

  // MARK: Metadata of a safetensors file

  /// The description as the metadata of a safetensors file, strings by key.
  var metadata: [String: String] {
    get throws {
      var result = notes.filter { !Self.ownKeys.contains($0.key) }
      result["generator"] = try Self.text(generator)
      if let discriminator { result["discriminator"] = try Self.text(discriminator) }
      result["images_seen"] = String(imagesSeen)
      for (key, path) in TrainingRecord.fields where !record[keyPath: path].isEmpty {
        result[key] = record[keyPath: path].json
      }
      return result
    }
  }

  /// Reads what `metadata` gives.
  ///
  /// - Throws: `SnapshotError` when the shapes are missing, damaged or absurd.
  init(metadata: [String: String], path: String) throws {
    guard let generator: GeneratorConfiguration = try Self.value("generator", metadata, path) else {
      throw SnapshotError(path, "not a network snapshot (it describes no generator)")
    }
    self.generator = generator
    discriminator = try Self.value("discriminator", metadata, path)
    imagesSeen = max(0, Int(metadata["images_seen"] ?? "") ?? 0)
    notes = metadata.filter { !Self.ownKeys.contains($0.key) }
    for (key, field) in TrainingRecord.fields {
      guard let text = metadata[key] else { continue }
      guard let value = OptionValue(json: text) else {
        throw SnapshotError(path, "the description of its \(key) is damaged")
      }
      record[keyPath: field] = value
    }
    try check(path)
  }

  init(generator: GeneratorConfiguration) { self.generator = generator }

  /// Refuses shapes that no network has, before anything is allocated for them.
  func check(_ path: String) throws {
    guard generator.isPlausible else {
      throw SnapshotError(path, "the description of its generator makes no sense")
    }
    if let discriminator, !discriminator.isPlausible {
      throw SnapshotError(path, "the description of its discriminator makes no sense")
    }
  }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func value<Value: Decodable>(
    _ key: String,
    _ metadata: [String: String],
    _ path: String
  ) throws -> Value? {
    guard let text = metadata[key] else { return nil }
    do {
      return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    } catch {
      throw SnapshotError(path, "the description of its \(key) is damaged")
    }
  }
}

private let plausibleWidths = 1...(1 << 20)

private func isPowerOfTwo(_ side: Int) -> Bool {
  side >= 8 && side <= 4096 && side & (side - 1) == 0
}

extension GeneratorConfiguration {
  fileprivate var isPlausible: Bool {
    isPowerOfTwo(resolution) && (1...64).contains(mappingLayers)
      && (0...20).contains(reducedPrecisionResolutions) && featureScale.isFinite
      && [zDimension, wDimension, styleWidth, channelMax, labelDimension ?? 1]
        .allSatisfy(plausibleWidths.contains)
      && (featureDimension == 0 || plausibleWidths.contains(featureDimension))
      && channelBase >= resolution
      && isPossibleClamp(clamp, reducedPrecisionResolutions: reducedPrecisionResolutions)
  }
}

extension DiscriminatorConfiguration {
  fileprivate var isPlausible: Bool {
    isPowerOfTwo(resolution) && (0...20).contains(reducedPrecisionResolutions)
      && [featureDimension, channelMax, minibatchGroup ?? 1, labelDimension ?? 1]
        .allSatisfy(plausibleWidths.contains)
      && (1...64).contains(labelLayers ?? 1)
      && channelBase >= resolution
      && isPossibleClamp(clamp, reducedPrecisionResolutions: reducedPrecisionResolutions)
  }
}
