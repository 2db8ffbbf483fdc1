import Files
import Foundation
import Glibc

/// The log of a split: one line per requested row, in row order.
///
/// A line with a checksum is appended after its pair is on the disk. After a crash the valid prefix counts
/// and the rest is truncated, so a pair exists if and only if the ledger has its number.
final class Ledger: @unchecked Sendable {
  // Sendable: one batch is appended at a time, by the split's own loop.

  /// One requested row.
  struct Entry: Equatable, Sendable {
    var row: Int
    /// The number of the pair; `nil` when the row gave none.
    var number: Int?
    var outcome: FetchOutcome
    /// The cause of the row's earlier failure, if this entry is of a retry.
    var replaced: FetchCause?
  }

  /// The begin and the end of a retry pass; an interrupted pass continues.
  enum State: String, Sendable {
    case began = "again"
    case ended = "again ended"
  }

  /// The sum of the entries.
  struct Summary: Equatable, Sendable {
    /// The row after the last entry.
    var nextRow = 0
    var pairs = 0
    var bytes = 0
    var failures: [FetchCause: Int] = [:]
    /// In an unfinished retry pass, the row after the last one requested.
    var pass: Int?

    mutating func add(_ mark: State) { pass = mark == .began ? 0 : nil }

    mutating func add(_ entry: Entry) {
      nextRow = max(nextRow, entry.row + 1)
      if entry.replaced != nil, pass != nil { pass = entry.row + 1 }
      if let cause = entry.replaced {
        failures[cause, default: 0] -= 1
        if failures[cause] == 0 { failures[cause] = nil }
      }
      switch entry.outcome {
      case .success(let image):
        pairs += 1
        bytes += image.bytes
      case .failure(let cause):
        failures[cause, default: 0] += 1
      }
    }
  }

  let path: String
  private(set) var summary: Summary

  private let log: RecordLog

  /// Opens or creates a ledger and truncates the incomplete end that a crash left.
  ///
  /// The ledger stays locked until it is freed: two runs on one folder would undo each other.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - fingerprint: Of the settings that decide which rows become pairs.
  /// - Throws: `LaionError.differentSettings` if the ledger was begun with others, `LaionError.inUse` if
  ///   another run has it.
  init(_ path: String, fingerprint: String) throws(LaionError) {
    self.path = path
    do throws(FileError) {
      log = try RecordLog(path, .fnv, to: "download into")
    } catch {
      if error.code == EWOULDBLOCK { throw .inUse(folder: Self.folder(of: path)) }
      throw .file(error)
    }
    summary = Summary()
    let header = Self.title + fingerprint
    var summary = Summary()
    let valid = try Self.read(path, header: header, mark: { summary.add($0) }, { summary.add($0) })
    do throws(FileError) {
      try log.cut(to: valid)
      if valid == 0 { try log.append([header]) }
    } catch {
      throw .file(error)
    }
    self.summary = summary
  }

  /// Appends entries and flushes them to the disk.
  func append(_ entries: [Entry]) throws(FileError) {
    try log.append(entries.map(LedgerLine.encoded))
    for entry in entries { summary.add(entry) }
  }

  /// Appends the begin or the end of a retry pass.
  func mark(_ mark: State) throws(FileError) {
    try log.append([mark.rawValue])
    summary.add(mark)
  }

  /// Truncates the ledger to `count` pairs; later rows are forgotten.
  func cut(toPairs count: Int) throws(LaionError) {
    var kept = Summary()
    let valid = try Self.read(
      path,
      header: nil,
      before: count,
      mark: { kept.add($0) },
      {
        kept.add($0)
      }
    )
    do throws(FileError) { try log.cut(to: valid) } catch { throw .file(error) }
    summary = kept
  }

  /// Visits the valid entries, or only those before the pair of a number; returns the size of header and
  /// entries in bytes, 0 without a header.
  @discardableResult
  static func read(
    _ path: String,
    header: String?,
    before number: Int? = nil,
    mark: (State) -> Void = { _ in },
    _ visit: (Entry) throws(LaionError) -> Void
  ) throws(LaionError) -> Int {
    var reader: RecordReader
    do throws(FileError) { reader = try RecordReader(path, .fnv) } catch { throw .file(error) }
    var (line, valid, pairs, nextRow) = (0, 0, 0, 0)
    while let (content, end) = reader.next() {
      line += 1
      if line == 1 {
        let isOurs = header.map { $0 == content } ?? true
        if !isOurs { throw .differentSettings(folder: folder(of: path)) }
      } else if let found = State(rawValue: String(content)) {
        mark(found)
      } else {
        guard let entry = LedgerLine.decoded(content),
          entry.replaced == nil ? entry.row >= nextRow : entry.row < nextRow,
          entry.number == nil || entry.number == pairs
        else { throw .damagedLedger(path: path, line: line) }
        if let number, entry.number == number { break }
        nextRow = max(nextRow, entry.row + 1)
        if entry.number != nil { pairs += 1 }
        try visit(entry)
      }
      valid = end
    }
    return valid
  }

  /// The fingerprint of a ledger's settings; `nil` without a ledger.
  static func fingerprint(_ path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    let bytes = (try? file.read(upToCount: 256)) ?? Data()
    let line = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    guard let content = RecordLog.Checksum.fnv.opened(line), content.hasPrefix(title) else {
      return nil
    }
    return String(content.dropFirst(title.count))
  }

  private static let title = "nifty laion ledger 1\t"

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
