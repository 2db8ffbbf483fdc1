import Archives

/// The label of an image: a class, or a vector of conditions.
package enum ImageLabel: Sendable, Equatable {
  /// The number of a class, from 0.
  case index(Int)
  /// Conditions, one number each.
  case vector([Float])

  /// Whether it survives JSON: a class is exact as a number, conditions are finite.
  var isUsable: Bool {
    switch self {
    case .index(let index): (0...1 << 53).contains(index)
    case .vector(let values): !values.isEmpty && values.allSatisfy(\.isFinite)
    }
  }

  /// The label as JSON.
  var json: String {
    switch self {
    case .index(let index): "\(index)"
    case .vector(let values):
      "[" + values.map { String(Double($0)) }.joined(separator: ", ") + "]"
    }
  }
}

/// Reads the labels of a `dataset.json`: `{"labels": [["a/1.png", 3], …]}`.
struct LabelReader {
  /// The maximum number of conditions in a label.
  private static let maximumDimension = 65_536

  /// The labels of a document.
  struct Labels: Sendable {
    /// The labels by name; the last of several for one name, as Python's dictionaries have it.
    var byName: [FileName: ImageLabel] = [:]
    /// The names with several different labels.
    var repeated: Set<FileName> = []
    /// The keys of a document that has no `labels`.
    var otherKeys: [String] = []
  }

  /// The labels; none if `labels` is missing or null.
  static func labels(in json: UnsafeRawBufferPointer) throws(JSONScanner.Damage) -> Labels {
    var labels = Labels()
    var hasLabels = false
    var scanner = JSONScanner(json)
    try scanner.object(
      { (scanner, key) throws(JSONScanner.Damage) in
        if key == "labels" { hasLabels = true } else { labels.otherKeys.append(key) }
        if scanner.null() { return }
        guard key == "labels" else { return try scanner.skipValue() }
        try read(from: &scanner) { listed, label in
          let name = FileName(listed: listed)
          let earlier = labels.byName.updateValue(label, forKey: name)
          if let earlier, earlier != label { labels.repeated.insert(name) }
        }
      },
      damage: { $0 }
    )
    try scanner.end()
    if hasLabels { labels.otherKeys = [] }
    return labels
  }

  /// Reads the list of labels; `body` is called with each name and label.
  static func read(
    from scanner: inout JSONScanner,
    _ body: (String, ImageLabel) -> Void
  ) throws(JSONScanner.Damage) {
    try scanner.array(
      { (scanner) throws(JSONScanner.Damage) in
        let (name, label) = try record(&scanner)
        body(name, label)
      },
      damage: { $0 }
    )
  }

  private static func record(
    _ scanner: inout JSONScanner
  ) throws(JSONScanner.Damage) -> (String, ImageLabel) {
    var name: String?
    var label: ImageLabel?
    try scanner.array(
      { (scanner) throws(JSONScanner.Damage) in
        if name == nil {
          name = try scanner.string()
        } else if label == nil {
          label = try value(&scanner)
        } else {
          throw scanner.damage("a label with more than a name and a value: numbers go into a list")
        }
      },
      damage: { $0 }
    )
    guard let name, let label else { throw scanner.damage("a label without a name or a value") }
    return (name, label)
  }

  /// A whole number, or a list of numbers.
  static func value(_ scanner: inout JSONScanner) throws(JSONScanner.Damage) -> ImageLabel {
    if scanner.next == UInt8(ascii: "[") {
      return .vector(try scanner.numbers(limit: maximumDimension))
    }
    if let next = scanner.next,
      [UInt8(ascii: "\""), UInt8(ascii: "t"), UInt8(ascii: "f")].contains(next)
    {
      throw scanner.damage("a label that is a word: classes are numbered 0, 1, …")
    }
    let number = try scanner.double()
    guard let index = Int(exactly: number), index >= 0 else {
      throw scanner.damage("the label \(number) is no class")
    }
    return .index(index)
  }
}
