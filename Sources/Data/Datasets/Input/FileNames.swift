/// What the names of files inside of a source say.
enum FileNames {
  /// Extensions of files that are decoded.
  private static let readable: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif", "webp"]
  /// Extensions of images that are not: a packer lists them as left out instead of overlooking them.
  private static let unreadable: Set<String> = [
    "apng", "avif", "bmp", "dib", "gif", "heic", "jp2", "pbm", "pgm", "pnm", "ppm", "tga", "tif",
    "tiff",
  ]

  /// Whether a name is that of an image.
  static func isImage(_ name: String) -> Bool {
    let suffix = suffix(of: name).lowercased()
    return readable.contains(suffix) || unreadable.contains(suffix)
  }

  /// The name with another extension in the place of its own.
  static func replacingSuffix(of name: String, by suffix: String) -> String {
    name.dropLast(Self.suffix(of: name).count) + suffix
  }

  /// Whether a name or a folder on its way is hidden, or a shadow file of macOS.
  static func isHidden(_ name: String) -> Bool {
    name.hasPrefix(".") || name.contains("/.") || name.hasPrefix("__MACOSX/")
  }

  /// What stands behind the last dot of the last part; empty where there is none.
  static func suffix(of name: String) -> Substring {
    let last = name.lastIndex(of: "/").map { name[name.index(after: $0)...] } ?? name[...]
    guard let dot = last.lastIndex(of: ".") else { return "" }
    return last[last.index(after: dot)...]
  }

  /// The order of Python's `sorted`, in which the original numbers images: by Unicode scalars.
  static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}
