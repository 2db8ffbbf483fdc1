import Files
import Foundation
import ObjectStore

// The names of a download's files and objects.

extension StoreUploads {
  /// The objects below the prefix that a download can have made, by the name below it.
  func objects(_ client: StoreClient) async throws(LaionError) -> [String: StoredObject] {
    var objects: [String: StoredObject] = [:]
    let start = location.key("split")
    do throws(StoreError) {
      try await client.list(prefix: start) { (object) throws(StoreError) in
        var named = object
        named.key = Self.text(object.key, after: start.utf8.count - "split".utf8.count)
        if Self.split(of: named.key) != nil { objects[named.key] = named }
      }
    } catch { throw .store(error) }
    return objects
  }

  /// Whether an object is what the record says; one whose upload was begun again may be of either.
  static func holds(_ object: StoredObject?, _ entry: UploadLog.Entry) -> Bool {
    guard let sent = entry.sent, entry.begun == nil else { return true }
    guard let object, object.size == sent.size else { return false }
    return object.tag == sent.tag || sent.tag.isEmpty || object.tag.isEmpty
  }

  /// The split of a name that a download gives: `split0` of `split0/00000.tar`; `nil` of other names.
  static func split(of name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let split = parts.first.map { $0.hasSuffix(".zip") && parts.count == 1 ? $0.dropLast(4) : $0 }
    guard let split, split.hasPrefix("split"), Int(split.dropFirst(5)) != nil else { return nil }
    let isOurs =
      parts.count == 1
      ? name.hasSuffix(".zip")
      : parts.count == 2
        && (isShard(String(parts[1])) || ["index.parquet", "stats.json"].contains(parts[1]))
    return isOurs ? String(split) : nil
  }

  static func isShard(_ name: String) -> Bool {
    name.hasSuffix(".tar") && name.utf8.count >= 9
      && name.dropLast(4).utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  func prefix(of folder: SplitFolder) -> String {
    name(of: folder.path)
  }

  func name(of path: String) -> String { Self.text(path, after: folder.utf8.count + 1) }

  static func text(_ text: String, after bytes: Int) -> String {
    String(decoding: text.utf8.dropFirst(bytes), as: UTF8.self)
  }

  /// Whether a file leaves this machine once the store has it.
  static func isRemoved(_ name: String) -> Bool {
    name.hasSuffix(".tar") || name.hasSuffix(".zip")
  }

  func destination(of folder: SplitFolder) -> String { address(prefix(of: folder)) }

  func address(_ name: String) -> String { location.address(ofKey: location.key(name)) }

  func path(of name: String) -> String { "\(folder)/\(name)" }

  func lost(_ name: String, _ folder: SplitFolder) -> LaionError {
    .option(
      "\(address(name)) was uploaded, and is gone or changed; put it back, or remove \(folder.path), "
        + "\(folder.datasetPath) and the objects of \(destination(of: folder)) to download the split again"
    )
  }
}
