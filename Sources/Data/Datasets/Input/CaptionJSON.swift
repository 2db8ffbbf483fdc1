/// Captions in the JSON file beside an image, as in img2dataset and WebDataset.
enum CaptionJSON {
  /// The captions under a key of an object.
  struct Captions: Equatable {
    /// The captions in order; none if the key is missing or null.
    var texts: [String] = []
    /// Whether they were not UTF-8 and were repaired.
    var areRepaired = false
    /// The object's keys.
    var keys: [String] = []
  }

  /// Reads an object.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - key: The key, whose value is a text or a list of texts.
  /// - Returns: The captions.
  /// - Throws: `JSONScanner.Damage` if the file is no object, or the value of another kind.
  static func captions(
    in bytes: [UInt8],
    under key: String
  ) throws(JSONScanner.Damage) -> Captions {
    try bytes.withUnsafeBytes { buffer in
      Result { () throws(JSONScanner.Damage) in try captions(in: buffer, under: key) }
    }.get()
  }

  private static func captions(
    in bytes: UnsafeRawBufferPointer,
    under wanted: String
  ) throws(JSONScanner.Damage) -> Captions {
    var scanner = JSONScanner(bytes)
    var captions = Captions()
    try scanner.object(
      { (scanner, key) throws(JSONScanner.Damage) in
        captions.keys.append(key)
        if key == wanted {
          captions.texts = try texts(&scanner)
        } else {
          try scanner.skipValue()
        }
      },
      damage: { $0 }
    )
    try scanner.end()
    captions.areRepaired = scanner.repairedCount > 0
    return captions
  }

  private static func texts(_ scanner: inout JSONScanner) throws(JSONScanner.Damage) -> [String] {
    if scanner.null() { return [] }
    var texts: [String] = []
    if scanner.peek() == UInt8(ascii: "[") {
      try scanner.array(
        { (scanner) throws(JSONScanner.Damage) in
          if !scanner.null() { texts.append(try scanner.string()) }
        },
        damage: { $0 }
      )
    } else {
      texts = [try scanner.string()]
    }
    return texts.map(CaptionText.single).filter { !$0.isEmpty }
  }

  /// Refuses a key that none of the first samples have.
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - documents: The JSON files of the first samples, read one at a time.
  ///   - path: The source, for the message.
  /// - Throws: `DatasetError.option` naming the existing keys.
  static func expect(
    _ key: String,
    in documents: some Sequence<[UInt8]>,
    of path: String
  ) throws(DatasetError) {
    var (seen, keys): (Bool, [String]) = (false, [])
    for document in documents {
      guard let captions = try? captions(in: document, under: key) else { continue }
      if captions.keys.contains(key) { return }
      seen = true
      for name in captions.keys where !keys.contains(name) && keys.count < 20 { keys.append(name) }
    }
    guard seen else { throw .option("\(path) has no .json with captions beside its images") }
    throw .option(
      "\(path): no image has \(key) in its .json; --caption-key is one of \(keys.joined(separator: ", "))"
    )
  }
}
