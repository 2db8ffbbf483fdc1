import Files

/// COCO 2014 with its captions: `annotations/captions_train2014.json` and `train2014/*.jpg`.
///
/// After Lin and others, "Microsoft COCO: Common Objects in Context", ECCV 2014, and Chen and
/// others, "Microsoft COCO Captions", arXiv 1504.00325.
package enum COCOImport {
  /// Images in the two splits.
  package static let published = ["train": 82_783, "val": 40_504]

  private static let maximumSize = 1 << 31

  /// Opens a split.
  ///
  /// - Parameters:
  ///   - root: The folder with `annotations` and the image folders.
  ///   - split: `train` or `val`.
  /// - Returns: Its images with their captions.
  /// - Throws: `DatasetError` if the captions are missing or cannot be read.
  package static func open(_ root: String, split: String) throws(DatasetError) -> ImportedSet {
    guard let published = published[split] else {
      throw .option("COCO has the splits train and val, not \(split)")
    }
    let path = try ImportedSet.first(
      of: ["annotations/captions_\(split)2014.json", "captions_\(split)2014.json"],
      in: root,
      what: "captions of the split \(split)"
    )
    let images = try ImportedSet.first(
      of: ["\(split)2014", "images/\(split)2014"],
      in: root,
      what: "images of the split \(split)"
    )
    guard let file = try FileBytes.map(path, limit: maximumSize) else { throw .missing(path: path) }
    defer { withExtendedLifetime(file) {} }
    var document = COCOCaptions()
    do throws(JSONScanner.Damage) { try document.read(file.bytes) } catch {
      throw .damaged(path: path, entry: "the list of captions", reason: error.reason)
    }
    return try ImportedSet(
      "COCO 2014 \(split)",
      publishedCount: published,
      document.fileNames.map { id, name in
        .init(
          name: name,
          image: "\(images)/\(name)",
          captions: .lines(document.captions[id] ?? [])
        )
      },
      remarks: document.remarks
    )
  }
}

/// The images and captions of an annotation file.
struct COCOCaptions {
  var fileNames: [Int: String] = [:]
  var captions: [Int: [String]] = [:]
  /// Images with a caption that was not UTF-8, by number.
  private var repaired: [Int] = []

  /// Captions of unknown images, and repaired captions.
  var remarks: [PackReport.Dropped] {
    let stray = captions.filter { fileNames[$0.key] == nil }.sorted { $0.key < $1.key }
    return stray.flatMap { id, captions in
      captions.map { .init(name: "image \(id)", cause: .strayCaption, reason: $0) }
    }
      + repaired.map { id in
        let name = fileNames[id] ?? "image \(id)"
        return .init(name: name, cause: .repairedCaption, reason: "bytes that are not UTF-8")
      }
  }

  mutating func read(_ bytes: UnsafeRawBufferPointer) throws(JSONScanner.Damage) {
    var scanner = JSONScanner(bytes)
    var (fileNames, captions, repaired) = (fileNames, captions, repaired)
    try scanner.object(
      { (scanner, key) throws(JSONScanner.Damage) in
        guard key == "images" || key == "annotations" else { return try scanner.skipValue() }
        try scanner.array(
          { (scanner) throws(JSONScanner.Damage) in
            let record = try Self.record(&scanner)
            if key == "images" {
              guard let id = record.id, let name = record.name, !name.contains("/") else {
                throw scanner.damage("an image without a number or a file name")
              }
              fileNames[id] = name
            } else {
              guard let image = record.image, let caption = record.caption else {
                throw scanner.damage("a caption without a text or an image")
              }
              let text = CaptionText.single(caption)
              if !text.isEmpty { captions[image, default: []].append(text) }
              if record.isRepaired { repaired.append(image) }
            }
          },
          damage: { $0 }
        )
      },
      damage: { $0 }
    )
    try scanner.end()
    (self.fileNames, self.captions, self.repaired) = (fileNames, captions, repaired)
  }

  private struct Record {
    var id: Int?
    var image: Int?
    var name: String?
    var caption: String?
    var isRepaired = false
  }

  private static func record(
    _ scanner: inout JSONScanner
  ) throws(JSONScanner.Damage) -> Record {
    var record = Record()
    try scanner.object(
      { (scanner, key) throws(JSONScanner.Damage) in
        switch key {
        case "id": record.id = Int(exactly: try scanner.double())
        case "image_id": record.image = Int(exactly: try scanner.double())
        case "file_name": record.name = try scanner.string()
        case "caption":
          let before = scanner.repairedCount
          record.caption = try scanner.string()
          record.isRepaired = scanner.repairedCount > before
        default: try scanner.skipValue()
        }
      },
      damage: { $0 }
    )
    return record
  }
}
