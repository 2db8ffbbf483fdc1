import Files
package import JSON
import Networks
import Snapshots

extension TrainingOptions {
  /// The options under the original's keys, and ours under `nifty`.
  ///
  /// - Parameter runFolder: The run's folder, as the original's `run_dir`.
  /// - Returns: An object.
  package func json(runFolder: String) -> OptionValue {
    var result: OptionValue = [:]
    for field in Self.fields {
      if let value = field.json(self) { result.set(field.path[...], value) }
    }
    result.set(["run_dir"], .string(runFolder))
    return result
  }

  /// Reads the options of an earlier run, ours or the original's.
  ///
  /// Missing keys default to `--cfg auto` for the file's resolution.
  ///
  /// - Throws: `FileError`, or `TrainingError` naming the key that makes no sense.
  package init(contentsOf path: String) throws {
    try self.init(text: try Self.text(of: path), of: path)
  }

  /// The text of a file of options, not parsed.
  ///
  /// - Throws: `FileError`, or `TrainingError` if the file is far too large.
  package static func text(of path: String) throws -> String {
    let file = try MappedFile(path)
    return try withExtendedLifetime(file) {
      guard file.bytes.count <= 16 << 20 else { throw noOptions(path) }
      return String(decoding: file.bytes, as: UTF8.self)
    }
  }

  private static func noOptions(_ path: String) -> TrainingError {
    .option(
      "\(path) is no training_options.json: it is cut, damaged, or something else; give one of a run folder, "
        + "or begin a run anew with --resume from a snapshot"
    )
  }

  /// Parses the options of an earlier run from the text of its file.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - path: The file that holds it, perhaps on another machine.
  /// - Throws: `TrainingError` naming the key that makes no sense.
  package init(text: String, of path: String) throws(TrainingError) {
    guard let json = OptionValue(json: text),
      let resolution = json["training_set_kwargs"]?["resolution"]?.int
    else { throw Self.noOptions(path) }
    guard (8...4096).contains(resolution), resolution & (resolution - 1) == 0 else {
      throw TrainingError.option("\(path): training_set_kwargs.resolution cannot be \(resolution)")
    }
    self = .automatic(resolution: resolution, featureDimension: 512, reducedPrecision: true)
    for field in Self.fields {
      guard let value = json[field.path[...]] else { continue }
      guard field.take(&self, value) else {
        throw TrainingError.option("\(path): \(field.key) cannot be \(value.json)")
      }
    }
    if let folder = json["run_dir"]?.string, let end = folder.lastIndex(of: "/") {
      outdir = String(folder[..<end])
    }
    trainer.discriminator.resolution = resolution
    guard json["nifty"] == nil else { return }
    // The original's file does not mark explicit options, and always has the number of images.
    named = [.gamma, .kimg, .batch]
    if json["training_set_kwargs"]?["random_seed"] == nil { subset = nil }
  }
}

extension Recipe: JSONConvertible {}
extension ContrastiveForm: JSONConvertible {}
extension AdversarialForm: JSONConvertible {}
extension DiffAugment: JSONConvertible {
  package var json: OptionValue { .string(words) }

  package init?(json: OptionValue) {
    guard let augment = json.string.flatMap({ DiffAugment($0) }) else { return nil }
    self = augment
  }
}
extension FeatureLogit: JSONConvertible {}
extension CLIPCrop: JSONConvertible {}
extension SnapshotFormat: JSONConvertible {}
extension NamedPart: JSONConvertible {}
extension CollapsePolicy: JSONConvertible {}
