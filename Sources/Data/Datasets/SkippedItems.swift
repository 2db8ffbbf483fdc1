import Files
import Glibc

/// The list of skipped items for users: `DATASET.zip.left-out.tsv`.
///
/// One line each: name, cause, reason, separated by tabs. Without skipped items there is no file.
package enum SkippedItems {
  /// Writes the list beside a dataset, or removes an outdated one.
  package static func write(
    _ dropped: [PackReport.Dropped],
    beside dataset: String
  ) throws(DatasetError) {
    let path = dataset + ".left-out.tsv"
    if dropped.isEmpty {
      unlink(path)
      return
    }
    let lines = dropped.map { item in
      [item.name, item.cause.description, item.reason].map(Self.field).joined(separator: "\t")
    }
    let text = "name\tcause\treason\n" + lines.joined(separator: "\n") + "\n"
    try files { () throws(FileError) in try AtomicFile.write(text, to: path) }
  }

  /// A field with spaces for tabs and line ends, which would break the table.
  private static func field(_ text: String) -> String {
    String(text.map { $0 == "\t" || $0.isNewline ? " " : $0 })
  }
}
