import Archives

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
    var last = 0
    for row in 0...count {
      let position = index.integer(row: row)
      guard position >= last, position <= texts.rows, row > 0 || position == 0 else {
        throw damaged(Self.indexName, "position \(position) at row \(row)")
      }
      last = position
    }
    guard last == texts.rows else {
      throw damaged(Self.indexName, "it ends at \(last) of \(texts.rows) captions")
    }
    self.texts = (texts, index)
  }

  /// The rows of `texts` that belong to an image.
  func textRows(of image: Int) -> Range<Int> {
    guard let index = texts?.index else { return 0..<0 }
    return index.integer(row: image)..<index.integer(row: image + 1)
  }

  private static func open(_ name: String, in zip: ZipArchive) throws(DatasetError) -> NpyArray? {
    guard let entry = zip.index(of: name) else { return nil }
    return try archives { () throws(ArchiveError) in
      try NpyArray(zip.bytes(at: entry, verifying: false), path: zip.path, entry: name)
    }
  }
}
