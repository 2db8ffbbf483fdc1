package import Files
import HTTPTypes
import JSON
import Synchronization

/// A folder with run folders in it, downloads or datasets that are packed; or one of them.
package final class RunsFolder: Sendable {
  /// Its path.
  package let path: String

  private struct Key: Hashable {
    var run: String
    var statistic: String
  }

  private let curves = Mutex(RecentValues<Key, Curve>(capacity: 100))

  /// An existing folder.
  ///
  /// - Throws: `FileError` if it does not exist or is not a folder.
  package init(_ path: String) throws(FileError) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    _ = try listFolder(path)
  }

  /// What a look at the folder finds.
  private struct Content {
    /// The names of the runs.
    var runs: [String] = []
    /// Downloads and packings, with their folders.
    var works: [(name: String, kind: WorkSummary.Kind, folder: String)] = []
  }

  /// The runs, downloads and packings, at most two folders down; the folder itself, if it is one, is ".".
  ///
  /// - Throws: `FileError` if the folder cannot be listed any more.
  private func content() throws(FileError) -> Content {
    var content = Content()
    if Self.isRun(path) {
      content.runs = ["."]
    } else if WorkFolder.isSplit(path) {
      content.works = [(".", .laion, path)]
    } else {
      try look(into: path, called: "", depth: 2, &content)
    }
    return content
  }

  private func look(
    into folder: String,
    called prefix: String,
    depth: Int,
    _ content: inout Content
  ) throws(FileError) {
    for name in try listFolder(folder) {
      let inner = folder + "/" + name
      if let zip = WorkFolder.zip(name) {
        guard exists("\(inner)/\(WorkFolder.journal)"), !WorkFolder.isOfSplit(zip, in: folder)
        else { continue }
        content.works.append((prefix + zip, .pack, inner))
      } else if name.hasPrefix(".") {
        continue
      } else if Self.isRun(inner) {
        content.runs.append(prefix + name)
      } else if WorkFolder.isSplit(inner) {
        // It may hold a million pairs: nothing is looked for among them.
        content.works.append((prefix + name, .laion, inner))
      } else if depth > 1, isFolder(inner) {
        // An unreadable folder has nothing to show.
        try? look(into: inner, called: name + "/", depth: depth - 1, &content)
      }
    }
  }

  /// The names of the runs.
  ///
  /// - Throws: `FileError` if the folder cannot be listed any more.
  func names() throws(FileError) -> [String] { try content().runs }

  /// All runs, the most recently changed first, and all downloads and packings, those in progress first.
  ///
  /// - Throws: `FileError` if the folder cannot be listed any more.
  package func table() throws(FileError) -> (runs: [RunSummary], works: [WorkSummary]) {
    let content = try content()
    let runs = content.runs.map { RunSummary($0, at: path(of: $0)) }
      .sorted { ($0.changed, $0.name) > ($1.changed, $1.name) }
    let works = content.works.map { WorkSummary($0.name, $0.kind, at: $0.folder) }
    return (runs, works.filter { $0.state == .running } + works.filter { $0.state != .running })
  }

  /// All runs, the most recently changed first.
  ///
  /// - Throws: `FileError` if the folder cannot be listed any more.
  package func runs() throws(FileError) -> [RunSummary] { try table().runs }

  /// The folder of an existing run.
  ///
  /// - Throws: `RequestError` for any other name: no path of a request is opened.
  func folder(of run: String?) throws -> String {
    guard let run, try names().contains(run) else {
      throw RequestError("there is no run \((run ?? "").prefix(100))", status: .notFound)
    }
    return path(of: run)
  }

  /// One statistic of a run so far.
  func curve(_ statistic: String, of run: String) throws -> Curve {
    let folder = try folder(of: run)
    let key = Key(run: run, statistic: statistic)
    let metrics = Curve.metrics(try listFolder(folder))
    guard
      var curve = curves.withLock({ $0[key] })
        ?? Curve(statistic, metrics: metrics, folder: folder)
    else { throw RequestError("there is no metric \(statistic)", status: .notFound) }
    try curve.update()
    curves.withLock { [curve] in $0[key] = curve }
    return curve
  }

  private func path(of name: String) -> String { name == "." ? path : path + "/" + name }

  private static func isRun(_ folder: String) -> Bool {
    exists(folder + "/training_options.json") || exists(folder + "/stats.jsonl")
  }
}
