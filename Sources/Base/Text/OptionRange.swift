/// The numbers that an option may have, in the unit of its flag.
package struct OptionRange: Equatable, Sendable {
  private let lower: Double
  private let upper: Double
  private let excludesLower: Bool
  /// The unit as it follows a number, as "minutes"; empty for a bare number.
  private let unit: String

  /// Both limits are allowed.
  package static func between(_ lower: Double, _ upper: Double, _ unit: String = "") -> OptionRange
  {
    OptionRange(lower: lower, upper: upper, excludesLower: false, unit: unit)
  }

  /// The lower limit is not allowed.
  package static func above(
    _ lower: Double,
    atMost upper: Double,
    _ unit: String = ""
  ) -> OptionRange {
    OptionRange(lower: lower, upper: upper, excludesLower: true, unit: unit)
  }

  /// Without an upper limit.
  package static func atLeast(_ lower: Double, _ unit: String = "") -> OptionRange {
    OptionRange(lower: lower, upper: .infinity, excludesLower: false, unit: unit)
  }

  /// A truncation: what lies far outside of the average and the full variety paints nothing.
  package static let truncation = between(-10, 10)

  /// A factor of any sign that numbers of 32 bits hold with room for products.
  package static let factor = between(-1e12, 1e12)

  /// Threads of one process: far more than machines have, and few enough for every system to start.
  package static let threads = between(1, 1024, "threads")

  /// Whether a number is allowed; NaN never is.
  package func contains(_ value: Double) -> Bool {
    (excludesLower ? value > lower : value >= lower) && value <= upper
  }

  /// The range in words, as it follows "must be".
  package var text: String {
    let unit = unit.isEmpty ? "" : " " + unit
    let (low, high) = (Text.typed(lower), Text.typed(upper))
    if excludesLower { return "above \(low) and at most \(high)\(unit)" }
    if upper < .infinity { return "between \(low) and \(high)\(unit)" }
    return lower == 0 ? "0 or more\(unit)" : "at least \(low)\(unit)"
  }

  /// The message about a value outside the range, as it was typed.
  package func complaint(_ flag: String, _ value: String) -> String {
    "\(flag) must be \(text), not \(value)"
  }

  /// The limits that are allowed themselves, and those just beyond the range; for whole numbers.
  package var limits: (allowed: [Double], refused: [Double]) {
    let isBounded = upper < .infinity
    return (
      (excludesLower ? [] : [lower]) + (isBounded ? [upper] : []),
      [excludesLower ? lower : lower - 1] + (isBounded ? [(upper + 1).nextUp] : [])
    )
  }
}
