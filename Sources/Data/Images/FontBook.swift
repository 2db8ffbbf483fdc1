import CImages
import Glibc

/// The strength of letters.
package enum FontWeight: Sendable, Hashable {
  /// For text.
  case regular
  /// For headings; semibold where the font has it.
  case bold
}

/// An opened font file.
final class Font: @unchecked Sendable {
  // Sendable: HarfBuzz's objects are immutable here and only read after init.

  let handle: OpaquePointer
  let unitsPerEm: Double
  /// Whether bold text has to be thickened, because the file has regular letters only.
  let needsThickening: Bool

  init?(path: String, needsThickening: Bool) {
    guard let handle = cimages_font_open(path, 0) else { return nil }
    self.handle = handle
    self.needsThickening = needsThickening
    unitsPerEm = Double(cimages_font_get_metrics(handle).units_per_em)
  }

  deinit { cimages_font_close(handle) }

  func covers(_ scalar: Unicode.Scalar) -> Bool { cimages_font_covers(handle, scalar.value) }
}

/// The installed fonts that text is drawn with, in order of preference.
///
/// Latin comes from Open Sans where it is installed (`fonts-open-sans`, half a megabyte), else from
/// Noto Sans, whose Latin letters are the same design, or DejaVu Sans; Japanese from Noto Sans CJK
/// or VL Gothic (`fonts-vlgothic`); what is left, such as arrows, from whatever font has it.
package struct FontBook: Sendable {
  private let regular: [Font]
  private let bold: [Font]

  /// The fonts of this machine, looked up once.
  private static let installed = FontBook(
    regular: open(latinRegular) + open(japaneseRegular),
    bold: open(latinBold) + open(japaneseBold) + open(japaneseRegular, needsThickening: true)
  )

  /// The fonts of this machine, when together they can draw all of `texts`.
  ///
  /// Only Latin and Japanese are insisted on; other characters without a font become a box.
  ///
  /// - Parameter texts: Whatever is going to be drawn.
  /// - Returns: The fonts.
  /// - Throws: `ImageError.fontMissing` naming the Debian package to install.
  package static func system(drawing texts: [String]) throws(ImageError) -> FontBook {
    let book = installed
    for scalar in Set("Ag0".unicodeScalars).union(texts.flatMap(\.unicodeScalars)) {
      guard let package = packageToInstall(for: scalar) else { continue }
      if !book.regular.contains(where: { $0.covers(scalar) }) {
        throw .fontMissing(character: String(scalar), package: package)
      }
    }
    return book
  }

  /// The first font that has a character; the first of all where none has it.
  func font(for scalar: Unicode.Scalar, _ weight: FontWeight) -> Font? {
    let fonts = weight == .regular ? regular : bold
    return fonts.first { $0.covers(scalar) } ?? fonts.first ?? regular.first
  }

  private static func packageToInstall(for scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0x21...0x7e, 0xa1...0xff: "fonts-open-sans"
    case 0x3001...0x3002, 0x3041...0x3096, 0x30a1...0x30fc, 0x4e00...0x9fa0: "fonts-vlgothic"
    default: nil
    }
  }

  private static func open(_ paths: [String], needsThickening: Bool = false) -> [Font] {
    paths.compactMap { path in
      access(path, R_OK) == 0 ? Font(path: path, needsThickening: needsThickening) : nil
    }
  }

  private static let folder = "/usr/share/fonts/"
  private static let latinRegular = [
    folder + "truetype/open-sans/OpenSans-Regular.ttf",
    folder + "truetype/noto/NotoSans-Regular.ttf",
    folder + "truetype/dejavu/DejaVuSans.ttf",
  ]
  private static let latinBold = [
    folder + "truetype/open-sans/OpenSans-Semibold.ttf",
    folder + "truetype/noto/NotoSans-Bold.ttf",
    folder + "truetype/dejavu/DejaVuSans-Bold.ttf",
  ]
  private static let japaneseRegular = [
    folder + "opentype/noto/NotoSansCJK-Regular.ttc",
    folder + "truetype/vlgothic/VL-PGothic-Regular.ttf",
  ]
  private static let japaneseBold = [folder + "opentype/noto/NotoSansCJK-Bold.ttc"]
}
