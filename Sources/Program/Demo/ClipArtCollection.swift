import Files
import Images

/// The drawings of the Open Clip Art Library, which Debian's `openclipart-svg` brings.
struct ClipArtCollection {
  /// Where Debian's package puts them.
  static let debianFolder = "/usr/share/openclipart/svg"
  /// Folders of icons and of hundreds of variants of one shape.
  static let leftOutFolders = [
    "computer/icons", "shapes/stars", "shapes/jigsaw", "special/gradients", "unsorted/duplicates",
  ]
  /// A title on more files than this is the name of a set.
  static let mostFilesOfATitle = 4

  /// The pictures, in the order of their paths.
  private(set) var pictures: [DemoPicture] = []
  /// Files in `leftOutFolders`.
  private(set) var icons = 0
  /// Files that say nothing about what they show.
  private(set) var unnamed = 0

  /// Reads a folder and those inside it.
  ///
  /// - Throws: `DemoError` when a folder or file cannot be read.
  init(folder: String = debianFolder) throws(DemoError) {
    var found: [(path: String, metadata: ClipArtMetadata)] = []
    for path in try filesBelow(folder) where path.hasSuffix(".svg") {
      if Self.leftOutFolders.contains(where: { path.hasPrefix($0 + "/") }) {
        icons += 1
        continue
      }
      found.append((path, ClipArtMetadata(svg: try DemoPicture.bytes("\(folder)/\(path)"))))
    }
    let titles = Dictionary(found.map { ($0.metadata.title, 1) }, uniquingKeysWith: +)
    for (path, metadata) in found {
      let isOwnTitle = (titles[metadata.title] ?? 0) <= Self.mostFilesOfATitle
      let captions = metadata.captions(path: path, isOwnTitle: isOwnTitle)
      guard let subject = captions.first else {
        unnamed += 1
        continue
      }
      pictures.append(
        DemoPicture(
          name: Self.name(of: path),
          captions: captions,
          subject: subject,
          isOfTheme: ["animals", "food", "plants"].contains(path.split(separator: "/").first),
          license: "CC0-1.0",
          content: .trimmedSVG("\(folder)/\(path)")
        )
      )
    }
  }

  /// The name of a picture, of which no two files share one: without dots, as web servers refuse a path
  /// with two of them in a row.
  static func name(of path: String) -> String {
    "clipart-" + path.dropLast(4).replacing("/", with: "-").replacing(".", with: "-dot-")
  }
}
