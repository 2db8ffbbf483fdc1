/// A guess at the kind of an unexpected file, for the error message.
package enum FileKind {
  private static let signatures: [(name: String, offset: Int, magic: [UInt8])] = [
    ("a zip archive, as torch.save writes", 0, Array("PK\u{3}\u{4}".utf8)),
    ("a zip archive without entries", 0, Array("PK\u{5}\u{6}".utf8)),
    ("a gzip file", 0, [0x1f, 0x8b]),
    ("PNG", 0, [0x89, 0x50, 0x4e, 0x47]),
    ("JPEG", 0, [0xff, 0xd8, 0xff]),
    ("GIF", 0, Array("GIF8".utf8)),
    ("BMP", 0, Array("BM".utf8)),
    ("TIFF", 0, [0x49, 0x49, 0x2a, 0x00]),
    ("TIFF", 0, [0x4d, 0x4d, 0x00, 0x2a]),
    ("HEIF", 4, Array("ftyphei".utf8)),
    ("HEIF", 4, Array("ftypmif".utf8)),
    ("AVIF", 4, Array("ftypavi".utf8)),
    ("a film, as MP4", 4, Array("ftyp".utf8)),
    ("JPEG XL", 0, [0xff, 0x0a]),
    ("JPEG 2000", 4, Array("jP  ".utf8)),
    ("an icon", 0, [0x00, 0x00, 0x01, 0x00]),
    ("PDF", 0, Array("%PDF".utf8)),
    ("a RAR archive", 0, Array("Rar!".utf8)),
    ("a 7-Zip archive", 0, Array("7z".utf8) + [0xbc, 0xaf]),
    ("an xz file", 0, [0xfd] + Array("7zXZ".utf8)),
    ("a bzip2 file", 0, Array("BZh".utf8)),
    ("a Zstandard file", 0, [0x28, 0xb5, 0x2f, 0xfd]),
    ("Parquet", 0, Array("PAR1".utf8)),
    ("a NumPy array", 0, [0x93] + Array("NUMPY".utf8)),
    ("a tar archive", 257, Array("ustar".utf8)),
    (
      "a pointer of Git LFS; get the file itself by git lfs pull", 0,
      Array("version https://git-lfs".utf8)
    ),
    ("UTF-16 text; save it as UTF-8", 0, [0xff, 0xfe]),
    ("UTF-16 text; save it as UTF-8", 0, [0xfe, 0xff]),
    ("JSON", 0, Array("{".utf8)),
    ("JSON", 0, Array("[".utf8)),
    ("HDF5", 0, [0x89] + Array("HDF\r\n".utf8)),
    ("an SQLite database", 0, Array("SQLite format 3".utf8)),
    ("GGUF", 0, Array("GGUF".utf8)),
    ("an Arrow or Feather file", 0, Array("ARROW1".utf8)),
    ("a program", 0, [0x7F] + Array("ELF".utf8)),
    ("a Python pickle", 0, [0x80, 0x02]),
    ("a Python pickle", 0, [0x80, 0x03]),
    ("a Python pickle", 0, [0x80, 0x04]),
    ("a Python pickle", 0, [0x80, 0x05]),
    ("safetensors", 8, Array("{\"".utf8)),
  ]

  /// The kind by the first bytes, as "an HTML or XML page"; `nil` if unknown.
  package static func guess(_ bytes: UnsafeRawBufferPointer) -> String? {
    if bytes.isEmpty { return "an empty file" }
    for (name, offset, magic) in signatures where bytes.dropFirst(offset).starts(with: magic) {
      return name
    }
    return guessMarkup(bytes) ?? guessONNX(bytes) ?? guessHole(bytes)
  }

  /// A graph of ONNX begins with the version of its format and the name of the program that made it.
  private static func guessONNX(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.count > 16, bytes[0] == 0x08, (1...32).contains(bytes[1]), bytes[2] == 0x12,
      Int(bytes[3]) > 0, bytes[3] < 128, bytes.count > 4 + Int(bytes[3])
    else { return nil }
    let producer = bytes[4..<4 + Int(bytes[3])]
    return producer.allSatisfy { (0x20..<0x7F).contains($0) } ? "a network in ONNX" : nil
  }

  /// The space of a file that was never filled, as a broken download leaves it.
  private static func guessHole(_ bytes: UnsafeRawBufferPointer) -> String? {
    bytes.prefix(4096).allSatisfy { $0 == 0 } ? "nothing but zeros, as of a broken download" : nil
  }

  private static func guessMarkup(_ bytes: UnsafeRawBufferPointer) -> String? {
    let head = String(decoding: bytes.prefix(512), as: UTF8.self).lowercased()
    guard let first = head.first(where: { !$0.isWhitespace && $0 != "\u{feff}" }), first == "<"
    else { return nil }
    return head.contains("<svg") ? "SVG" : "an HTML or XML page"
  }
}
