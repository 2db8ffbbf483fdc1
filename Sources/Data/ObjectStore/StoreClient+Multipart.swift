import Files
import NIOHTTP1

/// A part of an upload that the store has.
struct UploadedPart: Equatable, Sendable {
  /// From 1 on.
  var number: Int
  var size: Int
  /// Its entity tag, without quotation marks.
  var tag: String
}

extension StoreClient {
  /// Begins an upload in parts.
  ///
  /// - Returns: The store's name of it.
  func beginUpload(_ key: String, sha256: String) async throws(StoreError) -> String {
    let answer = try await send(
      Request(
        method: .POST,
        key: key,
        query: [("uploads", "")],
        headers: [("content-type", "application/octet-stream"), (Self.hashHeader, sha256)],
        action: "begin the upload of \(address(key))"
      )
    )
    guard let id = XMLElement(parsing: answer.body)?["UploadId"], Self.isPlain(id) else {
      throw StoreError(.damaged, "\(store) does not name the upload of \(address(key))")
    }
    return id
  }

  /// Uploads a part.
  ///
  /// - Returns: Its entity tag.
  func put(
    _ key: String,
    part number: Int,
    of upload: String,
    _ bytes: [UInt8]
  ) async throws(StoreError) -> String {
    let answer = try await send(
      Request(
        method: .PUT,
        key: key,
        query: [("partNumber", "\(number)"), ("uploadId", upload)],
        headers: Self.checked(bytes),
        body: bytes,
        action: "upload part \(number) of \(address(key))"
      )
    )
    return Self.tag(answer.headers)
  }

  /// Makes an object of the parts of an upload.
  ///
  /// - Returns: The object's entity tag; `nil` if the store does not know the upload, as after an earlier
  ///   attempt whose answer was lost.
  func completeUpload(
    _ key: String,
    _ upload: String,
    _ parts: [UploadedPart]
  ) async throws(StoreError) -> String? {
    let list = parts.map {
      "<Part><PartNumber>\($0.number)</PartNumber><ETag>&quot;\(Self.escaped($0.tag))&quot;</ETag></Part>"
    }
    let body =
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      + list.joined() + "</CompleteMultipartUpload>"
    let answer = try await send(
      Request(
        method: .POST,
        key: key,
        query: [("uploadId", upload)],
        headers: [("content-type", "application/xml")],
        body: Array(body.utf8),
        action: "end the upload of \(address(key))",
        expected: ["NoSuchUpload"],
        mayFailLate: true
      )
    )
    guard (200..<300).contains(answer.status) else { return nil }
    return Self.bare(XMLElement(parsing: answer.body)?["ETag"] ?? "")
  }

  /// Gives an upload up; one that is not there is fine.
  func abortUpload(_ key: String, _ upload: String) async throws(StoreError) {
    _ = try await send(
      Request(
        method: .DELETE,
        key: key,
        query: [("uploadId", upload)],
        action: "give up the upload of \(address(key))",
        expected: ["NoSuchUpload"]
      )
    )
  }

  /// Names of the uploads of a key that were begun and not ended.
  package func uploads(of key: String) async throws(StoreError) -> [String] {
    let answer = try await send(
      Request(
        method: .GET,
        query: [("prefix", key), ("uploads", "")],
        action: "list the uploads of \(address(key))"
      )
    )
    guard let page = XMLElement(parsing: answer.body), page.name == "ListMultipartUploadsResult"
    else {
      throw StoreError(.damaged, "\(store) answers with no list of the uploads of \(address(key))")
    }
    return page.all("Upload").filter { $0["Key"] == key }.compactMap { $0["UploadId"] }
  }

  /// The parts of an upload; `nil` if the store does not know it.
  func parts(_ key: String, of upload: String) async throws(StoreError) -> [UploadedPart]? {
    var (parts, mark): ([UploadedPart], Int) = ([], 0)
    while true {
      let answer = try await send(
        Request(
          method: .GET,
          key: key,
          query: [("part-number-marker", "\(mark)"), ("uploadId", upload)],
          action: "list the parts of \(address(key))",
          expected: ["NoSuchUpload"]
        )
      )
      guard (200..<300).contains(answer.status) else { return nil }
      guard let page = XMLElement(parsing: answer.body),
        // The second is what moto says.
        ["ListPartsResult", "ListPartsResponse"].contains(page.name)
      else {
        throw StoreError(.damaged, "\(store) answers with no list of the parts of \(address(key))")
      }
      for part in page.all("Part") {
        guard let number = part["PartNumber"].flatMap({ Int($0) }), number > mark, number <= 10_000,
          let size = part["Size"].flatMap({ Int($0) })
        else { throw StoreError(.damaged, "\(store) lists parts of \(address(key)) out of order") }
        mark = number
        parts.append(.init(number: number, size: size, tag: Self.bare(part["ETag"] ?? "")))
      }
      if page["IsTruncated"] != "true" || page.all("Part").isEmpty { return parts }
    }
  }

  /// Whether a name of an upload can be kept and sent: letters and signs without blanks.
  private static func isPlain(_ id: String) -> Bool {
    (1...1024).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
