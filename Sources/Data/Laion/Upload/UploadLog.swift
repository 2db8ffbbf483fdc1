import Files
import Foundation
import ObjectStore

/// The record of a split's uploads, `.uploads` in its folder.
///
/// A line is appended before the first byte of a file is sent, and another when the store has the whole file;
/// only then is the file removed here. So a run that was killed knows which objects are its own.
final class UploadLog {
  /// A file that the store has.
  struct Sent: Equatable {
    var size: Int
    var sha256: String
    /// The object's entity tag; empty if the store gave none.
    var tag: String
  }

  /// The state of one name.
  struct Entry: Equatable {
    /// The last upload that was finished.
    var sent: Sent?
    /// The upload that was begun after it.
    var begun: FileUpload.Begun?
  }

  /// The content of a log.
  struct Content: Equatable {
    /// Where the split's files go; `nil` of an empty log.
    var destination: String?
    var entries: [String: Entry] = [:]
  }

  private(set) var content: Content
  private let log: RecordLog

  private static let title = "nifty uploads 1"

  /// Opens or creates a log, and locks it.
  ///
  /// - Throws: `LaionError` if its uploads go elsewhere, or the disk refuses.
  init(_ path: String, destination: String) throws(LaionError) {
    let (log, content) = try Self.file { () throws(FileError) in
      let log = try RecordLog(path, .crc32, to: "upload from")
      let (content, valid) = try Self.parse(path)
      try log.cut(to: valid)
      if content.destination == nil { try log.append(["\(Self.title)\t\(destination)"]) }
      return (log, content)
    }
    try Self.check(content, path, destination)
    self.log = log
    self.content = content
    self.content.destination = destination
  }

  /// Reads a log without its lock; an empty one if there is none.
  ///
  /// - Throws: `LaionError` if its uploads go elsewhere.
  static func read(_ path: String, destination: String? = nil) throws(LaionError) -> Content {
    guard exists(path) else { return Content() }
    let (content, _) = try file { () throws(FileError) in try parse(path) }
    if let destination { try check(content, path, destination) }
    return content
  }

  /// Notes that a file's upload begins.
  func begin(_ name: String, _ begun: FileUpload.Begun) throws(FileError) {
    if content.entries[name]?.begun == begun { return }
    try log.append(["begin\t\(name)\t\(begun.sha256)\t\(begun.upload.isEmpty ? "-" : begun.upload)"]
    )
    content.entries[name, default: Entry()].begun = begun
  }

  /// Notes that the store has a file.
  func end(_ name: String, _ sent: Sent) throws(FileError) {
    let tag = sent.tag.isEmpty ? "-" : sent.tag
    try log.append(["sent\t\(name)\t\(sent.size)\t\(sent.sha256)\t\(tag)"])
    content.entries[name] = Entry(sent: sent)
  }

  /// Notes that a file is taken away from the store.
  func remove(_ name: String) throws(FileError) {
    try log.append(["gone\t\(name)"])
    content.entries[name] = nil
  }

  private static func check(
    _ content: Content,
    _ path: String,
    _ destination: String
  ) throws(LaionError) {
    guard let other = content.destination, other != destination else { return }
    throw .option(
      "\(path) is of uploads to \(other), not to \(destination); give another --work folder, or that --out"
    )
  }

  private static func parse(_ path: String) throws(FileError) -> (Content, valid: Int) {
    var reader = try RecordReader(path, .crc32)
    var (content, valid) = (Content(), 0)
    while let (line, end) = reader.next() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      switch (fields.first, fields.count) {
      case (title, 2) where valid == 0: content.destination = fields[1]
      case ("begin", 4):
        content.entries[fields[1], default: Entry()].begun = .init(
          sha256: fields[2],
          upload: fields[3] == "-" ? "" : fields[3]
        )
      case ("sent", 5):
        guard let size = Int(fields[2]), size >= 0 else { throw damaged(path) }
        let tag = fields[4] == "-" ? "" : fields[4]
        content.entries[fields[1]] = Entry(sent: .init(size: size, sha256: fields[3], tag: tag))
      case ("gone", 2): content.entries[fields[1]] = nil
      default: throw damaged(path)
      }
      valid = end
    }
    if content.destination == nil, valid > 0 { throw damaged(path) }
    return (content, valid)
  }

  private static func damaged(_ path: String) -> FileError {
    FileError(
      "continue",
      path: path,
      reason:
        "it is no record of uploads; remove the split's folder here and its objects to download it again"
    )
  }

  private static func file<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(LaionError) -> Value {
    do throws(FileError) { return try body() } catch { throw .file(error) }
  }
}
