import Files
import Foundation
import NIOHTTP1

/// An object as a list or `HEAD` shows it.
package struct StoredObject: Equatable, Sendable {
  /// The key.
  package var key: String
  /// Its size in bytes.
  package var size: Int
  /// Its entity tag, without quotation marks.
  package var tag: String
  /// The SHA-256 that nifty kept with it, if it did.
  package var sha256: String?

  /// An object that is known from elsewhere.
  package init(key: String, size: Int, tag: String, sha256: String? = nil) {
    (self.key, self.size, self.tag, self.sha256) = (key, size, tag, sha256)
  }
}

extension StoreClient {
  /// The header under which an object's SHA-256 is kept with it.
  static let hashHeader = "x-amz-meta-nifty-sha256"

  /// Looks at an object; `nil` if there is none.
  package func head(_ key: String) async throws(StoreError) -> StoredObject? {
    let answer = try await send(
      Request(method: .HEAD, key: key, action: "look at \(address(key))", expected: ["404"])
    )
    if answer.status == 404 { return nil }
    guard let size = answer.headers.first(name: "Content-Length").flatMap({ Int($0) }) else {
      throw StoreError(.damaged, "\(store) does not say the size of \(address(key))")
    }
    return StoredObject(
      key: key,
      size: size,
      tag: Self.tag(answer.headers),
      sha256: answer.headers.first(name: Self.hashHeader)
    )
  }

  /// Uploads an object of one piece.
  ///
  /// - Returns: Its entity tag.
  func put(_ key: String, _ bytes: [UInt8], sha256: String) async throws(StoreError) -> String {
    let answer = try await send(
      Request(
        method: .PUT,
        key: key,
        headers: Self.checked(bytes) + [
          ("content-type", "application/octet-stream"), (Self.hashHeader, sha256),
        ],
        body: bytes,
        action: "upload \(address(key))"
      )
    )
    return Self.tag(answer.headers)
  }

  /// Removes an object; one that is not there is fine.
  package func delete(_ key: String) async throws(StoreError) {
    _ = try await send(
      Request(method: .DELETE, key: key, action: "remove \(address(key))", expected: ["NoSuchKey"])
    )
  }

  /// Lists the objects whose keys begin with some text, in the order of their keys.
  ///
  /// - Parameters:
  ///   - prefix: The beginning of the keys.
  ///   - pageSize: Keys per answer, at most a thousand.
  ///   - visit: Called once per object.
  /// - Throws: `StoreError`, also for a list that is damaged or goes on without end.
  package func list(
    prefix: String,
    pageSize: Int = 1000,
    _ visit: (StoredObject) throws(StoreError) -> Void
  ) async throws(StoreError) {
    var (mark, last) = (String?.none, "")
    while true {
      var query = [
        ("encoding-type", "url"), ("list-type", "2"), ("max-keys", "\(pageSize)"),
        ("prefix", prefix),
      ]
      if let mark { query.append(("continuation-token", mark)) }
      let place = "s3://\(bucket)/\(prefix)"
      let answer = try await send(Request(method: .GET, query: query, action: "list \(place)"))
      guard let page = XMLElement(parsing: answer.body), page.name == "ListBucketResult" else {
        throw StoreError(.damaged, "\(store) answers with no list of \(place); check the endpoint")
      }
      for item in page.all("Contents") {
        guard let key = item["Key"].flatMap(Self.decoded),
          let size = item["Size"].flatMap({ Int($0) }),
          size >= 0, key.hasPrefix(prefix)
        else {
          throw StoreError(.damaged, "\(store) lists an object below \(place) without key or size")
        }
        // A server that repeats itself would be listed for ever.
        guard last.isEmpty || last.utf8.lexicographicallyPrecedes(key.utf8) else {
          throw StoreError(.damaged, "\(store) lists keys below \(place) out of order")
        }
        last = key
        try visit(StoredObject(key: key, size: size, tag: Self.bare(item["ETag"] ?? "")))
      }
      guard page["IsTruncated"] == "true" else { return }
      guard let next = page["NextContinuationToken"], !next.isEmpty, next != mark,
        !page.all("Contents").isEmpty
      else { throw StoreError(.damaged, "\(store) breaks off the list of \(place)") }
      mark = next
    }
  }

  /// A key of a list: percent-encoded, a blank perhaps as a plus.
  private static func decoded(_ text: String) -> String? {
    text.replacing("+", with: "%20").removingPercentEncoding
  }

  /// The header by which a store notices that other bytes arrived than were sent.
  static func checked(_ bytes: [UInt8]) -> [(name: String, value: String)] {
    [("content-md5", Data(MD5.digest(of: bytes)).base64EncodedString())]
  }

  static func tag(_ headers: HTTPHeaders) -> String { bare(headers.first(name: "ETag") ?? "") }

  /// A tag without quotation marks; nothing of one that has other characters than tags have.
  static func bare(_ tag: String) -> String {
    let text = tag.trimmingCharacters(in: ["\"", " "])
    let isPlain = text.utf8.count <= 128 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    return isPlain && !text.contains("\"") ? text : ""
  }
}
