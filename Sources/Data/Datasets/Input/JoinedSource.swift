import BasicAlgorithms
import Foundation

/// A concatenation of several sources.
package struct JoinedSource: ImageTextSource {
  private let sources: [any ImageTextSource]
  /// The index of each source's first item.
  private let starts: [Int]
  /// The name of each source.
  private let names: [String]

  /// Joins sources.
  ///
  /// - Parameter sources: At least one, each with its path.
  package init(_ sources: [(path: String, source: any ImageTextSource)]) {
    precondition(!sources.isEmpty, "no source to join")
    self.sources = sources.map(\.source)
    names = sources.map { URL(filePath: $0.path).lastPathComponent }
    var (starts, start) = ([Int](), 0)
    for (_, source) in sources {
      starts.append(start)
      start += source.count
    }
    self.starts = starts
  }

  package var count: Int { (starts.last ?? 0) + (sources.last?.count ?? 0) }

  package var summary: String {
    let others = sources.count - 1
    return sources[0].summary + (others == 0 ? "" : " and \(others) more")
  }

  package var identity: String { sources.map(\.identity).joined(separator: "\n") }

  package var remarks: [PackReport.Dropped] {
    zip(names, sources).flatMap { name, source in
      source.remarks.map { .init(name: "\(name)/\($0.name)", cause: $0.cause, reason: $0.reason) }
    }
  }

  package func name(at index: Int) -> String {
    let (source, item) = position(of: index)
    return "\(names[source])/\(sources[source].name(at: item))"
  }

  package func stamp(at index: Int) -> String {
    let (source, item) = position(of: index)
    return sources[source].stamp(at: item)
  }

  package func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let (source, item) = position(of: index)
    return try sources[source].item(at: item)
  }

  private func position(of index: Int) -> (source: Int, item: Int) {
    // Of several that start there, all but the last are empty.
    let source = starts.partitioningIndex { $0 <= index } - 1
    return (source, index - starts[source])
  }
}
