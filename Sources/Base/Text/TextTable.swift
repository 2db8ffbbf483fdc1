extension Text {
  /// Rows of cells as lines with aligned columns, two spaces between them.
  ///
  /// - Parameters:
  ///   - rows: The cells; missing ones at the end of a row are empty.
  ///   - right: The columns whose cells are aligned to the right; all others to the left.
  /// - Returns: A line for each row, without spaces at its end.
  package static func table(
    _ rows: [[String]],
    right: (Int) -> Bool = { _ in false }
  ) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return right(column) ? space + cell : cell + space
      }
      let line = cells.joined(separator: "  ")
      return String(
        line.prefix(upTo: line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)
      )
    }
  }
}
