import Archives

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

  /// In the order of their names.
  let samples: [Sample]
  /// Files with a repeated name: the last one counts.
  let repeated: [PackReport.Dropped]

  /// Sorts files into images, captions and classes.
  ///
  /// - Parameters:
  ///   - files: In the order in which the source has them.
  ///   - captionSuffix: The suffix of the files of captions, in lower case.
  init(_ files: some Sequence<(FileName, Source)>, captionSuffix: String = "txt") {
    var images: [FileName: Source] = [:]
    var texts: [FileName: (name: FileName, source: Source)] = [:]
    var labels: [FileName: Source] = [:]
    var repeated: [PackReport.Dropped] = []
    for (name, source) in files where !name.isHidden {
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
      case "cls": isRepeated = labels.updateValue(source, forKey: name.stem) != nil
      default: isRepeated = name.isImage && images.updateValue(source, forKey: name) != nil
      }
      if isRepeated {
        let reason = "a later file of the same name counts"
        repeated.append(.init(name: name.text, cause: .repeatedName, reason: reason))
      }
    }
    self.repeated = repeated
    samples = images.sorted { $0.key < $1.key }.map { name, source in
      Sample(name: name, image: source, text: texts[name.stem]?.source, label: labels[name.stem])
    }
  }
}
