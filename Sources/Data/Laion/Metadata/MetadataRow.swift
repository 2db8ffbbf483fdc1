import Parquet

/// One row of LAION metadata: an image's address, its caption, and the crawl's data about it.
package struct MetadataRow: Equatable, Sendable {
  /// Position in the part, from 0.
  package var row: Int
  /// LAION's identifier; text, because published files store it as integer, float or string.
  package var sampleID: String?
  /// The image's address.
  package var url: String?
  /// The caption as published, before cleaning; lines are separate captions.
  package var text: String?
  /// Pixels per row, as the crawl saw it.
  package var width: Int?
  /// Rows of pixels, as the crawl saw it.
  package var height: Int?
  /// LAION's safety label: "UNLIKELY", "UNSURE", "NSFW".
  package var nsfw: String?
  /// Cosine similarity of the CLIP embeddings of image and caption, in [-1, 1].
  package var similarity: Double?
  /// The licence that the page stated; LAION writes "?" where it stated none.
  package var licence: String?
  /// The caption's language, as "en".
  package var language: String?
  /// The probability of an unsafe image, in [0, 1].
  package var unsafety: Double?
  /// The probability of a watermark, in [0, 1].
  package var watermark: Double?
  /// Whether the caption was not UTF-8 and was read as Windows-1252.
  package var isRecoded = false
  /// The columns to copy to the index, in the order of `keptNames`.
  package var kept: [String?] = []
  /// Whether the file's line was readable.
  package var isReadable = true

  /// A row with some of its fields.
  package init(
    row: Int,
    sampleID: String? = nil,
    url: String? = nil,
    text: String? = nil,
    isReadable: Bool = true
  ) {
    self.row = row
    self.sampleID = sampleID
    self.url = url
    self.text = text
    self.isReadable = isReadable
  }

  /// A row of text fields.
  init(row: Int, _ field: (MetadataField) -> String?) {
    self.init(row: row, sampleID: field(.id), url: field(.url), text: field(.caption))
    width = field(.width).flatMap(Self.whole)
    height = field(.height).flatMap(Self.whole)
    nsfw = field(.nsfw)
    similarity = field(.similarity).flatMap { Double($0) }
    licence = field(.licence)
    language = field(.language)
    unsafety = field(.unsafety).flatMap { Double($0) }
    watermark = field(.watermark).flatMap { Double($0) }
  }

  /// Row `index` of a batch of `MetadataColumns.parquet`.
  init(_ batch: ColumnBatch, _ index: Int) {
    func column(_ field: MetadataField) -> ColumnBatch.Column { batch[field.key] }
    let captions = column(.caption).texts(index) { LegacyText($0) }
    self.init(
      row: batch.firstRow + index,
      sampleID: column(.id).string(index),
      url: column(.url).string(index),
      text: captions?.map(\.string).joined(separator: "\n") ?? column(.caption).string(index)
    )
    isRecoded = captions?.contains(where: \.isRecoded) ?? false
    width = column(.width).int(index)
    height = column(.height).int(index)
    nsfw = column(.nsfw).string(index)
    similarity = column(.similarity).double(index)
    licence = column(.licence).string(index)
    language = column(.language).string(index)
    unsafety = column(.unsafety).double(index)
    watermark = column(.watermark).double(index)
  }

  // Some crawls write sizes as "640.0".
  private static func whole(_ text: String) -> Int? {
    Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
  }
}
