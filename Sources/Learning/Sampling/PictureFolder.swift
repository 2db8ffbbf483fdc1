import Files
import Foundation
package import Images

/// A folder of generated pictures `ROW-COLUMN.png`, with a sheet of all of them.
package struct PictureFolder {
  /// Where; made if it is not there.
  package let path: String

  /// The folder of this path.
  package init(path: String) { self.path = path }

  /// Writes the pictures and `sheet.png`, each atomically.
  ///
  /// - Parameters:
  ///   - rows: What was painted, and the pictures of it.
  ///   - subtitle: The quiet line on the sheet.
  /// - Throws: `FileError` if the folder or a file cannot be written, `ImageError` if no font fits.
  package func write(_ rows: [(caption: String, images: [RGBImage])], subtitle: String) throws {
    try makeFolder(path)
    for (row, entry) in rows.enumerated() {
      for (column, image) in entry.images.enumerated() {
        try image.write(png: "\(path)/\(row)-\(column).png")
      }
    }
    let sheet = CaptionedSheet(
      title: "nifty",
      subtitle: subtitle,
      rows: rows.map { .init(caption: $0.caption, samples: $0.images) },
      samplesHeading: "samples"
    )
    try sheet.rendered().write(png: path + "/sheet.png")
  }
}
