import Archives

/// Rules on the file names of a source.
enum FileNames {
  /// Suffixes of images that are decoded.
  private static let readable: Set<String> = [
    "png", "jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp", "webp", "gif", "avif",
  ]
  /// Suffixes of images that are not decoded: a packer lists them as left out instead of ignoring them.
  private static let unreadable: Set<String> = [
    "apng", "arw", "bmp", "cr2", "cur", "dds", "dib", "dng", "emf", "eps", "exr", "fits", "hdr",
    "heic", "heics", "heif", "ico", "icns", "j2c", "j2k", "jng", "jp2", "jpc", "jpf", "jpm", "jpx",
    "jxl", "jxr", "mng", "nef", "orf", "pbm", "pcx", "pgm", "pnm", "ppm", "psd", "qoi", "raf",
    "raw",
    "rw2", "sgi", "svg", "svgz", "tga", "tif", "tiff", "wbmp", "wdp", "wmf", "xbm", "xcf", "xpm",
  ]

  /// Whether a name is that of an image.
  static func isImage(_ name: String) -> Bool {
    isImage(suffix: suffix(of: name).lowercased())
  }

  /// Whether a suffix, in lower case, is that of an image; also one from a URL, as `jpg_large` or `jpg?w=3`.
  static func isImage(suffix: String) -> Bool {
    if readable.contains(suffix) || unreadable.contains(suffix) { return true }
    let word = String(suffix.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) })
    return word.utf8.count < suffix.utf8.count
      && (readable.contains(word) || unreadable.contains(word))
  }

  /// The name with another suffix.
  static func replacingSuffix(of name: String, by suffix: String) -> String {
    name.dropLast(Self.suffix(of: name).count) + suffix
  }

  /// Whether a file or a folder of its path is hidden, or a shadow file of macOS.
  static func isHidden(_ name: String) -> Bool {
    name.hasPrefix(".") || name.contains("/.") || name.hasPrefix("__MACOSX/")
  }

  /// The suffix, without its dot; empty without one.
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

extension FileName {
  /// Whether the name is that of an image.
  var isImage: Bool { FileNames.isImage(suffix: suffix) }
}
