import Foundation

/// Numbers as people read them.
package enum Text {
  /// Three significant digits: "0.52", "12.3", "1234".
  package static func number(_ value: Double) -> String {
    if !value.isFinite { return "\(value)" }
    let digits = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 2
    return String(format: "%.\(digits)f", value)
  }

  /// A number of things: "1 image", "2 images"; where an "s" does not make many, they are named, too.
  package static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number) \(number == 1 ? one : many ?? one + "s")"
  }

  /// How fast something goes: "12.3 images/s", "1.50 images/min" where seconds would show nothing, and
  /// "– images/s" while nothing is known.
  ///
  /// - Parameters:
  ///   - perSecond: So many a second.
  ///   - unit: The unit, as "images".
  /// - Returns: The rate with its unit.
  package static func rate(_ perSecond: Double, _ unit: String) -> String {
    guard perSecond.isFinite, perSecond > 0 else { return "– \(unit)/s" }
    if perSecond >= 0.1 { return "\(number(perSecond)) \(unit)/s" }
    let perMinute = perSecond * 60
    return perMinute >= 0.1
      ? "\(number(perMinute)) \(unit)/min" : "\(number(perSecond * 3600)) \(unit)/h"
  }

  /// A size in decimal units: "512 B", "329 MB", "206 GB".
  package static func bytes(_ count: Double) -> String {
    var (value, rest) = (count, ["B", "kB", "MB", "GB", "TB", "PB"][...])
    while value >= 999.5, rest.count > 1 { (value, rest) = (value / 1000, rest.dropFirst()) }
    return "\(rest.count == 6 ? String(Int(value)) : number(value)) \(rest.first ?? "")"
  }

  /// "1h 02m", "3m 05s", "12s".
  package static func time(_ seconds: Double) -> String {
    guard (0..<1e8).contains(seconds) else { return "–" }
    let whole = Int(seconds.rounded())
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    return hours > 0 ? "\(hours)h \(zeroPadded(minutes, to: 2))m" : fullTime(whole)
  }

  /// "1h 02m 03s", "3m 05s", "12s".
  package static func fullTime(_ seconds: Int) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    let end = zeroPadded(rest, to: 2) + "s"
    if hours > 0 { return "\(hours)h \(zeroPadded(minutes, to: 2))m \(end)" }
    return minutes > 0 ? "\(minutes)m \(end)" : "\(rest)s"
  }

  /// A number as it is typed on a command line: "25000", "0.0025", "1e12".
  package static func typed(_ value: Double) -> String {
    if let whole = Int(exactly: value), whole.magnitude < 1_000_000 { return String(whole) }
    let short = String(format: "%g", value)
    let text = Double(short) == value ? short : String(format: "%.15g", value)
    return text.replacingOccurrences(of: "e+", with: "e")
  }
}
