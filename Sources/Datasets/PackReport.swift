/// Why an image was left out of a dataset.
package enum DropCause: Sendable, Equatable, CustomStringConvertible {
  /// The file could not be read.
  case unreadable
  /// The file is no image that can be decoded; the text is `ImageError.cause`.
  case undecodable(String)
  /// The image is smaller than the least size asked for.
  case tooSmall

  package var description: String {
    switch self {
    case .unreadable: "unreadable file"
    case .undecodable(let cause): cause
    case .tooSmall: "too small"
    }
  }
}

/// What a packer did: how many images it packed and every one that it left out.
package struct PackReport: Sendable {
  /// An image left out.
  package struct Dropped: Sendable, Equatable {
    /// Its name in the source.
    package var name: String
    /// Why, as a class.
    package var cause: DropCause
    /// Why, in words.
    package var reason: String
  }

  /// The manifest of the dataset.
  package var manifest: PackManifest
  /// Images left out, in the order of the source.
  package var dropped: [Dropped]
}

extension [PackReport.Dropped] {
  /// How many were left out by each cause.
  var counts: [String: Int] {
    reduce(into: [:]) { counts, item in counts[item.cause.description, default: 0] += 1 }
  }
}
