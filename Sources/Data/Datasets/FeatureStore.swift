import Archives
import Files

/// The CLIP features of an archive: the three `.npy` entries, checked against one another.
struct FeatureStore: Sendable {
  /// One feature per image [N, F].
  let images: NpyArray
  /// One feature per caption [M, F], and the start of each image's captions [N + 1]; `nil` without captions.
  let texts: (features: NpyArray, index: NpyArray)?
  /// One feature per mirrored image [N, F]; `nil` in a set without them.
  let flipped: NpyArray?

  /// The entry of image features, present in every set packed by nifty.
  static let imagesName = "clip_img_features.npy"
  /// The entry of the features of mirrored images.
  static let flippedName = "clip_img_features_flipped.npy"
  /// The entry of caption features.
  static let textsName = "clip_txt_features.npy"
  /// The entry of the index from images to captions.
  static let indexName = "clip_txt_index.npy"

  /// Opens the features of `count` images; checksums of these large entries are left to `verify`.
  init(_ zip: ZipArchive, count: Int) throws(DatasetError) {
    guard let images = try Self.open(Self.imagesName, in: zip) else {
      throw .noFeatures(path: zip.path)
    }
    func damaged(_ entry: String, _ reason: String) -> DatasetError {
      .damaged(path: zip.path, entry: entry, reason: reason)
    }
    guard images.element != .int64, images.columns >= 1, images.rows == count else {
      throw damaged(
        Self.imagesName,
        "\(images.rows) features of \(images.columns) \(images.element) for \(count) images"
      )
    }
    self.images = images
    flipped = try Self.open(Self.flippedName, in: zip)
    if let flipped,
      (flipped.rows, flipped.columns) != (count, images.columns)
        || flipped.element == .int64
    {
      throw damaged(
        Self.flippedName,
        "\(flipped.rows) features of \(flipped.columns) \(flipped.element) for \(count) images"
      )
    }
    guard let texts = try Self.open(Self.textsName, in: zip) else {
      self.texts = nil
      return
    }
    guard let index = try Self.open(Self.indexName, in: zip) else {
      throw damaged(Self.textsName, "\(Self.indexName) is missing")
    }
    guard texts.element != .int64, texts.columns == images.columns else {
      throw damaged(
        Self.textsName,
        "features of \(texts.columns) \(texts.element), images have \(images.columns)"
      )
    }
    guard index.element == .int64, index.columns == 1, index.rows == count + 1 else {
      throw damaged(Self.indexName, "\(index.rows) positions for \(count) images")
    }
    self.texts = (texts, index)
    // A hundred million positions take a second: those of a zip with an index are checked when they are used.
    if !zip.isIndexed, let row = (0..<count).first(where: { wrongPosition(of: $0) != nil }) {
      throw damaged(Self.indexName, "position \(wrongPosition(of: row) ?? 0) at row \(row)")
    }
    guard index.integer(row: 0) == 0 else {
      throw damaged(Self.indexName, "it begins at \(index.integer(row: 0))")
    }
    guard index.integer(row: count) == texts.rows else {
      throw damaged(
        Self.indexName,
        "it ends at \(index.integer(row: count)) of \(texts.rows) captions"
      )
    }
  }

  /// The rows of `texts` that belong to an image; none where the positions are damaged.
  func textRows(of image: Int) -> Range<Int> {
    guard let index = texts?.index, wrongPosition(of: image) == nil else { return 0..<0 }
    return index.integer(row: image)..<index.integer(row: image + 1)
  }

  /// The position of an image's captions that is out of order or range; `nil` if both are right.
  func wrongPosition(of image: Int) -> Int? {
    guard let texts else { return nil }
    let first = texts.index.integer(row: image)
    let end = texts.index.integer(row: image + 1)
    if !(0...texts.features.rows).contains(first) { return first }
    return (first...texts.features.rows).contains(end) ? nil : end
  }

  /// Number of images without a caption.
  var withoutText: Int {
    guard let index = texts?.index else { return images.rows }
    var (found, last) = (0, Int64(-1))
    index.forEachRows(1 << 16) { rows, bytes in
      for row in 0..<rows.count {
        let end = Int64(bitPattern: bytes.littleEndian(UInt64.self, at: 8 * row))
        if end == last { found += 1 }
        last = end
      }
    }
    return found
  }

  private static func open(_ name: String, in zip: ZipArchive) throws(DatasetError) -> NpyArray? {
    guard let entry = zip.index(of: name) else { return nil }
    return try archives { () throws(ArchiveError) in
      try NpyArray(zip.bytes(at: entry, verifying: false), path: zip.path, entry: name)
    }
  }
}
