import Archives
import Text

/// The images among the files of a folder or archive, each with the files of the same stem.
struct SampleListing<Source: Sendable>: Sendable {
  /// An image and the files beside it.
  struct Sample: Sendable {
    let name: FileName
    let image: Source
    /// The file of its captions, whatever the case of its suffix.
    let text: Source?
    /// The file of its class.
    let label: Source?
  }

  /// So many of the first .json are compared with the images' names.
  private static var sampleCount: Int { 16 }

  /// In the order of their names.
  let samples: [Sample]
  /// Files with a repeated name, of which the last one counts, and hidden images.
  let remarks: [PackReport.Dropped]
  /// What there is beside images, as "12 files, of .npy 10, .json 2".
  let rest: String

  /// Sorts files into images, captions and classes.
  ///
  /// - Parameters:
  ///   - files: In the order in which the source has them.
  ///   - captionSuffix: The suffix of the files of captions, in lower case.
  ///   - readsClasses: Whether the source reads `.cls`.
  ///   - isOurs: Whether nifty packed the source, whose own files are read elsewhere.
  init(
    _ files: some Sequence<(FileName, Source)>,
    captionSuffix: String = "txt",
    readsClasses: Bool = false,
    isOurs: Bool = false
  ) {
    var images: [FileName: Source] = [:]
    var texts: [FileName: (name: FileName, source: Source)] = [:]
    var labels: [FileName: Source] = [:]
    var remarks: [PackReport.Dropped] = []
    var others: [String: Int] = [:]
    var unreadCaptions: [FileName] = []
    for (name, source) in files {
      guard !name.isHidden else {
        if name.isImage, name.isHiddenItself {
          let reason = "its name begins with a dot, or leads out of where it is"
          remarks.append(.init(name: name.text, cause: .hidden, reason: reason))
        }
        continue
      }
      var isRepeated = false
      switch name.suffix {
      case captionSuffix:
        // `a.txt` is preferred to `a.TXT`.
        let other = texts[name.stem]
        if let other, other.name != name,
          other.name.bytes.suffix(captionSuffix.utf8.count).elementsEqual(captionSuffix.utf8)
        {
          continue
        }
        texts[name.stem] = (name, source)
        isRepeated = other?.name == name
      case "cls" where readsClasses:
        isRepeated = labels.updateValue(source, forKey: name.stem) != nil
      default:
        if !name.isImage { others[name.suffix, default: 0] += 1 }
        if name.suffix == "json", unreadCaptions.count < Self.sampleCount {
          unreadCaptions.append(name.stem)
        }
        isRepeated = name.isImage && images.updateValue(source, forKey: name) != nil
      }
      if isRepeated {
        let reason = "a later file of the same name counts"
        remarks.append(.init(name: name.text, cause: .repeatedName, reason: reason))
      }
    }
    let stems = Set(unreadCaptions)
    if texts.isEmpty, let stem = images.keys.lazy.map(\.stem).filter(stems.contains).min() {
      let reason = "it lies beside an image, and no .txt does: --caption-key takes captions from it"
      remarks.append(.init(name: stem.text + "json", cause: .unreadCaptions, reason: reason))
    }
    if !isOurs {
      let known = Set(images.keys.lazy.map(\.stem))
      let strays =
        captionSuffix == "txt" ? texts.filter { !known.contains($0.key) }.values.map(\.name) : []
      remarks += strays.sorted().map { name in
        let reason = "no image has this name"
        return .init(name: name.text, cause: .strayCaption, reason: reason)
      }
      remarks += others.filter { !Self.expected.contains($0.key) && !$0.key.isEmpty }
        .sorted { $0.key < $1.key }.map { suffix, count in
          .init(name: "*.\(suffix)", cause: .unreadKind, reason: Text.count(count, "file"))
        }
    }
    self.remarks = remarks
    others[captionSuffix] = texts.isEmpty ? nil : texts.count
    rest = Self.summary(others)
    samples = images.sorted { $0.key < $1.key }.map { name, source in
      Sample(name: name, image: source, text: texts[name.stem]?.source, label: labels[name.stem])
    }
  }

  /// Suffixes of files that lie beside images and are known to hold something else.
  private static var expected: Set<String> { ["json", "txt", "parquet", "log", "md", "html"] }

  /// The most frequent suffixes.
  private static func summary(_ counts: [String: Int]) -> String {
    let whole = counts.reduce(0) { $0 + $1.value }
    if whole == 0 { return "" }
    let kinds = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map {
      "\($0.key.isEmpty ? "no suffix" : ".\($0.key.prefix(12))") \($0.value)"
    }
    return "\(Text.count(whole, "other file")), of \(kinds.joined(separator: ", "))"
  }
}
