import Archives

/// The labels of a source's images, from its `dataset.json`.
struct LabelList: Sendable {
  private let labels: [FileName: ImageLabel]
  private let repeated: Set<FileName>

  /// No labels.
  init() { (labels, repeated) = ([:], []) }

  /// Reads `{"labels": [["a/1.png", 3], …]}`.
  init(_ json: UnsafeRawBufferPointer) throws(JSONScanner.Damage) {
    let read = try LabelReader.labels(in: json)
    (labels, repeated) = (read.byName, read.repeated)
  }

  /// The label of an image.
  subscript(name: FileName) -> ImageLabel? {
    labels[name]
      ?? (name.bytes.contains(UInt8(ascii: "\\")) ? labels[FileName(listed: name.text)] : nil)
  }

  /// Labels of unknown images, and images with several labels.
  func remarks(beside names: some Sequence<FileName>) -> [PackReport.Dropped] {
    if labels.isEmpty { return [] }
    var known = Set<FileName>()
    for name in names { known.formUnion([name, FileName(listed: name.text)]) }
    let strays = labels.keys.filter { !known.contains($0) }.sorted().map { name in
      let reason = "dataset.json gives it a label, and there is no such image"
      return PackReport.Dropped(name: name.text, cause: .strayLabel, reason: reason)
    }
    let twice = repeated.filter { known.contains($0) }.sorted().map { name in
      let reason = "dataset.json gives it different labels; the last counts"
      return PackReport.Dropped(name: name.text, cause: .repeatedLabel, reason: reason)
    }
    return strays + twice
  }
}
