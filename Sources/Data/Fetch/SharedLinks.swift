import Foundation

/// The links to Google Drive on a page that somebody keeps for people, with the words they stand by.
///
/// LAFITE's author moves the files now and then and corrects the links on the project's page: the page
/// is asked, nothing is built in. Read as text: Markdown, HTML and bare addresses.
package struct SharedLinks {
  /// A file on Drive.
  package struct Link: Equatable {
    /// What the link is called; for a bare address, what stands before it.
    package let name: String
    /// Its id on Drive.
    package let id: String
    /// Line up to the link, and the heading above where the line does not say it.
    fileprivate let context: String
  }

  /// In the order of the page.
  package let links: [Link]

  /// Reads a page; what is no link to a file is passed over.
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

  /// `[name](address)`, `<a href="address">name</a>`, or what stands before the address.
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

  /// The zips of a dataset: its name is in the link's or before it, and it is no trained network.
  ///
  /// - Parameters:
  ///   - set: `coco`, `cub` or `celeba`.
  ///   - split: `train`, or `val` or `test`, which are taken for each other.
  /// - Returns: All that fit; one, if the page is clear.
  package func zips(of set: String, split: String) -> [Link] {
    let names = set == "cub" ? ["cub", "bird"] : [set]
    let own = links.filter { link in
      !Self.networkWords.contains { link.name.lowercased().contains($0) } && link.says(names)
    }
    let fitting = own.filter {
      $0.says(split == "train" ? ["train"] : ["val", "test"], inName: true)
    }
    // A link that says nothing of parts has all of them.
    let whole = own.filter { !$0.says(["train", "val", "test"], inName: true) }
    return fitting.isEmpty && own.count == 1 ? whole : fitting
  }

  private static let networkWords = ["model", "pre-train", "pretrain", "checkpoint", "network"]
}

extension SharedLinks.Link {
  /// Whether one of some words is in the name, else in the line before it, else in the heading.
  fileprivate func says(_ words: [String], inName: Bool = false) -> Bool {
    let text = inName ? name : context
    return words.contains { text.lowercased().contains($0) }
  }
}
