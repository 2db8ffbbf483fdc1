import Glibc
import Text

extension Double {
  /// Whether a number can be drawn on an axis: finite, with room for sums and differences.
  var isDrawable: Bool { isFinite && magnitude < 1e100 }
}

/// A range of numbers with round marks, as a reader expects them along an axis.
struct Axis: Equatable {
  /// The first and the last number shown.
  let range: ClosedRange<Double>
  /// The marks, rising, all inside the range.
  let ticks: [Double]
  private let step: Double

  /// An axis that covers `values`.
  ///
  /// - Parameters:
  ///   - values: Numbers that can be drawn; none is shown as 0 to 1.
  ///   - count: About how many marks.
  ///   - startsAtZero: Whether the axis begins at zero even when all values are far above.
  ///   - endsAtTick: Whether the range is widened to whole steps.
  init(covering values: [Double], count: Int, startsAtZero: Bool = false, endsAtTick: Bool = true) {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    // Zero belongs to the picture unless it would squeeze the curve into a strip.
    if low > 0, startsAtZero || low < 0.6 * high { low = 0 }
    // Equal values, or equal but for the last digits, get room around them.
    // A difference beyond what steps can divide counts as none.
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-100) {
      let room = abs(low) < 1e-90 ? 1 : abs(low) * 0.1
      if low != 0 { low -= room }
      high += room
    }
    let step = Self.roundStep((high - low) / Double(max(count, 1)))
    let first = endsAtTick ? (low / step).rounded(.down) : (low / step).rounded(.up)
    let last = endsAtTick ? (high / step).rounded(.up) : (high / step).rounded(.down)
    ticks = (0...max(0, Int(last - first))).map { (first + Double($0)) * step }
    range = endsAtTick ? first * step...last * step : low...high
    self.step = step
  }

  /// Where a value lies between the ends of the axis, 0 to 1 for values inside.
  func fraction(of value: Double) -> Double {
    (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// A mark as text, with as many decimals as the step needs: `0.25`, `40`, `12,000`, `2e-07`.
  func label(_ tick: Double) -> String { Self.label(tick, step: step) }

  /// The nearest of 1, 2, 2.5 and 5 times a power of ten that is not below `rough`.
  static func roundStep(_ rough: Double) -> Double {
    let power = pow(10, log10(rough).rounded(.down))
    for factor in [1, 2, 2.5, 5] where factor * power >= rough * 0.999_999 {
      return factor * power
    }
    return 10 * power
  }

  static func label(_ value: Double, step: Double) -> String {
    if value == 0 || abs(value) < step / 1000 { return "0" }
    if abs(value) >= 1e7 || step < 1e-4 && abs(value) < 0.01 { return scientific(value) }
    // The fewest decimals that write the step exactly.
    var decimals = 0
    var scale = 1.0
    while decimals < 9, abs((step * scale).rounded() - step * scale) > 1e-6 * step * scale {
      decimals += 1
      scale *= 10
    }
    let padded = zeroPadded(Int((abs(value) * scale).rounded()), to: decimals + 1)
    let whole = grouped(String(padded.dropLast(decimals)))
    let sign = value < 0 ? "−" : ""
    return decimals == 0 ? sign + whole : sign + whole + "." + padded.suffix(decimals)
  }

  private static func scientific(_ value: Double) -> String {
    let exponent = log10(abs(value)).rounded(.down)
    let mantissa = (value / pow(10, exponent) * 100).rounded() / 100
    let text = mantissa == mantissa.rounded() ? String(Int(mantissa)) : String(mantissa)
    return "\(text)e\(Int(exponent))"
  }

  private static func grouped(_ digits: String) -> String {
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }
}
