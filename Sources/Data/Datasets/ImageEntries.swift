import Archives

/// The entries of a packed dataset's zip that are its images, in the order of their names.
enum ImageEntries: Sendable {
  /// So many first entries: a zip with an index, which nifty packed.
  case first(Int)
  /// The entries whose names are those of images.
  case listed([Int32])

  /// Finds the images; of a zip with an index without a look at all names.
  init(in zip: ZipArchive, manifest: PackManifest?) {
    if zip.isIndexed, let count = manifest?.imageCount, (1..<zip.count).contains(count),
      Self.isImage(count - 1, in: zip), !Self.isImage(count, in: zip)
    {
      self = .first(count)
    } else {
      self = .listed((0..<zip.count).lazy.filter { Self.isImage($0, in: zip) }.map { Int32($0) })
    }
  }

  /// Number of images.
  var count: Int {
    switch self {
    case .first(let count): count
    case .listed(let entries): entries.count
    }
  }

  /// The entry of an image.
  subscript(index: Int) -> Int {
    switch self {
    case .first: index
    case .listed(let entries): Int(entries[index])
    }
  }

  /// The entries of a zip that are no images.
  func others(in zip: ZipArchive) -> [Int] {
    switch self {
    case .first(let count): return Array(count..<zip.count)
    case .listed(let entries):
      let images = Set(entries)
      return (0..<zip.count).filter { !images.contains(Int32($0)) }
    }
  }

  private static func isImage(_ index: Int, in zip: ZipArchive) -> Bool {
    let name = zip.nameBytes(at: index)
    return suffixes.contains { suffix in
      name.count > suffix.count && zip.size(at: index) > 0
        && Swift.zip(name.suffix(suffix.count), suffix).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }
  }

  private static let suffixes = [".png", ".jpg", ".jpeg", ".webp"].map { Array($0.utf8) }
}
