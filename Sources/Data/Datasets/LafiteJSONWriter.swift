import Archives
import Files

/// Rows of features in a spool, without a header.
struct FeatureRows {
  private let data: MappedBytes
  private let columns: Int
  private let element: NpyElement

  init(_ data: MappedBytes, columns: Int, element: NpyElement) {
    self.data = data
    self.columns = columns
    self.element = element
  }

  /// The numbers of one row, as stored.
  subscript(row: Int) -> [Float] {
    let start = row * columns * element.size
    return data.withBytes { bytes in
      (0..<columns).map { column in
        switch element {
        case .float16:
          Float(Float16(bitPattern: bytes.littleEndian(UInt16.self, at: start + 2 * column)))
        default: Float(bitPattern: bytes.littleEndian(UInt32.self, at: start + 4 * column))
        }
      }
    }
  }
}

/// Writes the `dataset.json` that the original LAFITE reads.
///
/// `{"labels": [[name, label]…] or null, "clip_img_features": [[name, [F numbers]]…],
/// "clip_txt_features": [[name, [[F numbers]…]]…]}`, about 11 KB per feature of 512 numbers.
struct LafiteJSONWriter {
  /// The entry name of an image.
  let names: (Int) -> String
  let imageCount: Int
  /// One JSON value a line; `nil` unless every image has a label.
  let labels: MappedBytes?
  /// `nil` in a set without features.
  let imageFeatures: FeatureRows?
  let textFeatures: FeatureRows?
  /// The end of each image's captions among the rows of `textFeatures`, int64.
  let captionEnds: MappedBytes

  /// Writes the whole document, one image at a time.
  func write(to spool: SpoolFile) throws(FileError) {
    try spool.append(Array(#"{"labels": "#.utf8))
    if let labels {
      let lines = TextLines(labels)
      try write("[", "]", to: spool) { lines[$0] }
    } else {
      try spool.append(Array("null".utf8))
    }
    if let imageFeatures {
      try write(#", "clip_img_features": ["#, "]", to: spool) { Self.array(imageFeatures[$0]) }
    }
    if let textFeatures {
      try write(#", "clip_txt_features": ["#, "]", to: spool) { image in
        let rows = (image == 0 ? 0 : captionEnd(image - 1))..<captionEnd(image)
        return "[" + rows.map { Self.array(textFeatures[$0]) }.joined(separator: ", ") + "]"
      }
    }
    try spool.append(Array("}".utf8))
  }

  /// Writes a list of pairs of name and value.
  private func write(
    _ opening: String,
    _ closing: String,
    to spool: SpoolFile,
    value: (Int) -> String
  ) throws(FileError) {
    try spool.append(Array(opening.utf8))
    for image in 0..<imageCount {
      let comma = image == 0 ? "" : ", "
      try spool.append(Array("\(comma)[\"\(names(image))\", \(value(image))]".utf8))
    }
    try spool.append(Array(closing.utf8))
  }

  private func captionEnd(_ image: Int) -> Int {
    captionEnds.withBytes { Int($0.littleEndian(UInt64.self, at: 8 * image)) }
  }

  private static func array(_ vector: [Float]) -> String {
    "[" + vector.map { String(Double($0)) }.joined(separator: ", ") + "]"
  }
}
