import Files
import Foundation

/// The stamps of Tux Paint, which Debian's `tuxpaint-stamps-default` brings: photos and drawings of
/// things, each with what it shows in many languages.
struct StampCollection {
  /// Where Debian's package puts them.
  static let debianFolder = "/usr/share/tuxpaint/stamps"

  /// The pictures, in the order of their paths.
  private(set) var pictures: [DemoPicture] = []
  /// Stamps without a picture or without words in both languages.
  private(set) var unnamed = 0

  /// Reads a folder and those inside it: `NAME.txt` says what `NAME.svg`, or else `NAME.png`, shows.
  ///
  /// - Throws: `DemoError` when a folder or file cannot be read.
  init(folder: String = debianFolder) throws(DemoError) {
    let files = try filesBelow(folder)
    let present = Set(files)
    for file in files where file.hasSuffix(".txt") {
      let path = String(file.dropLast(4))
      let words = String(decoding: try DemoPicture.bytes("\(folder)/\(file)"), as: UTF8.self)
      guard let content = Self.content(of: path, in: folder, present: present),
        let captions = Self.captions(words, path: path)
      else {
        unnamed += 1
        continue
      }
      pictures.append(
        DemoPicture(
          name: "stamp-" + path.replacing("/", with: "-").replacing(".", with: "-dot-"),
          captions: captions,
          subject: captions[0],
          isOfTheme: ["animals", "food", "plants"].contains(path.split(separator: "/").first),
          license: "GPL-2.0-or-later",
          content: content
        )
      )
    }
  }

  private static func content(
    of path: String,
    in folder: String,
    present: Set<String>
  ) -> DemoPicture.Content? {
    if present.contains(path + ".svg") { return .trimmedSVG("\(folder)/\(path).svg") }
    return present.contains(path + ".png") ? .trimmedPNG("\(folder)/\(path).png") : nil
  }

  /// Captions, best first: the English name, the Japanese one, and the English one with the stamp's folders.
  ///
  /// - Parameters:
  ///   - text: The English sentence, "A red fox.", and then a line for each other language, `ja.utf8=キツネ`.
  ///   - path: The stamp's path, whose folders are subjects: `animals/mammals/fox`.
  /// - Returns: `nil` where a language is missing.
  static func captions(_ text: String, path: String) -> [String]? {
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    guard let first = lines.first, !first.contains("utf8="),
      let line = lines.first(where: { $0.hasPrefix("ja.utf8=") })
    else { return nil }
    let english = name(first)
    let japanese = line.dropFirst("ja.utf8=".count).trimmingCharacters(in: .whitespaces)
    guard english.contains(where: \.isLetter), !japanese.isEmpty else { return nil }
    let folders = path.split(separator: "/").dropLast().map { $0.replacing("_", with: " ") }
    let subjects = folders.filter { $0 != english }.reversed()
    return [english, japanese]
      + (subjects.isEmpty ? [] : [([Substring(english)] + subjects).joined(separator: ", ")])
  }

  /// "red fox" of "A red fox.": without the article and the full stop, so that other sources' words agree.
  private static func name(_ sentence: String) -> String {
    var name = Substring(sentence.trimmingCharacters(in: .whitespaces))
    while let last = name.last, ".!".contains(last) { name.removeLast() }
    for article in ["A ", "An ", "The ", "Some "] where name.hasPrefix(article) {
      return String(name.dropFirst(article.count))
    }
    let second = name.dropFirst().first
    let isProper = second.map { $0.isUppercase || !$0.isLetter } ?? true
    return isProper ? String(name) : name.prefix(1).lowercased() + name.dropFirst()
  }
}
