package import Foundation
import Text

/// A page that Google Drive sends instead of a file, parsed for the next step.
///
/// For a large file Drive warns that it is not scanned for viruses, on a page whose form leads to the file;
/// older pages have a link with a `confirm` token instead. Other pages say that a file was fetched too
/// often, or is not shared. Pages change now and then: the title of an unknown one is quoted.
package enum DrivePage: Equatable {
  /// The file's address.
  case download(URL)
  /// The file was fetched too often; a later retry may succeed.
  case quotaExceeded
  /// The file is not public, or takes a login.
  case denied
  /// An unknown page, with its title.
  case unknown(String)

  /// Reads a page.
  ///
  /// - Parameters:
  ///   - html: The page.
  ///   - address: Its address, the base of relative ones.
  package init(_ html: String, at address: URL) {
    let tags = Self.tags(of: html)
    if let url = Self.form(tags, address) ?? Self.link(tags, address) {
      self = .download(url)
    } else if Self.quotaWords.contains(where: {
      html.range(of: $0, options: .caseInsensitive) != nil
    }) {
      self = .quotaExceeded
    } else if address.host() == "accounts.google.com"
      || Self.accessWords.contains(where: { html.range(of: $0, options: .caseInsensitive) != nil })
    {
      self = .denied
    } else {
      self = .unknown(Self.title(html))
    }
  }

  private static let quotaWords = [
    "quota exceeded", "too many users have viewed or downloaded", "download quota for this file",
  ]
  private static let accessWords = [
    "you need access", "need permission", "accounts.google.com/ServiceLogin",
    "accounts.google.com/v3/signin",
  ]

  private struct Tag {
    var name: String
    var attributes: [String: String]
  }

  /// The target of the form with the hidden token.
  private static func form(_ tags: [Tag], _ address: URL) -> URL? {
    guard
      let start = tags.firstIndex(where: { tag in
        tag.name == "form"
          && (tag.attributes["id"]?.contains("download") == true
            || tag.attributes["action"]?.contains("/download") == true)
      })
    else { return nil }
    let end = tags[start...].firstIndex { $0.name == "/form" } ?? tags.endIndex
    let fields = tags[start..<end].compactMap { tag -> URLQueryItem? in
      guard tag.name == "input", tag.attributes["type"] == "hidden",
        let name = tag.attributes["name"]
      else { return nil }
      return URLQueryItem(name: name, value: tag.attributes["value"] ?? "")
    }
    guard let action = URL(string: tags[start].attributes["action"] ?? "", relativeTo: address),
      var parts = URLComponents(url: action, resolvingAgainstBaseURL: true)
    else { return nil }
    let own = (parts.queryItems ?? []).filter { item in !fields.contains { $0.name == item.name } }
    parts.queryItems = own + fields
    return parts.url?.absoluteURL
  }

  /// The address of an older page's link: `/uc?export=download&confirm=…&id=…`.
  private static func link(_ tags: [Tag], _ address: URL) -> URL? {
    let links = tags.filter { $0.name == "a" }.compactMap { $0.attributes["href"] }
    return links.first { $0.contains("export=download") && $0.contains("confirm=") }
      .flatMap { URL(string: $0, relativeTo: address)?.absoluteURL }
  }

  private static func title(_ html: String) -> String {
    guard let start = html.range(of: "<title>", options: .caseInsensitive),
      let end = html.range(
        of: "</title>",
        options: .caseInsensitive,
        range: start.upperBound..<html.endIndex
      )
    else { return "a page without a title" }
    let words = html[start.upperBound..<end.lowerBound].split(whereSeparator: \.isWhitespace)
    return "the page “\(HTMLEntities.resolved(words.joined(separator: " ")).prefix(80))”"
  }

  /// The tags of a page in order, comments and text left out.
  private static func tags(of html: String) -> [Tag] {
    var tags: [Tag] = []
    for piece in html.split(separator: "<", omittingEmptySubsequences: true) {
      let content = piece.prefix { $0 != ">" }
      guard let name = content.split(whereSeparator: \.isWhitespace).first else { continue }
      tags.append(
        Tag(name: name.lowercased(), attributes: attributes(content.dropFirst(name.count)))
      )
    }
    return tags
  }

  /// `name="value"`, `name='value'` and `name=value`.
  private static func attributes(_ text: Substring) -> [String: String] {
    var found: [String: String] = [:]
    var rest = text
    while let equals = rest.firstIndex(of: "=") {
      let name = rest[..<equals].split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
      rest = rest[rest.index(after: equals)...].drop(while: \.isWhitespace)
      let value: Substring
      if let quote = rest.first, quote == "\"" || quote == "'" {
        value = rest.dropFirst().prefix { $0 != quote }
        rest = rest.dropFirst(value.count + 2)
      } else {
        value = rest.prefix { !$0.isWhitespace && $0 != "/" }
        rest = rest.dropFirst(value.count)
      }
      found[name.lowercased()] = HTMLEntities.resolved(String(value))
    }
    return found
  }
}
