import Files
package import Images
import Text

/// A folder of generated pictures, each named by its seed and its text, with sheets of all of them.
package struct PictureFolder {
  /// What is painted after one text.
  package typealias Row = PaintedRow<RGBImage>

  /// Texts on one sheet; more of them make several sheets.
  static let rowsOfSheet = 50
  /// Pictures of a text on one sheet; more of them make several sheets.
  static let columnsOfSheet = 40

  /// Where; made if it is not there.
  package let path: String
  private let overwrites: Bool

  /// A folder.
  ///
  /// - Parameters:
  ///   - path: Where it is.
  ///   - overwrites: Whether a picture replaces an earlier one of its name; else it gets a
  ///     number.
  package init(path: String, overwrites: Bool = false) {
    (self.path, self.overwrites) = (path, overwrites)
  }

  /// Paints the pictures and writes them, `seed0007-red-heart.png`, and `sheet.png`, each atomically.
  ///
  /// The pictures of a sheet are painted after those of the sheet before. In memory are one picture, and
  /// those of a sheet as small as it shows them.
  ///
  /// - Parameters:
  ///   - rows: What to paint.
  ///   - subtitle: The quiet line on the sheet.
  /// - Returns: The names of the sheets.
  /// - Throws: `FileError` if the folder or a file cannot be written; `ImageError` if no font fits or
  ///   there is no memory for a sheet, after all pictures were written; what a row's `paint` throws.
  package func write(_ rows: [Row], subtitle: String) throws -> [String] {
    try makeFolder(path)
    var taken: Set<String> = []
    var failure: (any Error)?
    let parts = Self.parts(of: rows)
    let names = try parts.enumerated().map { number, part in
      let shown = try part.rows.map { row in
        CaptionedSheet.Row(caption: row.caption, samples: try painted(row, part.columns, &taken))
      }
      let isSplit = parts.count > 1
      let sheet = CaptionedSheet(
        title: "nifty",
        subtitle: subtitle + (isSplit ? ", sheet \(number + 1) of \(parts.count)" : ""),
        rows: shown,
        samplesHeading: part.heading
      )
      let stem = isSplit ? "sheet-\(number + 1)-of-\(parts.count)" : "sheet"
      let name = free(stem, &taken)
      // Pictures matter more than sheets of them.
      do { try sheet.rendered().write(png: "\(path)/\(name)") } catch { failure = failure ?? error }
      return name
    }
    if let failure { throw failure }
    return names
  }

  /// Writes some pictures of a row; returns them as a sheet shows them.
  private func painted(
    _ row: Row,
    _ columns: Range<Int>,
    _ taken: inout Set<String>
  ) throws -> [RGBImage] {
    let text = Self.slug(row.caption)
    return try columns.clamped(to: 0..<row.count).map { index in
      let image = try row.paint(index)
      let stem = text.isEmpty ? row.origin(index) : "\(row.origin(index))-\(text)"
      let texts = row.record(index).map { [$0.text] } ?? []
      try image.write(png: "\(path)/\(free(stem, &taken))", texts: texts)
      return CaptionedSheet.tile(image)
    }
  }

  /// The rows in parts that one sheet holds: first by texts, then by pictures of a text.
  private static func parts(
    of rows: [Row]
  ) -> [(heading: String, rows: [Row], columns: Range<Int>)] {
    stride(from: 0, to: rows.count, by: rowsOfSheet).flatMap { start in
      let texts = rows[start..<min(start + rowsOfSheet, rows.count)]
      let widest = texts.map(\.count).max() ?? 0
      // A text without pictures still has its row.
      return stride(from: 0, to: max(widest, 1), by: columnsOfSheet).map { first in
        let end = min(first + columnsOfSheet, widest)
        let heading =
          widest > columnsOfSheet ? "samples \(first + 1) to \(end) of \(widest)" : "samples"
        return (heading, texts.filter { first == 0 || $0.count > first }, first..<end)
      }
    }
  }

  /// A name that nothing in the folder has: with a number where an earlier picture has it.
  private func free(_ stem: String, _ taken: inout Set<String>) -> String {
    var name = stem + ".png"
    var number = 1
    // Two texts may begin alike: of one run no picture replaces another, whatever was asked for.
    while taken.contains(name) || !overwrites && exists("\(path)/\(name)") {
      number += 1
      name = "\(stem)-\(number).png"
    }
    taken.insert(name)
    return name
  }

  /// The beginning of a text as part of a file's name: letters and digits of any script, the rest as
  /// single dashes; at most 40 characters and 120 bytes.
  static func slug(_ text: String) -> String {
    var result = ""
    for character in text.lowercased() {
      if result.count >= 40 || result.utf8.count + character.utf8.count > 120 { break }
      if character.isLetter || character.isNumber {
        result.append(character)
      } else if !result.isEmpty, result.last != "-" {
        result.append("-")
      }
    }
    return result.last == "-" ? String(result.dropLast()) : result
  }

  /// "seed0007".
  package static func origin(seed: UInt64) -> String { "seed" + zeroPadded(seed, to: 4) }
}
