import Text

// The options of stored pairs.
extension LaionOptions {
  static let storageOptions: [any AnyLaionOption] = [
    to, pairsPerShard, format, quality, size, resize, nearDuplicates,
  ]

  package static let to = LaionOption<PairLayout>("to", "How pairs are laid out.", \.layout)
  package static let pairsPerShard = LaionOption<Int>(
    "pairs-per-shard",
    "Pairs in a full tar of --to webdataset.",
    \.pairsPerShard,
    in: .between(1, 1e9)
  )
  package static let format = LaionOption<StoredFormat>(
    "format",
    "Format of images; original keeps the bytes that came, if they can be decoded.",
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
    "Pixels of the stored images' side, see --resize; original size if not given.",
    \.image.size,
    in: .between(1, 8192, "pixels")
  )
  package static let resize = LaionOption<ResizeMode>(
    "resize",
    "How images get their --size: center-crop, keep-ratio, border or only-if-bigger.",
    discussion: "keep-ratio and only-if-bigger resize the shorter side; border adds white bars.",
    read: { $0.image.resize ?? .centerCrop },
    write: { $0.image.resize = $1 == .centerCrop ? nil : $1 }
  )
  package static let nearDuplicates = LaionOption<Int?>(
    "near-duplicates",
    "Drop pictures that look like a stored one: perceptual hashes differ in at most so many of 128 bits.",
    discussion: "0 to 15; all are kept if not given. 6 finds most rescaled or recompressed copies.",
    \.image.nearDuplicateBits,
    in: .between(0, 15, "bits")
  )
}
