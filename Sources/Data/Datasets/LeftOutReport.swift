import Files
import Glibc

/// The list of images that a packer left out, for people: `DATASET.zip.left-out.tsv`.
///
/// One line each: name, cause, reason, separated by tabs. There is no file when nothing was left
/// out.
package enum LeftOutReport {
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

  /// Tabs and line ends inside of a field would break the table.
  private static func field(_ text: String) -> String {
    String(text.map { $0 == "\t" || $0.isNewline ? " " : $0 })
  }
}
