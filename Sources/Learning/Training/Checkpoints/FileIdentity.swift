import Datasets
import Files
import Text

/// The identity of a file that a run reads beside its data, which its path alone is not: a run goes on with
/// the file that it began with.
package struct FileIdentity: Codable, Equatable, Sendable {
  /// The option that names it: `--text-corpus`.
  package var option: String
  /// Its path at the time.
  package var path: String
  /// SHA-256 of its bytes; of packed data, the size and the checksum of the directory.
  package var digest: String

  /// Makes an identity of its parts.
  package init(option: String, path: String, digest: String) {
    self.option = option
    self.path = path
    self.digest = digest
  }

  /// Whether it is the same file, at whatever path.
  package static func == (a: FileIdentity, b: FileIdentity) -> Bool {
    a.option == b.option && a.digest == b.digest
  }

  /// The files that a run's options name.
  ///
  /// - Parameters:
  ///   - options: The run's options.
  ///   - clip: SHA-256 of the run's CLIP.
  /// - Returns: CLIP, then the mapper or each file of the corpus.
  /// - Throws: What reading a file throws.
  static func all(of options: TrainingOptions, clip: String) throws -> [FileIdentity] {
    let texts = [
      (TrainingOption.textMapper.flag, options.textMapper.map { [$0] }),
      (TrainingOption.textCorpus.flag, options.textCorpus.map(expandedBraces)),
    ]
    return try [FileIdentity(option: TrainingOption.clip.flag, path: options.clip, digest: clip)]
      + texts.flatMap { option, paths in
        try (paths ?? []).map {
          FileIdentity(option: option, path: $0, digest: try digest(of: $0))
        }
      }
  }

  private static func digest(of path: String) throws -> String {
    guard path.lowercased().hasSuffix(".zip") else { return try SHA256.digest(ofFile: path) }
    let (size, directory) = try PackedDataset(path, requiresFeatures: false).identity
    return "\(size)-\(directory)"
  }
}
