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
