import Images
import Parquet

/// The demonstration's data: images in a folder to be served, and LAION-shaped metadata about them.
///
/// One theme is kept for fine-tuning and split into training and test images; everything else is for
/// pre-training. The three parts share no image, and the same seed gives the same parts.
package struct DemoMaterials: Sendable {
  /// The images of one stage.
  package enum Part: String, Sendable, CaseIterable {
    /// Everything outside of the theme.
    case pretraining
    /// The theme's images to fine-tune on.
    case training
    /// The theme's images that are held out to measure with.
    case test
  }

  /// How the images are divided.
  package struct Options: Sendable {
    /// The groups of emoji that make up the theme.
    package var themeGroups: Set<String> = [
      EmojiGroups.animalsAndNature, EmojiGroups.foodAndDrink,
    ]
    /// The share of the theme that is held out, between 0 and 1.
    package var testFraction = 0.25
    /// Orders the images.
    package var seed: UInt64 = 0

    /// The defaults.
    package init() {}
  }

  /// The folder inside the served folder that the images are in.
  package static let imageFolder = "images"

  private let parts: [Part: [(id: Int, emoji: Emoji)]]
  private let seed: UInt64

  /// Divides a collection.
  ///
  /// - Throws: `DemoError.tooFew` when a part would be empty.
  package init(
    _ collection: EmojiCollection,
    options: Options = Options()
  ) throws(DemoError) {
    precondition(
      options.testFraction > 0 && options.testFraction < 1,
      "testFraction is \(options.testFraction), not between 0 and 1"
    )
    let seed = options.seed
    // Ordered by a hash and not shuffled: an added image does not move the others between the parts.
    let ordered = collection.emoji.enumerated()
      .map { (id: $0.offset, emoji: $0.element, rank: Self.rank($0.element.name, seed)) }
      .sorted { ($0.rank, $0.id) < ($1.rank, $1.id) }
      .map { (id: $0.id, emoji: $0.emoji) }
    let theme = ordered.filter { options.themeGroups.contains($0.emoji.group ?? "") }
    let rest = ordered.filter { !options.themeGroups.contains($0.emoji.group ?? "") }
    let testCount = Int((Double(theme.count) * options.testFraction).rounded())
    guard testCount >= 1, testCount < theme.count, rest.count >= 2 else {
      throw .tooFew(
        reason: "\(collection.emoji.count) images, \(theme.count) of them of the theme, "
          + "are too few to divide"
      )
    }
    parts = [
      .pretraining: rest, .training: Array(theme[testCount...]), .test: Array(theme[..<testCount]),
    ]
    self.seed = seed
  }

  /// The images of a part, in their order.
  package func emoji(_ part: Part) -> [Emoji] { (parts[part] ?? []).map(\.emoji) }

  /// Writes every image as an RGB PNG file of its own size, on white, to `folder/images/NAME.png`.
  package func writeImages(to folder: String) throws(DemoError) {
    try DemoImages.makeFolder(folder)
    let all = Part.allCases.flatMap { emoji($0) }
    try DemoImages.write(all, to: folder + "/" + Self.imageFolder)
  }

  /// Writes the metadata of every part into a folder of its own, `folder/PART/part-….parquet`.
  ///
  /// Pre-training is written as two files, as LAION comes in many. The columns are those of LAION-400M;
  /// the captions are lines of TEXT; the similarity is null because nobody has measured it.
  ///
  /// - Parameters:
  ///   - folder: Where the folders of the parts are made.
  ///   - baseURL: Where the folder of the images is served, without a slash at the end.
  /// - Returns: The folder of each part.
  /// - Throws: `DemoError` when a file cannot be written.
  @discardableResult
  package func writeMetadata(
    to folder: String,
    baseURL: String
  ) throws(DemoError) -> [Part: String] {
    var folders: [Part: String] = [:]
    for part in Part.allCases {
      let target = folder + "/" + part.rawValue
      try DemoImages.makeFolder(target)
      let rows = parts[part] ?? []
      let middle = part == .pretraining ? (rows.count + 1) / 2 : rows.count
      for (index, rows) in [rows[..<middle], rows[middle...]].enumerated() where !rows.isEmpty {
        let path = "\(target)/\(fileName(part, index))"
        do throws(ParquetError) {
          try write(rows, to: path, baseURL)
        } catch {
          throw .parquet(error)
        }
      }
      folders[part] = target
    }
    return folders
  }

  private func write(
    _ rows: ArraySlice<(id: Int, emoji: Emoji)>,
    to path: String,
    _ baseURL: String
  ) throws(ParquetError) {
    let writer = try ParquetWriter(
      path: path,
      columns: [
        ("SAMPLE_ID", .int64), ("URL", .string), ("TEXT", .string), ("HEIGHT", .int64),
        ("WIDTH", .int64), ("LICENSE", .string), ("NSFW", .string), ("similarity", .double),
      ]
    )
    for (id, emoji) in rows {
      let header = try? ImageHeader.probe(emoji.png)
      try writer.append([
        .int64(Int64(id)), .string("\(baseURL)/\(Self.imageFolder)/\(emoji.name).png"),
        .string(emoji.captions.joined(separator: "\n")),
        header.map { .int64(Int64($0.height)) } ?? .null,
        header.map { .int64(Int64($0.width)) } ?? .null,
        .string("OFL-1.1"), .string("UNLIKELY"), .null,
      ])
    }
    try writer.finish()
  }

  /// `part-00000-…-c000.snappy.parquet`, as Spark names its files.
  private func fileName(_ part: Part, _ index: Int) -> String {
    func hexadecimal(_ value: UInt64, _ digits: Int) -> String {
      let text = String(value, radix: 16)
      return String((String(repeating: "0", count: digits) + text).suffix(digits))
    }
    let high = Self.rank(part.rawValue, seed)
    let low = Self.rank(part.rawValue, ~seed)
    let id = [
      hexadecimal(high >> 32, 8), hexadecimal(high >> 16, 4), hexadecimal(high, 4),
      hexadecimal(low >> 48, 4), hexadecimal(low, 12),
    ]
    let number = String(("0000" + String(index)).suffix(5))
    return "part-\(number)-\(id.joined(separator: "-"))-c000.snappy.parquet"
  }

  /// FNV-1a of the seed and the name, stirred by the finisher of SplitMix64.
  private static func rank(_ name: String, _ seed: UInt64) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in withUnsafeBytes(of: seed.littleEndian, Array.init) + Array(name.utf8) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}
