import Foundation

#if canImport(FoundationXML)
import FoundationXML
#endif

/// The names of an emoji in one language.
package struct Annotation: Sendable, Equatable {
  /// The short name, as screen readers say it: "fire engine".
  package var name: String
  /// Further words for it, in the order of the source, without the name.
  package var keywords: [String]

  /// Makes an annotation.
  package init(name: String, keywords: [String]) {
    self.name = name
    self.keywords = keywords
  }
}

/// The names and keywords of emoji in one language, from Unicode's CLDR.
package struct Annotations: Sendable {
  /// Where Debian's package `unicode-cldr-core` puts its files.
  package static let debianFolder = "/usr/share/unicode/cldr/common"
  /// U+FE0F asks for a colourful picture; the same emoji is written with and without it.
  static let emojiSelector: Unicode.Scalar = "\u{FE0F}"

  /// Annotations by emoji, written without U+FE0F.
  package let byEmoji: [String: Annotation]

  /// The names of an emoji; of a sequence that CLDR does not list, its names without skin tones and
  /// direction, with those added as CLDR writes them: "wrestlers: light skin tone, dark skin tone".
  package subscript(emoji: String) -> Annotation? {
    if let known = byEmoji[emoji] { return known }
    var base = String.UnicodeScalarView()
    var additions: [String] = []
    for scalar in emoji.unicodeScalars {
      if Self.skinTones.contains(scalar.value), let tone = byEmoji[String(scalar)] {
        additions.append(tone.name)
      } else {
        base.append(scalar)
      }
    }
    // U+200D U+27A1 turns a person to the right.
    if Array(base.suffix(2)) == ["\u{200D}", "\u{27A1}"], let arrow = byEmoji["\u{27A1}"] {
      base.removeLast(2)
      additions.append(arrow.name)
    }
    guard !additions.isEmpty, let plain = byEmoji[String(base)] else { return nil }
    return Annotation(
      name: plain.name + ": " + additions.joined(separator: ", "),
      keywords: plain.keywords
    )
  }

  static let skinTones: ClosedRange<UInt32> = 0x1F3FB...0x1F3FF

  /// Reads `annotations/LANGUAGE.xml`, and `annotationsDerived/LANGUAGE.xml` with the sequences.
  ///
  /// - Parameters:
  ///   - language: A CLDR language code, such as `en` or `ja`.
  ///   - folder: The folder `common` of CLDR.
  /// - Throws: `DemoError` when a file is missing or broken.
  package init(language: String, folder: String = debianFolder) throws(DemoError) {
    var reader = AnnotationReader()
    for part in ["annotations", "annotationsDerived"] {
      try reader.read("\(folder)/\(part)/\(language).xml")
    }
    byEmoji = reader.annotations
  }

  /// Reads annotations from XML text.
  package init(xml: String) throws(DemoError) {
    var reader = AnnotationReader()
    try reader.read(Data(xml.utf8), path: "annotations")
    byEmoji = reader.annotations
  }

  /// The emoji without U+FE0F.
  package static func normalized(_ emoji: String) -> String {
    String(String.UnicodeScalarView(emoji.unicodeScalars.filter { $0 != emojiSelector }))
  }
}

/// Merges files of annotations.
private struct AnnotationReader {
  private var names: [String: String] = [:]
  private var keywords: [String: [String]] = [:]

  /// Names with their keywords; emoji without a name are left out.
  var annotations: [String: Annotation] {
    var result: [String: Annotation] = [:]
    for (emoji, name) in names {
      let words = (keywords[emoji] ?? []).filter { $0 != name }
      result[emoji] = Annotation(name: name, keywords: words)
    }
    return result
  }

  mutating func read(_ path: String) throws(DemoError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .missing(path: path, package: "unicode-cldr-core")
    }
    try read(data, path: path)
  }

  mutating func read(_ data: Data, path: String) throws(DemoError) {
    let delegate = AnnotationParser()
    let parser = XMLParser(data: data)
    parser.delegate = delegate
    // On Linux `parse()` may answer true in spite of an error; the delegate hears of every one.
    guard parser.parse(), delegate.brokenLine == nil else {
      let line = delegate.brokenLine ?? parser.lineNumber
      throw .annotations(path: path, reason: "line \(line) is no valid XML")
    }
    for (emoji, text, isName) in delegate.found {
      let words = text.split(separator: "|").map {
        $0.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      if isName { names[emoji] = words.first } else { keywords[emoji] = words.filter { $0 != "" } }
    }
  }
}

/// Collects `<annotation cp="🚒" type="tts">fire engine</annotation>`.
private final class AnnotationParser: NSObject, XMLParserDelegate {
  var found: [(emoji: String, text: String, isName: Bool)] = []
  var brokenLine: Int?
  private var current: (emoji: String, text: String, isName: Bool)?

  func parser(
    _ parser: XMLParser,
    didStartElement elementName: String,
    namespaceURI: String?,
    qualifiedName: String?,
    attributes: [String: String]
  ) {
    guard elementName == "annotation", let emoji = attributes["cp"], !emoji.isEmpty else { return }
    current = (Annotations.normalized(emoji), "", attributes["type"] == "tts")
  }

  func parser(_ parser: XMLParser, parseErrorOccurred parseError: any Error) {
    if brokenLine == nil { brokenLine = parser.lineNumber }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    current?.text += string
  }

  func parser(
    _ parser: XMLParser,
    didEndElement elementName: String,
    namespaceURI: String?,
    qualifiedName: String?
  ) {
    guard elementName == "annotation", let element = current else { return }
    if !element.text.allSatisfy(\.isWhitespace) { found.append(element) }
    current = nil
  }
}
