/// A place in an object store: `s3://bucket` or `s3://bucket/prefix`.
package struct S3Location: Equatable, Sendable, CustomStringConvertible {
  /// The bucket's name: 3 to 63 letters, digits, dots and dashes.
  package let bucket: String
  /// The beginning of the keys, or a whole key; without a slash at either end, and perhaps empty.
  package let prefix: String

  /// Whether a path is meant for an object store.
  package static func isAddress(_ text: String) -> Bool { text.lowercased().hasPrefix("s3://") }

  /// Reads an address.
  ///
  /// - Throws: `StoreError` if the bucket's name is impossible, or the prefix has a part that file names cannot
  ///   have.
  package init(_ text: String) throws(StoreError) {
    func fault(_ reason: String) -> StoreError {
      StoreError(.settings, "\(text.debugDescription) is no s3://bucket/prefix: \(reason)")
    }
    guard Self.isAddress(text) else { throw fault("it does not begin with s3://") }
    let rest = text.dropFirst(5)
    let name = String(rest.prefix { $0 != "/" })
    if name.contains("@") || name.contains(":") {
      throw StoreError(
        .settings,
        "an s3:// address has no user, password or port; say where the store is with --s3-endpoint"
      )
    }
    guard Self.isBucket(name) else {
      throw fault("a bucket has 3 to 63 small letters, digits, dots and dashes")
    }
    var key = rest.dropFirst(name.utf8.count + 1)
    if key.last == "/" { key = key.dropLast() }
    if let reason = Self.fault(ofKey: key), !key.isEmpty { throw fault(reason) }
    if key.utf8.count > Self.longestPrefix {
      throw fault("a prefix has at most \(Self.longestPrefix) bytes")
    }
    (bucket, prefix) = (name, String(key))
  }

  /// Keys have at most 1024 bytes; names of files follow the prefix.
  private static let longestPrefix = 900

  package var description: String { "s3://\(bucket)" + (prefix.isEmpty ? "" : "/" + prefix) }

  /// The key of a relative path below the prefix.
  package func key(_ path: String) -> String { prefix.isEmpty ? path : "\(prefix)/\(path)" }

  /// The address of a key, for people.
  package func address(ofKey key: String) -> String { "s3://\(bucket)/\(key)" }

  /// Why a key cannot be a relative path; `nil` if it can.
  ///
  /// Such keys are legal, but programs disagree about them, and as paths they would leave their folder.
  package static func fault(ofKey key: some StringProtocol) -> String? {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    if parts.contains("") { return "it has an empty part between slashes" }
    if parts.contains(".") || parts.contains("..") { return "it has a part . or .." }
    if key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "it has a control character" }
    if parts.contains(where: { $0.utf8.count > 255 }) { return "it has a part of over 255 bytes" }
    return nil
  }

  private static func isBucket(_ name: String) -> Bool {
    let isLegal = name.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
    }
    let ends = [name.utf8.first, name.utf8.last]
    return (3...63).contains(name.utf8.count) && isLegal && !name.contains("..")
      && !ends.contains(0x2D) && !ends.contains(0x2E)
  }
}
