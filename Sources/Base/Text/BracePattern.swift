import Foundation

/// Expands `split{0..9}.zip` and `{a,b}.zip` as a shell would, for patterns that reach us quoted.
package func expandedBraces(_ pattern: String) -> [String] {
  guard let open = pattern.firstIndex(of: "{"),
    let close = pattern[open...].firstIndex(of: "}")
  else { return [pattern] }
  let inside = String(pattern[pattern.index(after: open)..<close])
  let choices: [String]
  if let range = inside.range(of: ".."), let first = Int(inside[..<range.lowerBound]),
    let last = Int(inside[range.upperBound...]), abs(last - first) < 100_000
  {
    choices = stride(from: first, through: last, by: first <= last ? 1 : -1).map(String.init)
  } else if inside.contains(",") {
    choices = inside.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  } else {
    return [pattern]
  }
  let (before, after) = (pattern[..<open], pattern[pattern.index(after: close)...])
  return choices.flatMap { choice in
    expandedBraces(String(after)).map { before + choice + $0 }
  }
}
