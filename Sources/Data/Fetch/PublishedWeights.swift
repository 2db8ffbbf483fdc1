import Console
import Foundation
import Text

/// A published file of weights.
package struct PublishedWeights: Sendable {
  /// Its name for `nifty fetch weights`.
  package let name: String
  /// The file's name.
  package let file: String
  /// Its published URL.
  package let url: String
  /// Its hash, if it is published.
  package let sha256: String?

  package static let all = [
    clip(
      "clip-vit-b-32",
      Weights.clip,
      "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
    ),
    clip(
      "clip-vit-b-16",
      "ViT-B-16.pt",
      "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"
    ),
    detector("inception", Weights.inception), detector("vgg16", Weights.vgg16),
  ]

  // OpenAI's addresses carry the hash.
  private static func clip(_ name: String, _ file: String, _ sha256: String) -> PublishedWeights {
    let url = "https://openaipublic.azureedge.net/clip/models/\(sha256)/\(file)"
    return PublishedWeights(name: name, file: file, url: url, sha256: sha256)
  }

  private static func detector(_ name: String, _ file: String) -> PublishedWeights {
    let folder = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics"
    return PublishedWeights(name: name, file: file, url: "\(folder)/\(file)", sha256: nil)
  }

  /// Downloads the file unless it exists.
  ///
  /// - Parameters:
  ///   - folder: The destination.
  ///   - base: The address of a mirror's folder, instead of the publisher's.
  /// - Throws: `DownloadError` or `FileError`; offline, the error says which file to put where.
  package func fetch(to folder: String, from base: String?) async throws {
    let path = folder + "/" + file
    let expected = sha256 ?? RecordedHash.read(path)
    if FileManager.default.fileExists(atPath: path) {
      return try RecordedHash.check(path, expected)
    }
    let slash = base?.hasSuffix("/") == true ? "" : "/"
    let address = base.map { $0 + slash + file } ?? url
    do {
      let digest = try await ResumableDownload(url: address, path: path, sha256: expected)
        .run(shownAs: file)
      try RecordedHash.note(digest, of: path, expected)
    } catch let error as DownloadError where error.cause == .unreachable {
      let hash = expected.map { " (sha256 \($0))" } ?? ""
      throw DownloadError(
        cause: .unreachable,
        description: "\(error); without a network, put a copy of \(url)\(hash) at \(path)"
      )
    }
  }
}
