import Files

/// A file on its way to a store: in one piece if it is small, else in parts, a few at a time.
///
/// An upload in parts that was interrupted goes on: the parts that the store has, by size and digest, are not
/// sent again. Afterwards the object is looked at: it must have the file's size and hash.
package struct FileUpload: Sendable {
  /// The client of the bucket.
  package let client: StoreClient
  /// The object's key.
  package let key: String
  /// The file.
  package let path: String
  /// Bytes of a part, and of the largest file that is sent in one piece; at least 5 MiB for AWS.
  package var partSize = 16 << 20
  /// Parts that are sent at the same time: so many are in memory.
  package var partsAtOnce = 3

  /// Called with the bytes that the store has got or had, and the file's size.
  package var progress: @Sendable (_ done: Int, _ size: Int) -> Void = { _, _ in }

  /// The limit of stores on the number of parts.
  private static let maximumParts = 10_000

  /// An upload of one file.
  package init(_ path: String, to key: String, by client: StoreClient) {
    (self.path, self.key, self.client) = (path, key, client)
  }

  /// What was uploaded.
  package struct Receipt: Equatable, Sendable {
    /// The file's size in bytes.
    package var size: Int
    /// The file's SHA-256, kept with the object.
    package var sha256: String
    /// The object's entity tag.
    package var tag: String
    /// Bytes that this upload has sent.
    package var sent: Int
  }

  /// The name by which an upload in parts goes on, with the hash of the file that it is of.
  package struct Begun: Equatable, Sendable {
    /// The file's SHA-256.
    package var sha256: String
    /// The store's name of an upload in parts; empty for one piece.
    package var upload: String

    /// An upload that was begun.
    package init(sha256: String, upload: String) { (self.sha256, self.upload) = (sha256, upload) }
  }

  /// Uploads the file, unless the store has it.
  ///
  /// - Parameters:
  ///   - begun: An earlier upload of the key, from which parts are taken if it is of the same file.
  ///   - known: The SHA-256 of what the store certainly has.
  ///   - note: Called before the first byte is sent. What it keeps, `begun` is the next time.
  /// - Returns: What the store has; `nil` if that is what was known.
  /// - Throws: `StoreError`.
  package func run(
    continuing begun: Begun? = nil,
    unless known: String? = nil,
    note: (Begun) throws(StoreError) -> Void
  ) async throws(StoreError) -> Receipt? {
    let file = FilePieces(path: path)
    let size = try await file.size()
    let sha256 = try await file.sha256()
    if known == sha256 { return nil }
    if let there = try await client.head(key), there.size == size, there.sha256 == sha256 {
      // Other uploads of the key are of earlier contents, or were ended after all.
      try await giveUpOthers(than: nil)
      return Receipt(size: size, sha256: sha256, tag: there.tag, sent: 0)
    }
    var (tag, sent): (String, Int)
    if size <= partSize {
      try note(Begun(sha256: sha256, upload: ""))
      let bytes = try await file.bytes(0..<size)
      tag = try await client.put(key, bytes, sha256: sha256)
      sent = size
      if Self.contradicts(tag, bytes) { throw changed() }
    } else {
      (tag, sent) = try await inParts(file, size, sha256, begun, note)
    }
    guard let there = try await client.head(key) else {
      throw StoreError(.damaged, "\(client.address(key)) is not there after its upload")
    }
    // A gateway may lose the hash; then the tag of the same answer must do.
    let isSame = there.sha256.map { $0 == sha256 } ?? (!tag.isEmpty && there.tag == tag)
    guard there.size == size, isSame else { throw changed() }
    // The answer to a begin may have been lost: then there is another upload, which nobody would end.
    if size > partSize { try await giveUpOthers(than: nil) }
    return Receipt(size: size, sha256: sha256, tag: there.tag, sent: sent)
  }

  /// Gives up uploads of the key: their parts would be stored, and paid for, for ever.
  private func giveUpOthers(than kept: String?) async throws(StoreError) {
    for other in try await client.uploads(of: key) where other != kept {
      try await client.abortUpload(key, other)
    }
  }

  private func changed() -> StoreError {
    StoreError(
      .damaged,
      "\(client.address(key)) is not what was sent after its upload: does somebody else write there? "
        + "Run the same command again"
    )
  }

  /// Whether a tag is an MD5, and of other bytes: one that a store makes otherwise has other characters or
  /// another length in all stores that we know, but for encryption by keys of AWS's key service.
  private static func contradicts(_ tag: String, _ bytes: [UInt8]) -> Bool {
    isDigest(tag) && tag.lowercased() != hexadecimal(MD5.digest(of: bytes))
  }

  private static func isDigest(_ tag: String) -> Bool {
    tag.utf8.count == 32 && tag.allSatisfy(\.isHexDigit)
  }

  private func inParts(
    _ file: FilePieces,
    _ size: Int,
    _ sha256: String,
    _ begun: Begun?,
    _ note: (Begun) throws(StoreError) -> Void
  ) async throws(StoreError) -> (tag: String, sent: Int) {
    var upload = begun.flatMap { $0.sha256 == sha256 && !$0.upload.isEmpty ? $0.upload : nil }
    try await giveUpOthers(than: upload)
    var there: [Int: UploadedPart] = [:]
    if let known = upload {
      if let parts = try await client.parts(key, of: known) {
        for part in parts { there[part.number] = part }
      } else {
        upload = nil
      }
    }
    let name: String
    if let upload {
      name = upload
    } else {
      name = try await client.beginUpload(key, sha256: sha256)
    }
    try note(Begun(sha256: sha256, upload: name))
    let length = Self.partSize(partSize, for: size)
    let ranges = stride(from: 0, to: size, by: length).map { $0..<min($0 + length, size) }
    let (parts, sent) = try await send(ranges, of: file, there, to: name)
    if let tag = try await client.completeUpload(key, name, parts) { return (tag, sent) }
    // Its answer was lost in an earlier attempt, or the upload was given up meanwhile; the look tells.
    return ("", sent)
  }

  /// The size of parts so that there are not too many of them: a whole number of MiB.
  static func partSize(_ wanted: Int, for size: Int) -> Int {
    let least = (size + maximumParts - 1) / maximumParts
    return least <= wanted ? wanted : ((least + (1 << 20) - 1) >> 20) << 20
  }

  /// Sends the parts that are missing, a few at a time.
  private func send(
    _ ranges: [Range<Int>],
    of file: FilePieces,
    _ there: [Int: UploadedPart],
    to upload: String
  ) async throws(StoreError) -> (parts: [UploadedPart], sent: Int) {
    do {
      return try await withThrowingTaskGroup(of: (UploadedPart, Int).self) { group in
        var (parts, sent) = ([UploadedPart](), 0)
        func note(_ part: UploadedPart, _ bytes: Int) {
          parts.append(part)
          sent += bytes
          progress(parts.reduce(0) { $0 + $1.size }, ranges.last?.upperBound ?? 0)
        }
        for (index, range) in ranges.enumerated() {
          if index >= partsAtOnce, let (part, bytes) = try await group.next() { note(part, bytes) }
          let earlier = there[index + 1]
          group.addTask { try await send(index + 1, range, of: file, earlier, to: upload) }
        }
        for try await (part, bytes) in group { note(part, bytes) }
        return (parts.sorted { $0.number < $1.number }, sent)
      }
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.cancelled, "stopped")
    }
  }

  /// Sends a part, unless the store has it; returns it with the bytes that were sent.
  private func send(
    _ number: Int,
    _ range: Range<Int>,
    of file: FilePieces,
    _ earlier: UploadedPart?,
    to upload: String
  ) async throws(StoreError) -> (UploadedPart, Int) {
    let bytes = try await file.bytes(range)
    if let earlier, earlier.size == bytes.count, Self.isDigest(earlier.tag),
      !Self.contradicts(earlier.tag, bytes)
    {
      return (earlier, 0)
    }
    let tag = try await client.put(key, part: number, of: upload, bytes)
    if tag.isEmpty || Self.contradicts(tag, bytes) { throw changed() }
    return (UploadedPart(number: number, size: bytes.count, tag: tag), bytes.count)
  }
}
