import Foundation

/// Numbers as people read them.
package enum Text {
  /// Three significant digits: "0.52", "12.3", "1234".
  package static func number(_ value: Double) -> String {
    if !value.isFinite { return "\(value)" }
    let digits = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 2
    return String(format: "%.\(digits)f", value)
  }

  /// "1h 02m", "3m 05s", "12s".
  package static func time(_ seconds: Double) -> String {
    guard (0..<1e8).contains(seconds) else { return "–" }
    let whole = Int(seconds.rounded())
    if whole >= 3600 { return String(format: "%dh %02dm", whole / 3600, whole / 60 % 60) }
    return whole >= 60 ? String(format: "%dm %02ds", whole / 60, whole % 60) : "\(whole)s"
  }
  /// A number as it is typed on a command line: "25000", "0.0025", "1e12".
  package static func typed(_ value: Double) -> String {
    if let whole = Int(exactly: value), abs(whole) < 1_000_000 { return String(whole) }
    let short = String(format: "%g", value)
    let text = Double(short) == value ? short : String(format: "%.15g", value)
    return text.replacingOccurrences(of: "e+", with: "e")
  }
}
