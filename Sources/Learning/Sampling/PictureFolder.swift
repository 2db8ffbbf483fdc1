import Files
package import Images
import Text

/// A folder of generated pictures, each named by its seed and its text, with sheets of all of them.
package struct PictureFolder {
  /// What was painted after one text.
  package struct Row {
    /// The text, or whatever else the pictures were painted after.
    package let caption: String
    /// What each picture was painted from, as "seed0007": the beginning of its file's name.
    package let origins: [String]
    /// The pictures.
    package let images: [RGBImage]
    /// What each picture's file says about how it was painted; empty for nothing.
    package let records: [PaintingRecord]

    /// A row; there is an origin for each picture, and a record for each or none.
    package init(
      caption: String,
      origins: [String],
      images: [RGBImage],
      records: [PaintingRecord] = []
    ) {
      precondition(
        origins.count == images.count && (records.isEmpty || records.count == images.count),
        "\(origins.count) origins, \(images.count) images, \(records.count) records"
      )
      (self.caption, self.origins, self.images, self.records) = (caption, origins, images, records)
    }
  }

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

  /// Writes the pictures, `seed0007-red-heart.png`, and `sheet.png`, each atomically.
  ///
  /// - Parameters:
  ///   - rows: What was painted.
  ///   - subtitle: The quiet line on the sheet.
  /// - Returns: The names of the sheets.
  /// - Throws: `FileError` if the folder or a file cannot be written, `ImageError` if no font fits.
  package func write(_ rows: [Row], subtitle: String) throws -> [String] {
    try makeFolder(path)
    var taken: Set<String> = []
    for row in rows {
      let text = Self.slug(row.caption)
      for (index, image) in row.images.enumerated() {
        let stem = text.isEmpty ? row.origins[index] : "\(row.origins[index])-\(text)"
        let texts = row.records.isEmpty ? [] : [row.records[index].text]
        try image.write(png: "\(path)/\(free(stem, &taken))", texts: texts)
      }
    }
    let parts = Self.parts(of: rows)
    return try parts.enumerated().map { number, part in
      let isSplit = parts.count > 1
      let sheet = CaptionedSheet(
        title: "nifty",
        subtitle: subtitle + (isSplit ? ", sheet \(number + 1) of \(parts.count)" : ""),
        rows: part.rows,
        samplesHeading: part.heading
      )
      let stem = isSplit ? "sheet-\(number + 1)-of-\(parts.count)" : "sheet"
      let name = free(stem, &taken)
      try sheet.rendered().write(png: "\(path)/\(name)")
      return name
    }
  }

  /// The rows in parts that one sheet holds: first by texts, then by pictures of a text.
  private static func parts(
    of rows: [Row]
  ) -> [(heading: String, rows: [CaptionedSheet.Row])] {
    stride(from: 0, to: rows.count, by: rowsOfSheet).flatMap { start in
      let texts = rows[start..<min(start + rowsOfSheet, rows.count)]
      let widest = texts.map(\.images.count).max() ?? 0
      // A text without pictures still has its row.
      return stride(from: 0, to: max(widest, 1), by: columnsOfSheet).map { first in
        let end = min(first + columnsOfSheet, widest)
        let heading =
          widest > columnsOfSheet ? "samples \(first + 1) to \(end) of \(widest)" : "samples"
        let shown = texts.filter { first == 0 || $0.images.count > first }.map {
          CaptionedSheet.Row(
            caption: $0.caption,
            samples: Array($0.images.dropFirst(first).prefix(columnsOfSheet))
          )
        }
        return (heading, shown)
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
