import Parquet

/// One row of LAION metadata: an image's address, its caption, and what the crawl knew about it.
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

  /// A row with some of its fields.
  package init(
    row: Int,
    sampleID: String? = nil,
    url: String? = nil,
    text: String? = nil,
    width: Int? = nil,
    height: Int? = nil,
    nsfw: String? = nil,
    similarity: Double? = nil
  ) {
    self.row = row
    self.sampleID = sampleID
    self.url = url
    self.text = text
    self.width = width
    self.height = height
    self.nsfw = nsfw
    self.similarity = similarity
  }

  /// Row `index` of a batch of `MetadataRow.columns`.
  init(_ batch: ColumnBatch, _ index: Int) {
    self.init(
      row: batch.firstRow + index,
      sampleID: batch["SAMPLE_ID"].string(index),
      url: batch["URL"].string(index),
      text: batch["TEXT"].string(index),
      width: batch["WIDTH"].int(index),
      height: batch["HEIGHT"].int(index),
      nsfw: batch["NSFW"].string(index),
      similarity: batch["similarity"].double(index)
    )
  }

  /// The columns as LAION-400M names them, and as its successors do.
  static let columns = [
    ParquetColumn("SAMPLE_ID", alternatives: ["hash", "key", "id", "uid"]),
    ParquetColumn("URL", alternatives: ["image_url", "img_url"]),
    ParquetColumn("TEXT", alternatives: ["caption", "alt_text", "top_caption"]),
    ParquetColumn("WIDTH", alternatives: ["original_width"]),
    ParquetColumn("HEIGHT", alternatives: ["original_height"]),
    ParquetColumn("NSFW", alternatives: ["punsafe_label"]),
    ParquetColumn(
      "similarity",
      alternatives: ["clip_similarity_vitb32", "clip_b32_similarity_score"]
    ),
  ]
}
