import ArgumentParser
import Foundation

/// A switch as the original commands write it: `--mirror=1`, `--mirror=true`.
package struct Switch: ExpressibleByArgument, CustomStringConvertible {
  package let isOn: Bool

  package init(_ isOn: Bool) { self.isOn = isOn }

  package init?(argument: String) {
    switch argument.lowercased() {
    case "1", "true", "yes", "y", "t": isOn = true
    case "0", "false", "no", "n", "f": isOn = false
    default: return nil
    }
  }

  package static var allValueStrings: [String] { ["0", "1"] }

  package var description: String { isOn ? "1" : "0" }
}

/// Parts as `--parts 0-9` or `--parts 3`; layers are given the same way.
package struct PartRange: ExpressibleByArgument, CustomStringConvertible {
  package let range: ClosedRange<Int>

  package var description: String { "\(range.lowerBound)-\(range.upperBound)" }

  package init(_ range: ClosedRange<Int>) { self.range = range }

  package init?(argument: String) {
    let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
      0 <= first, first <= last
    else { return nil }
    range = first...last
  }
}

/// Expands `split{0..9}.zip` and `{a,b}.zip` as a shell would, for patterns that reach us quoted.
package func expandedBraces(_ pattern: String) -> [String] {
  guard let open = pattern.firstIndex(of: "{"),
    let close = pattern[open...].firstIndex(of: "}")
  else { return [pattern] }
  let inside = String(pattern[pattern.index(after: open)..<close])
  let choices: [String]
  if let range = inside.range(of: ".."), let first = Int(inside[..<range.lowerBound]),
    let last = Int(inside[range.upperBound...]),
    last.subtractingReportingOverflow(first).overflow == false,
    (last - first).magnitude < 100_000
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
