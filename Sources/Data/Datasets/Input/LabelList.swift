import Archives
import Files

/// The labels of a source's images, from its `dataset.json`.
struct LabelList: Sendable {
  private let labels: [FileName: ImageLabel]
  private let repeated: Set<FileName>
  /// The keys of a document that has no labels.
  private let otherKeys: [String]

  /// No labels.
  init() { (labels, repeated, otherKeys) = ([:], [], []) }

  /// Reads `{"labels": [["a/1.png", 3], …]}`, as people write it by hand.
  ///
  /// - Throws: `DatasetError` with what is wrong, and how it is written.
  init(_ json: UnsafeRawBufferPointer, of path: String) throws(DatasetError) {
    do throws(JSONScanner.Damage) {
      let read = try LabelReader.labels(in: json)
      (labels, repeated, otherKeys) = (read.byName, read.repeated, read.otherKeys)
    } catch {
      let kind = FileKind.guess(json).flatMap { $0 == "JSON" ? nil : "it looks like \($0)" }
      throw .option(
        "\(path): the list of labels is damaged: \(kind ?? error.reason); "
          + #"write {"labels": [["a/1.png", 3], ["a/2.png", [0, 1.5]]]}, classes from 0 on or lists of numbers"#
      )
    }
  }

  /// The label of an image.
  subscript(name: FileName) -> ImageLabel? {
    labels[name]
      ?? (name.bytes.contains(UInt8(ascii: "\\")) ? labels[FileName(listed: name.text)] : nil)
  }

  /// Labels of unknown images, and images with several labels.
  func remarks(beside names: some Sequence<FileName>) -> [PackReport.Dropped] {
    if !otherKeys.isEmpty {
      let keys = otherKeys.prefix(5).joined(separator: ", ")
      let reason = "it has no labels, only \(keys); labels are a list of [name, class] under labels"
      return [PackReport.Dropped(name: "dataset.json", cause: .noLabels, reason: reason)]
    }
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
