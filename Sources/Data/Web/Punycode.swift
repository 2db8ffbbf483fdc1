import Foundation

/// Writes international host names in ASCII, as name servers know them.
///
/// Unicode labels are normalised (NFKC, lowercase) and encoded by Punycode (RFC 3492) behind the
/// prefix `xn--`.
enum Punycode {
  /// The ASCII form of a host name; `nil` when a label cannot be encoded.
  static func host(_ name: String) -> String? {
    let normal = name.precomposedStringWithCompatibilityMapping.lowercased()
    // The ideographic full stop separates labels too (UTS 46).
    let labels = normal.split(omittingEmptySubsequences: false) { ".\u{3002}".contains($0) }
    var result: [String] = []
    for label in labels {
      if label.utf8.allSatisfy({ $0 < 0x80 }) {
        result.append(String(label))
      } else {
        guard let encoded = encoded(label.unicodeScalars.map(\.value)) else { return nil }
        result.append("xn--" + encoded)
      }
    }
    return result.joined(separator: ".")
  }

  // RFC 3492 §5.
  private static let (base, tMin, tMax, skew, damp) = (36, 1, 26, 38, 700)

  /// RFC 3492 §6.3.
  private static func encoded(_ input: [UInt32]) -> String? {
    // No label is longer than 63 bytes; this also keeps the arithmetic far from overflow.
    if input.count > 63 { return nil }
    var output = input.filter { $0 < 0x80 }.map { UInt8($0) }
    let basic = output.count
    if basic > 0 { output.append(0x2D) }
    var (n, delta, bias, handled) = (128, 0, 72, basic)
    while handled < input.count {
      guard let next = input.filter({ $0 >= n }).min() else { return nil }
      delta += (Int(next) - n) * (handled + 1)
      n = Int(next)
      for scalar in input {
        if scalar < n { delta += 1 }
        if scalar == n {
          output += digits(of: delta, bias: bias)
          bias = adapted(delta, count: handled + 1, isFirst: handled == basic)
          delta = 0
          handled += 1
        }
      }
      delta += 1
      n += 1
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static func digits(of delta: Int, bias: Int) -> [UInt8] {
    var (output, q, k): ([UInt8], Int, Int) = ([], delta, base)
    while true {
      let t = min(max(k - bias, tMin), tMax)
      if q < t { return output + [digit(q)] }
      output.append(digit(t + (q - t) % (base - t)))
      q = (q - t) / (base - t)
      k += base
    }
  }

  private static func digit(_ value: Int) -> UInt8 {
    UInt8(value < 26 ? 0x61 + value : 0x30 + value - 26)
  }

  /// RFC 3492 §6.1.
  private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
    var delta = isFirst ? delta / damp : delta / 2
    delta += delta / count
    var k = 0
    while delta > (base - tMin) * tMax / 2 {
      delta /= base - tMin
      k += base
    }
    return k + (base - tMin + 1) * delta / (delta + skew)
  }
}
