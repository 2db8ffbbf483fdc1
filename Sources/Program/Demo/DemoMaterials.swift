import BasicAlgorithms
import Parquet
import Text

/// The demonstration's data: images in a folder to be served, and LAION-shaped metadata about them.
///
/// One theme is kept for fine-tuning; everything else is for pre-training, but for what is held out to
/// measure with. The three parts share no image, and the same seed gives the same parts.
package struct DemoMaterials: Sendable {
  /// The images of one stage.
  package enum Part: String, Sendable, CaseIterable {
    /// Everything outside of the theme.
    case pretraining
    /// The theme's images to fine-tune on.
    case training
    /// The images that are held out to measure with.
    case test
  }

  /// How the images are divided.
  package struct Options: Sendable {
    /// What is held out.
    package var heldOut = HeldOut.theme(0.25)
    /// Orders the images.
    package var seed: UInt64 = 0

    /// The defaults.
    package init() {}
  }

  /// What no network of the demonstration sees; shares are between 0 and 1.
  package enum HeldOut: Sendable {
    /// A share of the theme's images.
    case theme(Double)
    /// A share of all subjects, each in all of its styles.
    case subjects(Double)

    var share: Double {
      switch self {
      case .theme(let share), .subjects(let share): share
      }
    }
  }

  /// The folder inside the served folder that the images are in.
  package static let imageFolder = "images"

  private let parts: [Part: [(id: Int, picture: DemoPicture)]]
  private let seed: UInt64

  /// Divides pictures.
  ///
  /// - Throws: `DemoError.tooFew` when a part would be empty.
  package init(
    _ pictures: [DemoPicture],
    options: Options = Options()
  ) throws(DemoError) {
    let share = options.heldOut.share
    precondition(share > 0 && share < 1, "a share of \(share) cannot be held out")
    let seed = options.seed
    // Ordered by a hash and not shuffled: an added image does not move the others between the parts.
    let ordered = pictures.enumerated()
      .map { (id: $0.offset, picture: $0.element, rank: Self.rank($0.element.name, seed)) }
      .sorted { ($0.rank, $0.id) < ($1.rank, $1.id) }
      .map { (id: $0.id, picture: $0.picture) }
    let theme = ordered.filter(\.picture.isOfTheme)
    let rest = ordered.filter { !$0.picture.isOfTheme }
    let divided: [Part: [(id: Int, picture: DemoPicture)]]
    switch options.heldOut {
    case .theme(let share):
      let testCount = Int((Double(theme.count) * share).rounded())
      divided = [
        .pretraining: rest, .training: Array(theme[testCount...]),
        .test: Array(theme[..<testCount]),
      ]
    case .subjects(let share):
      func isHeldOut(_ row: (id: Int, picture: DemoPicture)) -> Bool {
        Double(Self.rank(row.picture.subject, ~options.seed) >> 11) < share * 0x1p53
      }
      divided = [
        .pretraining: rest.filter { !isHeldOut($0) }, .training: theme.filter { !isHeldOut($0) },
        .test: ordered.filter(isHeldOut),
      ]
    }
    let counts = Part.allCases.map { divided[$0]?.count ?? 0 }
    guard counts.allSatisfy({ $0 >= 1 }), counts[0] >= 2 else {
      throw .tooFew(
        reason: "\(pictures.count) images, \(theme.count) of them of the theme, "
          + "are too few to divide"
      )
    }
    parts = divided
    self.seed = seed
  }

  /// The images of a part, in their order.
  package func pictures(_ part: Part) -> [DemoPicture] { (parts[part] ?? []).map(\.picture) }

  /// Writes every image as an RGB PNG file of its own size, on white, to `folder/images/NAME.png`.
  package func writeImages(to folder: String) throws(DemoError) {
    try DemoImages.makeFolder(folder)
    let all = Part.allCases.flatMap { pictures($0) }
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
    _ rows: ArraySlice<(id: Int, picture: DemoPicture)>,
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
    for (id, picture) in rows {
      let size = picture.size
      try writer.append([
        .int64(Int64(id)), .string("\(baseURL)/\(Self.imageFolder)/\(picture.name).png"),
        .string(picture.captions.joined(separator: "\n")),
        size.map { .int64(Int64($0.height)) } ?? .null,
        size.map { .int64(Int64($0.width)) } ?? .null,
        .string(picture.license), .string("UNLIKELY"), .null,
      ])
    }
    try writer.finish()
  }

  /// `part-00000-…-c000.snappy.parquet`, as Spark names its files.
  private func fileName(_ part: Part, _ index: Int) -> String {
    func hexadecimal(_ value: UInt64, _ digits: Int) -> String {
      String(zeroPadded(value, to: digits, radix: 16).suffix(digits))
    }
    let high = Self.rank(part.rawValue, seed)
    let low = Self.rank(part.rawValue, ~seed)
    let id = [
      hexadecimal(high >> 32, 8), hexadecimal(high >> 16, 4), hexadecimal(high, 4),
      hexadecimal(low >> 48, 4), hexadecimal(low, 12),
    ]
    return "part-\(zeroPadded(index, to: 5))-\(id.joined(separator: "-"))-c000.snappy.parquet"
  }

  /// FNV-1a of the seed and the name, spread by the finaliser of SplitMix64.
  private static func rank(_ name: String, _ seed: UInt64) -> UInt64 {
    let bytes = withUnsafeBytes(of: seed.littleEndian, Array.init) + Array(name.utf8)
    return SplitMix64.finalised(FNV.hash(bytes))
  }
}
