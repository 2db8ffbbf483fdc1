/// The cause of a skipped image, or of another remark of a packer.
package enum DropCause: Sendable, Equatable, CustomStringConvertible {
  /// The file could not be read.
  case unreadable
  /// The file is no image that can be decoded; the text is `ImageError.cause`.
  case undecodable(String)
  /// The image is smaller than the minimum.
  case tooSmall
  /// The image has no colours, and grey ones are skipped.
  case grey
  /// The image is not square, or not of the size of the others.
  case mismatched
  /// The image's label is neither a class from 0 on nor a list of finite numbers.
  case unusableLabel
  /// The image has more captions than `Packer.maximumCaptions`, or longer ones.
  case tooManyCaptions
  /// A caption of an unknown image; no image is skipped.
  case strayCaption
  /// A label of an unknown image; no image is skipped.
  case strayLabel
  /// A class that is a word, not a number; the image is packed without it.
  case wordLabel
  /// Files of a kind that may hold captions or labels and is not read; no image is skipped.
  case unreadKind
  /// A `dataset.json` that lists no labels, but something else; no image is skipped.
  case noLabels
  /// A hidden image, or one whose name leads out of its archive.
  case hidden
  /// A link to a folder, which is not followed; it is not known whether images are skipped.
  case linkedFolder
  /// Files of captions that are not asked for, while no others are there; no image is skipped.
  case unreadCaptions
  /// A file of an archive, replaced by a later one of the same name.
  case repeatedName
  /// An archive that lacks its end, so that files may be missing; no image is known to be skipped.
  case missingEnd
  /// Captions that are not UTF-8, with broken bytes replaced by U+FFFD; no image is skipped.
  case repairedCaption
  /// A label of an image that has another one; the last counts.
  case repeatedLabel
  /// An image that EXIF data turns, which is not asked for; it is packed as it is stored.
  case unappliedOrientation
  /// Damaged EXIF data of an image that is to be turned by it; it is packed as it is stored.
  case damagedOrientation

  /// The cause with this description.
  package init(_ description: String) {
    let named: [DropCause] = [
      .unreadable, .tooSmall, .grey, .mismatched, .unusableLabel, .tooManyCaptions, .strayCaption,
      .repairedCaption, .strayLabel, .repeatedName, .missingEnd, .hidden, .linkedFolder,
      .unreadCaptions, .repeatedLabel, .unappliedOrientation, .damagedOrientation, .noLabels,
      .unreadKind, .wordLabel,
    ]
    self = named.first { $0.description == description } ?? .undecodable(description)
  }

  /// Whether the image itself is skipped, rather than a remark made.
  package var leavesOutImage: Bool {
    let others: [DropCause] = [
      .strayCaption, .repairedCaption, .strayLabel, .missingEnd, .linkedFolder,
      .unreadCaptions, .repeatedLabel, .unappliedOrientation, .damagedOrientation, .noLabels,
      .unreadKind, .wordLabel,
    ]
    return !others.contains(self)
  }

  package var description: String {
    switch self {
    case .unreadable: "unreadable file"
    case .undecodable(let cause): cause
    case .tooSmall: "too small"
    case .grey: "grey"
    case .mismatched: "another size"
    case .unusableLabel: "unusable label"
    case .tooManyCaptions: "too many captions"
    case .strayCaption: "caption of an unknown image"
    case .strayLabel: "label of an unknown image"
    case .noLabels: "dataset.json without labels"
    case .wordLabel: "class that is a word, not read"
    case .unreadKind: "kind of file that is not read"
    case .hidden: "hidden file"
    case .unreadCaptions: "captions in .json beside the images, not read without --caption-key"
    case .linkedFolder: "link to a folder, not followed"
    case .repeatedName: "repeated name"
    case .missingEnd: "archive without its end, or with more behind it"
    case .repairedCaption: "caption that is not UTF-8, repaired"
    case .repeatedLabel: "label given twice"
    case .unappliedOrientation: "EXIF orientation, not applied without --orientation exif"
    case .damagedOrientation: "damaged EXIF data, not turned"
    }
  }
}

/// The result of a packer: the number of packed images, and every skipped one.
package struct PackReport: Sendable {
  /// A skipped item, or a remark.
  package struct Dropped: Sendable, Equatable {
    /// Its name in the source.
    package var name: String
    /// The cause.
    package var cause: DropCause
    /// The reason in words.
    package var reason: String

    /// A skipped item and its cause.
    package init(name: String, cause: DropCause, reason: String) {
      (self.name, self.cause, self.reason) = (name, cause, reason)
    }
  }

  /// The manifest of the dataset.
  package var manifest: PackManifest
  /// Skipped items and remarks, in the order of the source.
  package var dropped: [Dropped]
  /// Images packed without a label; labels are kept only when this is 0.
  package var unlabelledCount: Int
  /// Images packed without a caption.
  package var uncaptionedCount: Int
}

extension [PackReport.Dropped] {
  /// The number of items by cause.
  var counts: [String: Int] {
    reduce(into: [:]) { counts, item in counts[item.cause.description, default: 0] += 1 }
  }
}
