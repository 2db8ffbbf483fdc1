import Files
import Foundation
import Glibc

/// The unfinished parts of a packed dataset: a hidden folder beside its final path.
///
/// Every part is append-only; the journal has their sizes at each checkpoint. So a packer that was killed at
/// any moment continues from the last checkpoint, and its dataset equals one that was packed without
/// interruption.
final class PackWorkspace {
  /// The parts, by the names of their files.
  enum Part: String, CaseIterable {
    /// The zip itself, so far.
    case archive = "archive.zip"
    /// The zip's directory, so far.
    case directory
    case imageFeatures = "image-features"
    case flippedFeatures = "flipped-features"
    case textFeatures = "text-features"
    case captions = "captions.jsonl"
    /// The end of each image's captions, int64.
    case captionIndex = "caption-index"
    case labels = "labels.jsonl"
    /// The skipped items, one JSON array a line.
    case dropped = "dropped.jsonl"
  }

  /// The last checkpoint.
  let begun: PackJournal.State

  private let folder: String
  private let journal: PackJournal
  private let spools: [Part: SpoolFile]
  private var isFinished = false

  /// Opens the workspace of a dataset, or begins one.
  ///
  /// - Parameters:
  ///   - path: The final name of the zip; its folder must exist.
  ///   - fingerprint: Of the source and all settings that change the bytes.
  ///   - limit: Continues from a checkpoint of at most so many items; `nil` for the last one.
  /// - Throws: `DatasetError` if the folder cannot be written, is in use, or was begun with other settings.
  init(_ path: String, fingerprint: String, limit: Int? = nil) throws(DatasetError) {
    let folder = Self.folder(of: path)
    try files { () throws(FileError) in try RegularFile.expect(at: path) }
    if mkdir(folder, 0o755) != 0 {
      guard errno == EEXIST else { throw .file(FileError("create", path: path)) }
      // Through a link the parts would be written, and removed, in another folder.
      var status = stat()
      guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw .file(FileError("create folder", path: folder, reason: "something else is there"))
      }
    }
    self.folder = folder
    journal = try PackJournal(
      "\(folder)/journal",
      fingerprint: fingerprint,
      limit: limit,
      isInPlace: { Self.archive(at: path) == $0 },
      partSize: { Self.archive(at: "\(folder)/\($0)")?.size ?? 0 }
    )
    begun = journal.state ?? .init()
    var spools: [Part: SpoolFile] = [:]
    for part in Part.allCases {
      // A finished archive has been moved.
      let isGone = begun.finished != nil && part == .archive
      let size = isGone ? 0 : begun.sizes[part.rawValue] ?? 0
      spools[part] = try files { () throws(FileError) in
        try SpoolFile("\(folder)/\(part.rawValue)", keeping: size)
      }
    }
    self.spools = spools
    // The names of a checkpoint's files must survive a power failure.
    try Self.flush("\(folder)/journal", folder)
  }

  deinit {
    // Without a checkpoint there is nothing to continue: leave nothing behind.
    if !isFinished && journal.state == nil { remove() }
  }

  /// The file of a part.
  subscript(part: Part) -> SpoolFile {
    guard let spool = spools[part] else { preconditionFailure("no part \(part)") }
    return spool
  }

  /// Appends bytes to a part.
  func append(_ bytes: [UInt8], to part: Part) throws(DatasetError) {
    try files { () throws(FileError) in try self[part].append(bytes) }
  }

  /// Maps the written bytes of a part.
  func mapped(_ part: Part) throws(DatasetError) -> MappedBytes {
    try files { () throws(FileError) in try self[part].mapped() }
  }

  /// Makes a part durable.
  func synchronize(_ part: Part) throws(DatasetError) {
    try files { () throws(FileError) in try self[part].synchronize() }
  }

  /// Writes a checkpoint of everything appended so far.
  func checkpoint(_ state: PackJournal.State) throws(DatasetError) {
    var state = state
    for part in Part.allCases {
      try synchronize(part)
      state.sizes[part.rawValue] = self[part].size
    }
    try journal.append(state)
  }

  /// Moves a finished archive back into the workspace; if this fails, the archive is untouched.
  ///
  /// All other parts must be complete. The workspace must be opened again afterwards.
  ///
  /// - Parameters:
  ///   - path: The archive.
  ///   - size: The bytes of its images.
  ///   - state: The counts of the parts.
  /// - Throws: `DatasetError` if the disk is full or the archive cannot be moved.
  func takeBack(_ path: String, keeping size: Int, _ state: PackJournal.State) throws(DatasetError)
  {
    var state = state
    for part in Part.allCases where part != .archive {
      try synchronize(part)
      state.sizes[part.rawValue] = self[part].size
    }
    state.sizes[Part.archive.rawValue] = size
    // Appended first: until the archive is moved the checkpoint does not count, its part being too short.
    try journal.append(state)
    try files { () throws(FileError) in try RegularFile.expect(at: path, to: "take back") }
    if rename(path, archivePath) != 0 { throw .file(FileError("take back", path: path)) }
    try Self.flush(archivePath, path)
  }

  /// The folder of the unfinished parts of a dataset.
  static func folder(of path: String) -> String {
    let url = URL(filePath: path)
    return url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).packing").path
  }

  /// Gives the archive its final name; then only `discard` is left to do.
  ///
  /// The journal is written first: after a kill behind the rename the next process knows that the dataset is
  /// finished.
  func publish(as path: String, _ state: PackJournal.State) throws(DatasetError) {
    try synchronize(.archive)
    var state = state
    state.sizes = journal.state?.sizes ?? [:]
    state.finished = Self.archive(at: archivePath)
    try journal.append(state)
    try files { () throws(FileError) in try RegularFile.expect(at: path) }
    if rename(archivePath, path) != 0 { throw .file(FileError("rename to", path: path)) }
    try Self.flush(path, archivePath)
  }

  /// Flushes the folders of these paths, in this order.
  private static func flush(_ paths: String...) throws(DatasetError) {
    for path in paths { try files { () throws(FileError) in try AtomicFile.flushFolder(of: path) } }
  }

  /// The identity of a file, whatever its name; `nil` if it is missing.
  private static func archive(at path: String) -> PackJournal.Finished? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return .init(size: Int(status.st_size), inode: UInt64(status.st_ino))
  }

  /// Removes the workspace.
  func discard() {
    isFinished = true
    remove()
  }

  /// The path of the archive before it has its final name.
  var archivePath: String { "\(folder)/\(Part.archive.rawValue)" }

  private func remove() { Self.remove(folder) }

  /// Removes a folder of unfinished parts.
  static func remove(_ folder: String) {
    for part in Part.allCases { unlink("\(folder)/\(part.rawValue)") }
    unlink("\(folder)/journal")
    WorkProgress.remove(from: folder)
    rmdir(folder)
  }
}
