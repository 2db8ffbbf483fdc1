import Text

/// Class labels as networks take them: a class as ones and zeros, conditions as they are.
extension TrainingSet {
  /// The most classes of a set, or conditions of an image.
  private static let mostClasses = 65_536

  /// The numbers of a label: one more than the largest class of all raw images, or the conditions of each.
  ///
  /// - Throws: `DatasetError` if images have no labels, or labels of several kinds or widths.
  package func labelDimension() throws(DatasetError) -> Int {
    if let dataset = datasets.first(where: { !$0.hasLabels }) {
      throw .option(
        "\(dataset.path) has no class labels; pack its source with labels in dataset.json"
      )
    }
    var largest = 0
    var first: (kind: String, image: String)?
    for dataset in datasets {
      for index in 0..<dataset.count {
        guard let label = try dataset.label(at: index) else { continue }
        let kind =
          switch label {
          case .index: "a class"
          case .vector(let values): "a list of \(Text.count(values.count, "number"))"
          }
        let image = "\(dataset.path): \(dataset.name(at: index))"
        guard first.map({ $0.kind == kind }) ?? true else {
          throw .option(
            "\(image) has \(kind) as its label, \(first?.image ?? "") \(first?.kind ?? ""); give all images "
              + "classes, or lists of one length"
          )
        }
        first = first ?? (kind, image)
        let dimension = label.width
        guard dimension <= Self.mostClasses else {
          throw .option(
            "\(image) has the class \(dimension - 1); 0 to \(Self.mostClasses - 1) is allowed"
          )
        }
        largest = max(largest, dimension)
      }
    }
    return largest
  }

  /// Checks that a network with classes can take the labels.
  ///
  /// - Parameter dimension: The numbers of a label that the network takes.
  /// - Throws: `DatasetError` if there are none, or others.
  package func expectLabels(dimension: Int) throws(DatasetError) {
    let found = try labelDimension()
    let isVector = try datasets[0].label(at: 0)?.isVector ?? false
    guard isVector ? found == dimension : found <= dimension else {
      let (has, takes) =
        isVector
        ? ("labels of \(Text.count(found, "number"))", "\(dimension)")
        : ("classes up to \(found - 1)", "0 to \(dimension - 1)")
      throw .option("\(datasets[0].path) has \(has), the network takes \(takes)")
    }
  }

  /// The label of an index.
  ///
  /// - Parameters:
  ///   - index: The index.
  ///   - dimension: The numbers of a label, at least those of `labelDimension`.
  /// - Returns: `dimension` numbers.
  /// - Throws: `DatasetError` for a label that is damaged, missing or of another width.
  package func label(at index: Int, dimension: Int) throws(DatasetError) -> [Float] {
    let (dataset, entry) = location(ofRaw: rawIndex(at: index))
    let label = try dataset.label(at: entry)
    switch label {
    case .index(let number)? where number < dimension:
      var row = [Float](repeating: 0, count: dimension)
      row[number] = 1
      return row
    case .vector(let values)? where values.count == dimension: return values
    default:
      throw .option(
        "\(dataset.path): \(dataset.name(at: entry)) has "
          + (label.map { "the label \($0.json)" } ?? "no label")
          + ", the network takes labels of \(Text.count(dimension, "number"))"
      )
    }
  }

  /// The indices of a sample grid with a row a label, in the order of the labels.
  ///
  /// A row takes its label's images in the order of `gridIndices`, repeated as needed. Of more labels than rows,
  /// those at equal distances are taken.
  ///
  /// - Parameters:
  ///   - rows: The most rows.
  ///   - columns: The images of a row.
  /// - Returns: The indices, row after row.
  /// - Throws: `DatasetError` for a label that is damaged.
  package func labelledGridIndices(
    rows: Int,
    columns: Int
  ) throws(DatasetError) -> [Int] {
    var groups: [[Float]: [Int]] = [:]
    for index in gridIndices(count) {
      let (dataset, entry) = location(ofRaw: rawIndex(at: index))
      guard let label = try dataset.label(at: entry) else { continue }
      groups[label.sortKey, default: []].append(index)
    }
    let keys = groups.keys.sorted { $0.lexicographicallyPrecedes($1) }
    let chosen = (0..<min(rows, keys.count)).map { keys[$0 * keys.count / min(rows, keys.count)] }
    return chosen.flatMap { key in
      let indices = groups[key] ?? []
      return (0..<columns).map { indices[$0 % indices.count] }
    }
  }
}

extension ImageLabel {
  /// Whether it is a list of conditions.
  fileprivate var isVector: Bool {
    if case .vector = self { true } else { false }
  }

  /// The numbers that a network needs for it.
  fileprivate var width: Int {
    switch self {
    case .index(let index): index + 1
    case .vector(let values): values.count
    }
  }

  /// Numbers that order labels of one kind.
  fileprivate var sortKey: [Float] {
    switch self {
    case .index(let index): [Float(index)]
    case .vector(let values): values
    }
  }
}
