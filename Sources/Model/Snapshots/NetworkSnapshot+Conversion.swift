import Files
import Foundation
import JSON
import Torch

extension NetworkSnapshot {
  /// Writes the snapshot to another file, in the format that the file's name asks for.
  ///
  /// Tensors and all that is said beside them are the same in both formats. Beside a safetensors file
  /// goes `config.json`, which says once more what the metadata says, for other programs; a
  /// safetensors file that has lost its metadata opens with it.
  ///
  /// - Parameters:
  ///   - path: The final name; its folder must exist.
  ///   - averageOnly: Leaves G and D out: enough for generation.
  ///   - half: Stores floating-point values in half precision.
  ///   - notes: Replace the snapshot's own notes of the same names.
  /// - Throws: `SnapshotError` if the format cannot hold the snapshot; `FileError` if the file cannot
  ///   be written.
  package func convert(
    to path: String,
    averageOnly: Bool = false,
    half: Bool = false,
    notes: [String: String] = [:]
  ) throws {
    var description = description
    description.notes.merge(notes) { $1 }
    if averageOnly {
      guard contains(.average) else { throw SnapshotError(self.path, "it holds no G_ema") }
      description.discriminator = nil
      description.record.discriminatorKeywords = [:]
    }
    var drafts: [String: SnapshotDraft] = [:]
    for (name, layout) in store.layouts where !averageOnly || name.hasPrefix(Part.average.prefix) {
      if half, layout.dtype.isFloatingPoint, layout.dtype != .float16 {
        try checkRange(name)
        drafts[name] = SnapshotDraft(layout: TensorLayout(dtype: .float16, shape: layout.shape)) {
          [store] in store.tensor(name)?.to(.float16).bytes ?? []
        }
      } else {
        drafts[name] = SnapshotDraft(layout: layout) { [store] in store.bytes(of: name) }
      }
    }
    let configurationPath = try path.hasSuffix(".pkl") ? nil : Self.configurationPath(beside: path)
    try Self.write(to: path, description, drafts)
    if let configurationPath {
      try AtomicFile.write(try description.configuration.prettyJSON, to: configurationPath)
    }
  }

  private func checkRange(_ name: String) throws {
    let values = store.tensor(name)?.floats ?? []
    if let value = values.first(where: { $0.isFinite && abs($0) > 65504 }) {
      throw SnapshotError(
        path,
        "\(name) holds \(value), which half precision cannot; convert without --half"
      )
    }
  }

  /// The name of `config.json` beside a file.
  ///
  /// - Throws: `SnapshotError` if there is one that is not nifty's.
  private static func configurationPath(beside path: String) throws -> String {
    let file = SnapshotDescription.configurationPath(beside: path)
    if FileManager.default.fileExists(atPath: file),
      SnapshotDescription.configuration(beside: path) == nil
    {
      throw SnapshotError(file, "belongs to something else; choose another folder")
    }
    return file
  }
}

extension SnapshotDescription {
  private static let modelType = "lafite"

  static func configurationPath(beside path: String) -> String {
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    return folder + "config.json"
  }

  /// The description for `config.json`.
  var configuration: OptionValue {
    get throws {
      var entries: [OptionValue.Entry] = [.init("model_type", .string(Self.modelType))]
      for (key, text) in try metadata.sorted(by: { $0.key < $1.key }) where notes[key] == nil {
        entries.append(.init(key, OptionValue(json: text) ?? .string(text)))
      }
      let notes = notes.sorted { $0.key < $1.key }
      entries.append(
        .init("notes", .dictionary(notes.map { .init($0.key, .string($0.value)) }))
      )
      return .dictionary(entries)
    }
  }

  /// The metadata that nifty's `config.json` beside a file holds; `nil` if there is none of nifty's.
  static func configuration(beside path: String) -> [String: String]? {
    guard let file = try? MappedFile(configurationPath(beside: path)), file.bytes.count < 1 << 24
    else { return nil }
    let text = withExtendedLifetime(file) { String(validating: file.bytes, as: UTF8.self) }
    guard let text, let value = OptionValue(json: text), value["model_type"]?.string == modelType,
      case .dictionary(let entries) = value
    else { return nil }
    var metadata: [String: String] = [:]
    for entry in entries where entry.key != "model_type" && entry.key != "notes" {
      metadata[entry.key] = entry.value.json
    }
    if case .dictionary(let notes)? = value["notes"] {
      for note in notes { metadata[note.key] = note.value.string }
    }
    return metadata
  }
}
