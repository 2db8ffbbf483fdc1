import Archives

/// The labels of a source's images, from its `dataset.json`.
struct LabelList: Sendable {
  private let labels: [FileName: ImageLabel]

  /// No labels.
  init() { labels = [:] }

  /// Reads `{"labels": [["a/1.png", 3], …]}`.
  init(_ json: UnsafeRawBufferPointer) throws(JSONScanner.Damage) {
    labels = try LabelReader.labels(in: json)
  }

  /// The label of an image.
  subscript(name: FileName) -> ImageLabel? {
    labels[name]
      ?? (name.bytes.contains(UInt8(ascii: "\\")) ? labels[FileName(listed: name.text)] : nil)
  }

  /// Labels of unknown images.
  func strays(beside names: some Sequence<FileName>) -> [PackReport.Dropped] {
    if labels.isEmpty { return [] }
    var known = Set<FileName>()
    for name in names { known.formUnion([name, FileName(listed: name.text)]) }
    return labels.keys.filter { !known.contains($0) }.sorted().map { name in
      let reason = "dataset.json gives it a label, and there is no such image"
      return .init(name: name.text, cause: .strayLabel, reason: reason)
    }
  }
}
