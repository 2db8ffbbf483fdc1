import Foundation

/// The links to Google Drive on a web page, with the text around them.
///
/// LAFITE's author moves the files now and then and updates the links on the project's page, so the page is
/// read each time. Markdown, HTML and bare addresses are understood.
package struct SharedLinks {
  /// A file on Drive.
  package struct Link: Equatable {
    /// The link's name; for a bare address, the text before it.
    package let name: String
    /// Its id on Drive.
    package let id: String
    /// The line up to the link, and the heading above.
    fileprivate let context: String
  }

  /// The links in the order of the page.
  package let links: [Link]

  /// Reads a page; other links are skipped.
  package init(_ page: String) {
    var (found, heading): ([Link], String) = ([], "")
    for line in page.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("#") { heading = line.lowercased() }
      var before = line[line.startIndex..<line.startIndex]
      var rest = line
      while let start = rest.range(of: "https://drive.google.com/") {
        let address = rest[start.lowerBound...].prefix { !" \t)]>\"'<".contains($0) }
        before = rest[..<start.lowerBound]
        rest = rest[address.endIndex...]
        guard let id = DriveDownload.id(in: String(address)) else { continue }
        let name = Self.name(before, rest)
        found.append(
          Link(name: name, id: id, context: line[..<start.lowerBound] + name + "\n" + heading)
        )
      }
    }
    links = found
  }

  /// The name in `[name](address)` or `<a href="address">name</a>`, else the text before the address.
  private static func name(_ before: Substring, _ after: Substring) -> String {
    var name = before
    if before.hasSuffix("](") {
      let inside = before.dropLast(2)
      name = inside.lastIndex(of: "[").map { inside[inside.index(after: $0)...] } ?? inside
    } else if before.hasSuffix("href=\"") || before.hasSuffix("href='"),
      let open = after.firstIndex(of: ">")
    {
      let inside = after[after.index(after: open)...]
      // Tags inside the link are no part of its name.
      let pieces = inside[..<(inside.range(of: "</a")?.lowerBound ?? inside.endIndex)]
        .split(separator: "<", omittingEmptySubsequences: false)
      let words = pieces.enumerated().map { number, piece in
        number == 0 ? piece : piece.drop { $0 != ">" }.dropFirst()
      }
      return words.joined().trimmingCharacters(in: .whitespaces)
    }
    return name.trimmingCharacters(in: CharacterSet(charactersIn: " \t*-:|)([]<>#"))
  }

  /// The links to a dataset's zips: its name is in the link or before it, and the link is to no network.
  ///
  /// - Parameters:
  ///   - set: `coco`, `cub` or `celeba`.
  ///   - split: `train`, or `val` or `test`, which count as the same.
  /// - Returns: All matches; one, if the page is unambiguous.
  package func zips(of set: String, split: String) -> [Link] {
    let names = set == "cub" ? ["cub", "bird"] : [set]
    let own = links.filter { link in
      !Self.networkWords.contains { link.name.lowercased().contains($0) } && link.says(names)
    }
    let fitting = own.filter {
      $0.says(split == "train" ? ["train"] : ["val", "test"], inName: true)
    }
    // A link without the name of a split has all splits.
    let whole = own.filter { !$0.says(["train", "val", "test"], inName: true) }
    return fitting.isEmpty && own.count == 1 ? whole : fitting
  }

  private static let networkWords = ["model", "pre-train", "pretrain", "checkpoint", "network"]
}

extension SharedLinks.Link {
  /// Whether one of some words is in the link's context, or in its name alone if asked for.
  fileprivate func says(_ words: [String], inName: Bool = false) -> Bool {
    let text = inName ? name : context
    return words.contains { text.lowercased().contains($0) }
  }
}
