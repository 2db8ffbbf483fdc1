import Text

// Options that say how pairs are stored.
extension LaionOptions {
  static let storageOptions: [any AnyLaionOption] = [to, format, quality, size, nearDuplicates]

  package static let to = LaionOption<PairLayout>("to", "How pairs are laid out.", \.layout)
  package static let format = LaionOption<StoredFormat>(
    "format",
    "Format of images.",
    \.image.format
  )
  package static let quality = LaionOption<Int>(
    "quality",
    "Quality of jpg and webp, 1 to 100.",
    \.image.quality,
    in: .between(1, 100)
  )
  package static let size = LaionOption<Int?>(
    "size",
    "Crop to the middle square and resize to this many pixels; original size if not given.",
    \.image.size,
    in: .between(1, 8192, "pixels")
  )
  package static let nearDuplicates = LaionOption<Int?>(
    "near-duplicates",
    "Drop pictures that look like a stored one: perceptual hashes differ in at most so many of 128 bits.",
    discussion: "0 to 15; all are kept if not given. 6 finds most rescaled or recompressed copies.",
    \.image.nearDuplicateBits,
    in: .between(0, 15, "bits")
  )
}
