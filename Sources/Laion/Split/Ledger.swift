import Files
import Foundation
import Glibc

/// What a split has done so far, one line per requested row, in row order.
///
/// Lines are appended after the pairs they speak of are on the disk, each with a checksum. After a
/// crash the valid beginning counts and the rest is cut off, so a pair exists if and only if the
/// ledger has its number.
final class Ledger: @unchecked Sendable {
  // Sendable: one batch is appended at a time, by the split's own loop.

  /// One requested row.
  struct Entry: Equatable, Sendable {
    var row: Int
    /// The number of the pair; `nil` when the row gave none.
    var number: Int?
    var outcome: FetchOutcome
  }

  /// The sum of the entries.
  struct Summary: Equatable, Sendable {
    /// The row after the last entry.
    var nextRow = 0
    var pairs = 0
    var bytes = 0
    var failures: [FetchCause: Int] = [:]

    mutating func add(_ entry: Entry) {
      nextRow = entry.row + 1
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

  private let descriptor: Int32

  /// Opens or creates a ledger and cuts off what a crash left incomplete.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - fingerprint: Stands for the settings that decide which rows become pairs.
  /// - Throws: `LaionError.differentSettings` when the ledger was begun with others.
  init(_ path: String, fingerprint: String) throws(LaionError) {
    self.path = path
    let header = LedgerLine.sealed("nifty laion ledger 1\t\(fingerprint)")
    var summary = Summary()
    var valid = 0
    if access(path, F_OK) == 0 {
      valid = try Self.read(path, header: header) { summary.add($0) }
    }
    do throws(FileError) {
      if valid == 0 { try AtomicFile.write(header, to: path) }
      descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
      if descriptor < 0 { throw FileError("open", path: path) }
      if valid > 0, ftruncate(descriptor, valid) != 0 { throw FileError("cut", path: path) }
    } catch {
      throw .file(error)
    }
    self.summary = summary
  }

  deinit { close(descriptor) }

  /// Appends entries and flushes them to the disk.
  func append(_ entries: [Entry]) throws(FileError) {
    let lines = entries.map { LedgerLine.encoded($0) }.joined()
    try ScratchFile.append(Array(lines.utf8), to: descriptor, path: path)
    if fdatasync(descriptor) != 0 { throw FileError("flush", path: path) }
    for entry in entries { summary.add(entry) }
  }

  /// Visits the valid entries; returns how many bytes they and the header take, 0 without a header.
  @discardableResult
  static func read(
    _ path: String,
    header: String?,
    _ visit: (Entry) throws(LaionError) -> Void
  ) throws(LaionError) -> Int {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw .file(error) }
    defer { withExtendedLifetime(file) {} }
    var (start, line, pairs, nextRow) = (0, 0, 0, 0)
    while let end = file.bytes[start...].firstIndex(of: 0x0A) {
      let text = String(decoding: file.bytes[start..<end], as: UTF8.self)
      guard let content = LedgerLine.opened(text) else { break }
      line += 1
      if line == 1 {
        let isOurs = header.map { $0 == text + "\n" } ?? true
        if !isOurs { throw .differentSettings(folder: folder(of: path)) }
      } else {
        guard let entry = LedgerLine.decoded(content), entry.row >= nextRow,
          entry.number == nil || entry.number == pairs
        else { throw .damagedLedger(path: path, line: line) }
        nextRow = entry.row + 1
        if entry.number != nil { pairs += 1 }
        try visit(entry)
      }
      start = end + 1
    }
    return start
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}

/// One line of the ledger: fields and a checksum, separated by tabs.
enum LedgerLine {
  static func encoded(_ entry: Ledger.Entry) -> String {
    let number = entry.number.map { String($0) } ?? "-"
    switch entry.outcome {
    case .success(let image):
      return sealed(
        "\(entry.row)\t\(number)\tok\t\(image.width)\t\(image.height)\t\(image.bytes)\t\(image.sha256)"
      )
    case .failure(let cause):
      return sealed("\(entry.row)\t\(number)\t\(cause)")
    }
  }

  static func decoded(_ content: Substring) -> Ledger.Entry? {
    let fields = content.split(separator: "\t", omittingEmptySubsequences: false)
    guard fields.count >= 3, let row = Int(fields[0]), row >= 0 else { return nil }
    if fields.count == 3 {
      guard fields[1] == "-", let cause = FetchCause(String(fields[2])) else { return nil }
      return .init(row: row, number: nil, outcome: .failure(cause))
    }
    guard fields.count == 7, fields[2] == "ok", let number = Int(fields[1]),
      let width = Int(fields[3]), let height = Int(fields[4]), let bytes = Int(fields[5])
    else { return nil }
    let image = StoredImage(
      width: width,
      height: height,
      bytes: bytes,
      sha256: String(fields[6])
    )
    return .init(row: row, number: number, outcome: .success(image))
  }

  /// The content with its checksum and a newline.
  static func sealed(_ content: String) -> String {
    "\(content)\t\(String(FNV.hash(content.utf8), radix: 16))\n"
  }

  /// The content of a line whose checksum is right.
  static func opened(_ line: String) -> Substring? {
    guard let tab = line.lastIndex(of: "\t") else { return nil }
    let content = line[..<tab]
    let checksum = line[line.index(after: tab)...]
    return checksum == String(FNV.hash(content.utf8), radix: 16) ? content : nil
  }
}

/// FNV-1a with 64 bits: tells torn lines and changed settings, not forgeries.
enum FNV {
  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
