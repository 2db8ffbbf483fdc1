import Foundation

#if canImport(FoundationXML)
import FoundationXML
#endif

/// What an SVG file of the Open Clip Art Library says about itself, in RDF with Dublin Core's terms.
struct ClipArtMetadata {
  /// The title of the picture, or of the set that it belongs to; may be empty.
  private(set) var title = ""
  /// Keywords, in order.
  private(set) var keywords: [String] = []

  /// Words that say how the file was made or filed, not what is on it.
  static let fillers: Set<String> = [
    "hash", "clip art", "clipart", "svg", "icon", "icons", "theme", "color", "bw", "externalsource",
    "unsorted", "unknown", "image", "sets", "set", "mapsym", "application", "action",
    "united_nations_member",
  ]

  /// Reads the metadata of a file; what is damaged has none.
  init(svg: [UInt8]) {
    // Metadata come first in most files and are small; the drawing behind them is not parsed.
    let text = String(decoding: svg, as: UTF8.self)
    guard let start = text.range(of: "<metadata"),
      let end = text.range(of: "</metadata>", range: start.upperBound..<text.endIndex)
    else { return }
    let reader = Reader()
    let names = ["rdf", "dc", "cc"].map { " xmlns:\($0)=\"\($0)\"" }.joined()
    let parser = XMLParser(
      data: Data("<m\(names)>\(text[start.lowerBound..<end.upperBound])</m>".utf8)
    )
    parser.delegate = reader
    _ = parser.parse()
    title = reader.title
    keywords = reader.keywords.map(Self.cleaned).filter(Self.isWord)
  }

  /// Makes metadata of their parts.
  init(title: String, keywords: [String]) {
    self.title = title
    self.keywords = keywords
  }

  /// Captions, best first: the title, or the file's name where the title is a set's, then with keywords
  /// and folders; keywords and folders alone where neither names anything.
  ///
  /// - Parameters:
  ///   - path: The file's path in the library, whose folders are subjects and whose name may tell more
  ///     than a set's title.
  ///   - isOwnTitle: Whether the title is this picture's and not that of a set.
  /// - Returns: None where nothing names the picture.
  func captions(path: String, isOwnTitle: Bool) -> [String] {
    let folders = path.split(separator: "/").dropLast().map { Self.cleaned(String($0)) }
      .filter(Self.isWord)
    var words: [String] = []
    for word in keywords + folders.reversed() where !words.contains(word) { words.append(word) }
    let name = isOwnTitle ? Self.name(title: title, path: path) : Self.fileName(path)
    if Self.isWord(name) {
      let rest = words.filter { $0 != name }.prefix(6)
      return [name] + (rest.isEmpty ? [] : [([name] + rest).joined(separator: ", ")])
    }
    return words.isEmpty ? [] : [words.prefix(6).joined(separator: ", ")]
  }

  /// The thing that a title names, as "tree" of "tree - RPG map elements".
  ///
  /// Titles that begin with "Clipart by" were
  /// copied from one file to others, whose own names are right.
  private static func name(title: String, path: String) -> String {
    if title.hasPrefix("Clipart by") { return fileName(path) }
    return cleaned(title.split(separator: " - ").first.map(String.init) ?? title)
  }

  /// What a file name says: "puffin" of "puffin-md.svg"; nothing where it counts variants, as
  /// "aiga_exit4" and "card_3_7" do.
  private static func fileName(_ path: String) -> String {
    let name = cleaned(String(path.split(separator: "/").last?.dropLast(4) ?? ""))
    let words = name.split(separator: " ").filter { !leftOutOfNames.contains(String($0)) }
    return words.contains { $0.contains(where: \.isNumber) } ? "" : words.joined(separator: " ")
  }

  /// Sizes, and authors and sets whose names begin or end those of their files.
  private static let leftOutOfNames: Set<String> = [
    "md", "st", "bw", "aiga", "ganson", "aj", "inc", "x", "h", "c", "s", "d",
  ]

  /// Lower case, one space between words, no numbers that only count files, no "(Orange)".
  static func cleaned(_ text: String) -> String {
    var words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "'") }.map(
      String.init
    )
    while let last = words.last, last.allSatisfy(\.isNumber) { words.removeLast() }
    return words.joined(separator: " ")
  }

  private static func isWord(_ word: String) -> Bool {
    word.count >= 2 && word.contains(where: \.isLetter) && !fillers.contains(word)
      && !word.hasPrefix("hash 0x") && !word.hasPrefix("0x")
  }

  /// Collects the first title and the items of the subject's list.
  private final class Reader: NSObject, XMLParserDelegate {
    var title = ""
    var keywords: [String] = []
    private var hasTitle = false
    private var inSubject = false
    private var text = ""

    func parser(
      _ parser: XMLParser,
      didStartElement name: String,
      namespaceURI: String?,
      qualifiedName: String?,
      attributes: [String: String]
    ) {
      text = ""
      if name.hasSuffix("subject") { inSubject = true }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(
      _ parser: XMLParser,
      didEndElement name: String,
      namespaceURI: String?,
      qualifiedName: String?
    ) {
      let words = text.trimmingCharacters(in: .whitespacesAndNewlines)
      // The title of the work comes before those of its author and publisher.
      if name.hasSuffix("title"), !hasTitle, !words.isEmpty { (title, hasTitle) = (words, true) }
      if name.hasSuffix(":li") || name == "li", inSubject, !words.isEmpty { keywords.append(words) }
      if name.hasSuffix("subject") { inSubject = false }
      text = ""
    }
  }
}
