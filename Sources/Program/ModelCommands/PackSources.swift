import Console
import Fetch
import Files
import ObjectStore
import Text

/// The paths of what a person names as sources: files, folders, and what is in object stores.
enum PackSources {
  /// Expands patterns; addresses of object stores stay as they are.
  static func expanded(_ sources: [String]) -> [String] {
    sources.flatMap(expandedBraces).flatMap { source in
      S3Location.isAddress(source) ? [source] : expandedGlob(source)
    }
  }

  /// Downloads what is in object stores into the cache folder.
  ///
  /// - Parameters:
  ///   - sources: Paths and `s3://` addresses.
  ///   - endpoint: The address of the object store, if the user gave it.
  /// - Returns: Paths of files and folders.
  /// - Throws: `StoreError` if a download fails, `FileError` without a cache folder.
  static func paths(_ sources: [String], endpoint: String?) throws -> [String] {
    try sources.flatMap { source in
      S3Location.isAddress(source) ? try downloaded(source, endpoint) : [source]
    }
  }

  private static func downloaded(_ address: String, _ endpoint: String?) throws -> [String] {
    let location = try S3Location(address)
    let settings = try StoreSettings(endpoint: endpoint)
    guard let cache = cacheFolder else {
      throw FileError("create folder", path: "nifty", reason: "HOME and NIFTY_CACHE are not set")
    }
    let result = try SnapshotCache.waiting {
      try await StoreClient.with(bucket: location.bucket, settings: settings) { client in
        try await StoreSource(location, by: client, cache: cache).files { done, whole in
          Console.progress(
            "\(address)  \(Text.number(Double(done) / 1e6))/\(Text.number(Double(whole) / 1e6)) MB"
          )
        }
      }
    }
    let folder = result.paths.first.map { " in \($0)" } ?? ""
    Console.error(
      "\(address): \(Text.count(result.objects, "object")), \(Text.bytes(Double(result.bytes))), "
        + "\(result.downloaded) downloaded now\(result.paths.count == 1 ? folder : "")"
    )
    for (reason, count) in result.skipped.sorted(by: { $0.key < $1.key }) {
      Console.error("  not read: \(Text.count(count, "object")) \(reason)")
    }
    return result.paths
  }
}
