/// Why an image was left out of a dataset.
package enum DropCause: Sendable, Equatable, CustomStringConvertible {
  /// The file could not be read.
  case unreadable
  /// The file is no image that can be decoded; the text is `ImageError.cause`.
  case undecodable(String)
  /// The image is smaller than the least size asked for.
  case tooSmall
  /// The image has no colours, and only coloured ones were asked for.
  case grey
  /// The image is not square, or not of the size of the others.
  case mismatched

  /// The cause with this description.
  init(_ description: String) {
    let named: [DropCause] = [.unreadable, .tooSmall, .grey, .mismatched]
    self = named.first { $0.description == description } ?? .undecodable(description)
  }

  package var description: String {
    switch self {
    case .unreadable: "unreadable file"
    case .undecodable(let cause): cause
    case .tooSmall: "too small"
    case .grey: "grey"
    case .mismatched: "another size"
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
  /// Images packed without a label; labels are kept only when this is 0.
  package var unlabelledCount: Int
}

extension [PackReport.Dropped] {
  /// How many were left out by each cause.
  var counts: [String: Int] {
    reduce(into: [:]) { counts, item in counts[item.cause.description, default: 0] += 1 }
  }
}
