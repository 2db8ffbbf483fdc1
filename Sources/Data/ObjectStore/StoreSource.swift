import Files
import Foundation
import Glibc
import Synchronization
import Web

/// The objects below an `s3://` address as files of the cache folder, for work that reads files.
///
/// An address is of one object, or of all below `address/`. Where there are archives among them, these are
/// the files, each for itself; else images, captions and labels are, together in a folder. A file that is there
/// is not downloaded again while the object has the same size and tag.
package struct StoreSource: Sendable {
  /// What came of a source.
  package struct Result: Sendable {
    /// The files to read, or the folder that holds them.
    package var paths: [String] = []
    /// Objects of the source that are read.
    package var objects = 0
    /// Bytes of these objects.
    package var bytes = 0
    /// Objects that were downloaded now.
    package var downloaded = 0
    /// Objects that are not read, by reason.
    package var skipped: [String: Int] = [:]
  }

  private let client: StoreClient
  private let location: S3Location
  private let root: String

  private static let archives = [".zip", ".tar", ".tar.gz", ".tgz"]
  private static let loose = Set(
    [
      "png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "avif", "bmp", "tif", "tiff", "heic",
      "heif", "jxl",
    ]
      + ["txt", "json", "cls"]
  )
  private static let downloadsAtOnce = 4

  /// A source below a folder of the cache.
  ///
  /// - Parameters:
  ///   - location: The address.
  ///   - client: A client of its bucket.
  ///   - cache: The cache folder.
  package init(_ location: S3Location, by client: StoreClient, cache: String) {
    (self.location, self.client) = (location, client)
    let host = client.settings.endpoint.map { $0.hostHeader } ?? "aws"
    root = "\(cache)/s3/\(Signature.encoded(host))/\(location.bucket)"
  }

  /// Downloads what is missing.
  ///
  /// - Parameter progress: Called with the bytes that are there and their sum.
  /// - Returns: The files, sorted by key.
  /// - Throws: `StoreError` if nothing that can be read is there, or a download fails.
  package func files(
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws(StoreError) -> Result {
    var (objects, result) = try await listed()
    let archives = objects.filter { object in
      Self.archives.contains { object.key.lowercased().hasSuffix($0) }
    }
    let isOne = objects.count == 1 && objects.first?.key == location.prefix
    if !archives.isEmpty, !isOne {
      result.skip(objects.count - archives.count, "beside archives")
      objects = archives
    } else if !isOne {
      let readable = objects.filter { Self.loose.contains(Self.suffix($0.key)) }
      result.skip(objects.count - readable.count, "of other kinds")
      objects = readable
    }
    guard !objects.isEmpty else {
      let others = result.skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      let note = others.isEmpty ? "" : " (objects not read: \(others.joined(separator: ", ")))"
      throw StoreError(.settings, "\(location) has no archives or images\(note); check the address")
    }
    result.objects = objects.count
    result.bytes = objects.reduce(0) { $0.saturating(plus: $1.size) }
    let isFolder = archives.isEmpty && !isOne
    let folder = location.prefix.isEmpty ? root : "\(root)/\(location.prefix)"
    if isFolder { try removeOthers(below: folder, objects) }
    result.downloaded = try await download(objects, result.bytes, progress)
    result.paths = isFolder ? [folder] : objects.map { path(of: $0) }
    return result
  }

  /// The objects of the address that can be files.
  private func listed() async throws(StoreError) -> ([StoredObject], Result) {
    var (objects, result) = ([StoredObject](), Result())
    if !location.prefix.isEmpty, let object = try await client.head(location.prefix) {
      return ([object], result)
    }
    try await client.list(prefix: location.prefix.isEmpty ? "" : location.prefix + "/") { object in
      let name = object.key.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
      if name.isEmpty {
        result.skip(1, "marks of folders")
      } else if S3Location.fault(ofKey: object.key) != nil || name.utf8.count > 240 {
        result.skip(1, "with names that files cannot have")
      } else if name.hasPrefix(".") {
        result.skip(1, "hidden")
      } else {
        objects.append(object)
      }
    }
    return (objects, result)
  }

  /// Downloads a few objects at a time; returns how many were.
  private func download(
    _ objects: [StoredObject],
    _ whole: Int,
    _ progress: @escaping @Sendable (Int, Int) -> Void
  ) async throws(StoreError) -> Int {
    // Beside the bucket's folder: within it the record could be taken for an object.
    let record = "\(root).objects"
    try disk { () throws(FileError) in try makeFolder(record) }
    let name = Array(location.prefix.utf8).withUnsafeBytes { SHA256.digest(of: $0) }.prefix(16)
    let known = try disk { () throws(FileError) in try KnownObjects("\(record)/\(name)") }
    let done = ByteCount()
    var missing: [StoredObject] = []
    for object in objects {
      if known.has(object, at: path(of: object)) {
        done.add(object.size)
      } else {
        missing.append(object)
      }
    }
    do {
      try await withThrowingTaskGroup(of: StoredObject.self) { group in
        for (index, object) in missing.enumerated() {
          if index >= Self.downloadsAtOnce, let ended = try await group.next() {
            try known.add(ended)
          }
          group.addTask {
            try await download(object) { progress(done.add($0), whole) }
            return object
          }
        }
        for try await ended in group { try known.add(ended) }
      }
    } catch let error as StoreError {
      throw error
    } catch let error as FileError {
      throw StoreError(error)
    } catch {
      throw StoreError(.cancelled, "stopped")
    }
    return missing.count
  }

  private func download(
    _ object: StoredObject,
    _ progress: (Int) -> Void
  ) async throws(StoreError) {
    let path = path(of: object)
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    try disk { () throws(FileError) in try makeFolder(folder) }
    var before = 0
    try await ObjectDownload(object, to: path, by: client).run { size in
      progress(size - before)
      before = size
    }
  }

  /// Removes files of objects that are not there any more: they would be read with the folder.
  private func removeOthers(below folder: String, _ objects: [StoredObject]) throws(StoreError) {
    guard isFolder(folder) else { return }
    let wanted = Set(objects.map { path(of: $0) })
    for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
      let path = "\(folder)/\(name)"
      let isPart = path.hasSuffix(".part") || path.hasSuffix(".part.etag")
      if wanted.contains(path) || isFolder(path) || isPart { continue }
      if unlink(path) != 0 { throw StoreError(FileError("remove", path: path)) }
    }
  }

  private func path(of object: StoredObject) -> String { "\(root)/\(object.key)" }

  private static func suffix(_ key: String) -> String {
    key.split(separator: ".").last.map { $0.lowercased() } ?? ""
  }
}

