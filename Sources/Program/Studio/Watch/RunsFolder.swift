package import Files
import HTTPTypes
import JSON
import Synchronization

/// A folder with run folders in it, or one run folder.
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

  /// The names of the runs, at most two folders down; the folder itself, if it is a run, is ".".
  ///
  /// - Throws: `FileError` if the folder cannot be listed any more.
  func names() throws(FileError) -> [String] {
    if Self.isRun(path) { return ["."] }
    var names: [String] = []
    for name in try listFolder(path) where !name.hasPrefix(".") {
      let folder = path + "/" + name
      guard isFolder(folder) else { continue }
      if Self.isRun(folder) {
        names.append(name)
      } else {
        // An unreadable folder has no runs to show.
        for inner in (try? listFolder(folder)) ?? [] where Self.isRun(folder + "/" + inner) {
          names.append(name + "/" + inner)
        }
      }
    }
    return names
  }

  /// All runs, the most recently changed first.
  ///
  /// - Throws: `FileError` if the folder cannot be listed any more.
  package func runs() throws(FileError) -> [RunSummary] {
    try names().map { RunSummary($0, at: path(of: $0)) }
      .sorted { ($0.changed, $0.name) > ($1.changed, $1.name) }
  }

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
