import Foundation

/// Files of prompts.
package enum Prompts {
  /// The lines of a UTF-8 file that are not empty.
  package static func lines(of path: String) throws -> [String] {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw SamplingError("cannot read prompts from \(path): no such UTF-8 text file")
    }
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.trimmingCharacters(in: .whitespaces)
    }.filter { !$0.isEmpty }
    if lines.isEmpty { throw SamplingError("\(path) holds no prompt") }
    return lines
  }
}
