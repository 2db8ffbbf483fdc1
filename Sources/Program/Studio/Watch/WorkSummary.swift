package import Datasets
import Files
package import JSON

/// A download of `nifty laion`, or a dataset that `nifty pack` makes, in one row of a table.
package struct WorkSummary: Sendable, Equatable {
  /// The verbs.
  package enum Kind: String, Sendable, CaseIterable {
    /// A split of pairs.
    case laion
    /// A packed dataset that is not finished yet.
    case pack
  }

  /// What a work is doing.
  package enum State: String, Sendable, CaseIterable {
    /// A process works in the folder.
    case running
    /// No process does, and it is not finished: the same command goes on.
    case stopped
    /// The split is complete.
    case finished
    /// Its files cannot be read.
    case damaged
  }

  /// The folder of a split or the name of a zip, below the folder that is watched.
  package let name: String
  /// The verb.
  package let kind: Kind
  /// What it is doing.
  package private(set) var state = State.stopped
  /// Why it is damaged, in one line.
  package private(set) var trouble: String?
  /// The process that works.
  package private(set) var process: Int?
  /// How far it is; `nil` where nothing tells.
  package private(set) var progress: WorkProgress?

  /// Looks at a work's folder; nothing is thrown: what cannot be read makes it damaged.
  ///
  /// - Parameters:
  ///   - name: What the work is called.
  ///   - kind: The verb.
  ///   - folder: The split's folder, or that of the zip's unfinished parts.
  init(_ name: String, _ kind: Kind, at folder: String) {
    (self.name, self.kind) = (name, kind)
    let log = kind == .laion ? WorkFolder.ledger : WorkFolder.journal
    process = FileLock.holder(ofFile: "\(folder)/\(log)")
    do throws(FileError) {
      let isFinished = process == nil && kind == .laion && exists(folder + Self.statistics)
      progress = isFinished ? try Self.outcome(folder) : try WorkProgress.read(folder)
      state = process != nil ? .running : isFinished ? .finished : .stopped
    } catch {
      state = .damaged
      trouble = "\(error)"
    }
    if process == nil {
      progress?.rate = 0
      progress?.secondsLeft = nil
    }
  }

  private static let statistics = "/stats.json"

  /// What a finished split says of itself.
  private static func outcome(_ folder: String) throws(FileError) -> WorkProgress {
    let path = folder + statistics
    guard let json = OptionValue(json: try OpenedFile(path).text(upTo: 1 << 20)),
      let pairs = json["pairs"]?.int, (0...1 << 50).contains(pairs)
    else { throw FileError("read", path: path, reason: "it counts no pairs") }
    let leftOut = ["failures", "filtered"].flatMap { key -> [Int] in
      guard case .dictionary(let causes)? = json[key] else { return [] }
      return causes.compactMap { $0.value.int }.filter { (0...1 << 50).contains($0) }
    }
    return WorkProgress(
      done: pairs,
      total: pairs,
      images: pairs,
      leftOut: leftOut.reduce(0) { min($0 + $1, 1 << 50) },
      rate: 0,
      secondsLeft: nil
    )
  }

  /// The summary for programs.
  package var json: OptionValue {
    let isRunning = state == .running
    let row: OptionValue = [
      "name": .string(name), "kind": .string(kind.rawValue), "state": .string(state.rawValue),
      "done": progress.map { .int($0.done) } ?? .null,
      "total": progress?.total.map { .int($0) } ?? .null,
      "images": progress.map { .int($0.images) } ?? .null,
      "left_out": progress.map { .int($0.leftOut) } ?? .null,
      "rate": isRunning ? progress.map { .double($0.rate) } ?? .null : .null,
      "seconds_left": progress?.secondsLeft.map { .double($0) } ?? .null,
      "process": process.map { .int($0) } ?? .null,
    ]
    return row.adding("trouble", trouble.map { .string($0) })
  }
}

/// How a folder that somebody works in looks from outside.
enum WorkFolder {
  /// What a split has of every row.
  static let ledger = ".ledger"
  /// What a packer has of every checkpoint.
  static let journal = "journal"

  /// Whether pairs are, or were, downloaded into a folder.
  static func isSplit(_ path: String) -> Bool { exists("\(path)/\(ledger)") }

  /// The zip whose unfinished parts are in a folder of this name, as `.coco.zip.packing`; `nil` for others.
  static func zip(_ name: String) -> String? {
    guard name.hasPrefix("."), name.hasSuffix(".packing"), name.count > 9 else { return nil }
    return String(name.dropFirst().dropLast(8))
  }

  /// Whether such a folder is a split's, which tells of itself.
  static func isOfSplit(_ zip: String, in folder: String) -> Bool {
    zip.hasSuffix(".zip") && isSplit("\(folder)/\(zip.dropLast(4))")
  }
}