extension StoreSource.Result {
  fileprivate mutating func skip(_ count: Int, _ reason: String) {
    if count > 0 { skipped[reason, default: 0] += count }
  }
}

extension Int {
  /// A sum that does not overflow: a server says the sizes.
  fileprivate func saturating(plus other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

/// Bytes that are there, counted by several downloads.
private final class ByteCount: Sendable {
  private let count = Mutex(0)

  @discardableResult
  func add(_ bytes: Int) -> Int {
    count.withLock { count in
      count += bytes
      return count
    }
  }
}

/// The objects that a folder of the cache has as files, one line each; an object's last line counts.
private final class KnownObjects {
  private var objects: [String: (size: Int, tag: String)] = [:]
  private let log: RecordLog

  /// Opens or creates a record, and locks it.
  init(_ path: String) throws(FileError) {
    log = try RecordLog(path, .crc32, to: "download to")
    var reader = try RecordReader(path, .crc32)
    var valid = 0
    while let (line, end) = reader.next() {
      valid = end
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == 3, let size = Int(fields[1]) else { continue }
      objects[String(fields[0])] = (size, String(fields[2]))
    }
    try log.cut(to: valid)
  }

  /// Whether a file is certainly the object.
  func has(_ object: StoredObject, at path: String) -> Bool {
    var status = stat()
    guard let known = objects[object.key], !known.tag.isEmpty, known == (object.size, object.tag)
    else { return false }
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && Int(status.st_size) == object.size
  }

  /// Notes that an object's file is whole.
  func add(_ object: StoredObject) throws(FileError) {
    try log.append(["\(object.key)\t\(object.size)\t\(object.tag)"])
    objects[object.key] = (object.size, object.tag)
  }
}
