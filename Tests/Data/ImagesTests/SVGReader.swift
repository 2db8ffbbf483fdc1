import Foundation
import FoundationXML

/// The elements and texts of an SVG document, read by a parser that insists on well-formed XML.
final class SVGReader: NSObject, XMLParserDelegate {
  /// How often each element occurs.
  private(set) var elements: [String: Int] = [:]
  /// The text of each `text` element.
  private(set) var texts: Set<String> = []
  private var text = ""

  init(_ svg: String) throws {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    if !parser.parse() { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
  }

  func parser(
    _ parser: XMLParser,
    didStartElement name: String,
    namespaceURI: String?,
    qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements[name, default: 0] += 1
    text = ""
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func parser(
    _ parser: XMLParser,
    didEndElement name: String,
    namespaceURI: String?,
    qualifiedName: String?
  ) {
    if name == "text" { texts.insert(text) }
  }
}
