import Files
import Foundation
import Glibc
import Text

/// The checkpoints of a run, `checkpoint/` in its folder: the newest two, the newest that is surely
/// good, and that of the best snapshot.
///
/// A checkpoint is a folder `images-000000001024`, written under a hidden name and renamed when it is
/// complete. The folder is locked: one process at a time.
package final class CheckpointFolder: Sendable {
  /// Its path.
  package let path: String
  private let descriptor: Int32

  /// Makes or opens the folder and locks it.
  ///
  /// - Throws: `FileError` if it cannot be made, or another process has it.
  package init(_ path: String) throws {
    self.path = path
    try makeFolder(path, to: "create", mode: 0o755)
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open", path: path) }
    // A failure from here on runs `deinit`, which closes it.
    try FileLock.take(descriptor, on: path, to: "train in")
    for name in try names() where name.hasSuffix(".partial") {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  deinit {
    FileLock.release(descriptor)
    close(descriptor)
  }

  /// Unlocks the folder.
  func release() { FileLock.release(descriptor) }

  /// The images seen of each complete checkpoint, the newest first.
  package func list() throws -> [Int] {
    try names().compactMap(Self.imagesSeen).sorted(by: >)
  }

  /// The newest undamaged checkpoint; damaged ones are renamed to `….damaged`.
  ///
  /// - Parameters:
  ///   - accepting: Whether a checkpoint is acceptable.
  ///   - onDamage: Receives a line about each damaged one.
  /// - Returns: The checkpoint, or `nil` if there is none.
  /// - Throws: `FileError` if the folder cannot be read.
  package func newest(
    where accepting: (RunState) -> Bool = { _ in true },
    onDamage: (String) -> Void
  ) throws -> Checkpoint? {
    for images in try list() {
      let checkpointPath = path(of: images)
      do {
        let checkpoint = try Checkpoint(at: checkpointPath)
        if accepting(checkpoint.state) { return checkpoint }
      } catch let error where Self.saysNothing(error) {
        throw error
      } catch {
        onDamage("checkpoint \(checkpointPath) is damaged (\(error)); trying the one before")
        try replace("\(checkpointPath).damaged", by: checkpointPath)
      }
    }
    return nil
  }

  /// Whether an error is no sign of damage: the checkpoint may be good.
  private static func saysNothing(_ error: any Error) -> Bool {
    switch error {
    case let error as FileError: [EACCES, EPERM, EMFILE, ENFILE, ENOMEM].contains(error.code)
    case TrainingError.stopped: true
    default: false
    }
  }

  /// Writes a checkpoint, then removes those no longer needed.
  ///
  /// - Parameters:
  ///   - state: The run's state beside the tensors.
  ///   - loan: Its tensors, lent by the trainer.
  /// - Throws: `FileError` if it cannot be written; the earlier checkpoints stay.
  package func write(_ state: RunState, _ loan: StateLoan) throws {
    try syncLogs(state.logs.keys)
    let images = state.trainer.imagesSeen
    let partial = "\(path)/.\(Self.name(images)).\(getpid()).partial"
    try? FileManager.default.removeItem(atPath: partial)
    if mkdir(partial, 0o755) != 0 { throw FileError("create", path: partial) }
    do {
      try Checkpoint.write(state, loan, to: partial)
      try replace(path(of: images), by: partial)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
    let all = try list()
    let kept = [images, state.best?.imagesSeen, all.first { $0 <= state.watchdog.goodUntil }]
    for old in all.dropFirst(2) where !kept.contains(old) { try remove(old) }
  }

  /// Removes the checkpoints after a number of images, which a rollback has abandoned.
  package func removeAll(after images: Int) throws {
    for newer in try list() where newer > images { try remove(newer) }
  }

  private func remove(_ images: Int) throws {
    // Renamed first, so that half a folder never has a checkpoint's name.
    let aside = "\(path)/.\(Self.name(images)).\(getpid()).old.partial"
    if rename(path(of: images), aside) != 0 { throw FileError("rename", path: path(of: images)) }
    try? FileManager.default.removeItem(atPath: aside)
  }

  /// Renames a folder, replacing one of that name.
  private func replace(_ target: String, by source: String) throws(FileError) {
    // Exchanged, so that at any moment a complete folder has the name.
    if AtomicFile.exchange(source, target) {
      try AtomicFile.flushFolder(of: target)
      try? FileManager.default.removeItem(atPath: source)
      return
    }
    // There is none to replace, or the file system cannot exchange.
    let aside = "\(path)/.replaced.\(getpid()).partial"
    let isThere = rename(target, aside) == 0
    if rename(source, target) != 0 { throw FileError("rename to", path: target) }
    try AtomicFile.flushFolder(of: target)
    if isThere { try? FileManager.default.removeItem(atPath: aside) }
  }

  /// Flushes the logs: a checkpoint records their sizes, so they must be on the disk before it.
  private func syncLogs(_ names: some Sequence<String>) throws(FileError) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    for name in names {
      let file = "\(folder)/\(name)"
      let descriptor = open(file, O_RDONLY | O_CLOEXEC)
      if descriptor < 0 { throw FileError("open", path: file) }
      defer { close(descriptor) }
      if fdatasync(descriptor) != 0, errno != EINVAL, errno != EROFS {
        throw FileError("flush", path: file)
      }
    }
  }

  private func names() throws(FileError) -> [String] { try listFolder(path) }

  private func path(of images: Int) -> String { "\(path)/\(Self.name(images))" }

  private static func name(_ images: Int) -> String {
    "images-" + zeroPadded(images, to: 12)
  }

  private static func imagesSeen(_ name: String) -> Int? {
    let digits = name.dropFirst("images-".count)
    guard name.hasPrefix("images-"), let images = Int(digits), Self.name(images) == name else {
      return nil
    }
    return images
  }
}
