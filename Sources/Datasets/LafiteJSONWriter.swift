/// Rows of features without a header, as they lie in a spool.
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
/// `{"labels": null, "clip_img_features": [[name, [F numbers]]…], "clip_txt_features":
/// [[name, [[F numbers]…]]…]}`, about 11 KB per feature of 512 numbers.
struct LafiteJSONWriter {
  /// The entry name of an image.
  let names: (Int) -> String
  let imageFeatures: FeatureRows
  let textFeatures: FeatureRows
  /// Captions of image i are rows `captionIndex[i] ..< captionIndex[i + 1]`.
  let captionIndex: [Int]

  /// Writes the whole document, one image at a time.
  func write(to spool: SpoolFile) throws(DatasetError) {
    let images = 0..<captionIndex.count - 1
    try spool.append(Array(#"{"labels": null, "clip_img_features": ["#.utf8))
    for image in images {
      let vector = Self.array(imageFeatures[image])
      try spool.append(record(image, value: vector))
    }
    try spool.append(Array(#"], "clip_txt_features": ["#.utf8))
    for image in images {
      let rows = captionIndex[image]..<captionIndex[image + 1]
      let vectors = rows.map { Self.array(textFeatures[$0]) }.joined(separator: ", ")
      try spool.append(record(image, value: "[\(vectors)]"))
    }
    try spool.append(Array("]}".utf8))
  }

  private func record(_ image: Int, value: String) -> [UInt8] {
    Array("\(image == 0 ? "" : ", ")[\"\(names(image))\", \(value)]".utf8)
  }

  private static func array(_ vector: [Float]) -> String {
    "[" + vector.map { String(Double($0)) }.joined(separator: ", ") + "]"
  }
}
