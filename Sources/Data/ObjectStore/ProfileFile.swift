import Files
import Foundation

/// A file of profiles, as `~/.aws/config` and `~/.aws/credentials`: sections with settings.
///
/// AWS SDKs and Tools Reference Guide, “Shared config and credentials files”.
struct ProfileFile {
  /// The settings of each section by name; those nested below another are `s3.endpoint_url`.
  private(set) var sections: [String: [String: String]] = [:]

  private static let maximumBytes = 1 << 20

  /// Reads a file; one that is not there has no sections.
  ///
  /// - Throws: `StoreError` naming file and line, never what stands there.
  init(_ path: String) throws(StoreError) {
    var text = ""
    do throws(FileError) {
      let file = try MappedFile(path)
      let bytes = file.bytes.prefix(Self.maximumBytes + 1)
      guard bytes.count <= Self.maximumBytes else {
        throw FileError("read", path: path, reason: "it is larger than 1 MiB")
      }
      guard let whole = String(validating: bytes, as: UTF8.self) else {
        throw FileError("read", path: path, reason: "it is not UTF-8")
      }
      text = whole
      withExtendedLifetime(file) {}
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return }
      throw StoreError(error)
    }
    if let line = parse(text) {
      throw StoreError(
        .settings,
        "line \(line) of \(path) is neither [a section] nor name = value"
      )
    }
  }

  /// Reads a text.
  init?(text: String) {
    if parse(text) != nil { return nil }
  }

  /// Adds the sections of a text; returns the number of a line that cannot be read, if there is one.
  private mutating func parse(_ text: String) -> Int? {
    var section: String?
    // The setting above, to which deeper lines belong.
    var above: (name: String, indent: Int)?
    let lines = text.replacing("\u{FEFF}", with: "").split(
      omittingEmptySubsequences: false,
      whereSeparator: \.isNewline
    )
    for (number, line) in lines.enumerated() {
      let content = line.trimmingCharacters(in: .whitespaces)
      if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
      if content.hasPrefix("[") {
        guard let end = content.firstIndex(of: "]") else { return number + 1 }
        let name = content[content.index(after: content.startIndex)..<end]
        let words = name.split(whereSeparator: \.isWhitespace).map(String.init)
        section = words.joined(separator: " ").trimmingCharacters(in: ["\"", "'"])
        sections[section ?? "", default: [:]].merge([:]) { $1 }
        above = nil
        continue
      }
      let indent = line.prefix { $0 == " " || $0 == "\t" }.count
      guard let section else { return number + 1 }
      let nested = above.flatMap { indent > $0.indent ? $0 : nil }
      guard let sign = content.firstIndex(of: "=") else {
        // A value that goes on in the next line is none of ours.
        if nested != nil { continue }
        return number + 1
      }
      let key = content[..<sign].trimmingCharacters(in: .whitespaces).lowercased()
      let value = Self.withoutRemark(content[content.index(after: sign)...])
      if key.isEmpty { return number + 1 }
      if let nested {
        sections[section]?["\(nested.name).\(key)"] = value
      } else {
        sections[section]?[key] = value
        above = (key, indent)
      }
    }
    return nil
  }

  /// A value without the remark behind a blank and `#` or `;`.
  private static func withoutRemark(_ text: Substring) -> String {
    var end = text.endIndex
    for sign in [" #", " ;", "\t#", "\t;"] {
      if let range = text.range(of: sign) { end = min(end, range.lowerBound) }
    }
    return text[..<end].trimmingCharacters(in: .whitespaces)
  }
}
