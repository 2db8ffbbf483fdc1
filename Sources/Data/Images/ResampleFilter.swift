import CImages
import Glibc

/// A filter for resizing, with the shape and support that PIL gives it.
package enum ResampleFilter: String, Sendable, Codable, CaseIterable {
  /// sinc(x) · sinc(x / 3) for |x| < 3: the sharpest, and what training sets are made with.
  case lanczos
  /// 1 for −½ < x ≤ ½: the mean of the covered pixels.
  case box

  /// Half the width of the filter, in output pixels when shrinking, in input pixels when enlarging.
  var support: Double {
    switch self {
    case .lanczos: 3
    case .box: 0.5
    }
  }

  /// The filter's value at `x`.
  func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .lanczos: x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
    case .box: x > -0.5 && x <= 0.5 ? 1 : 0
    }
  }
}

private func sinc(_ x: Double) -> Double {
  if x == 0 { return 1 }
  let angle = x * Double.pi
  return sin(angle) / angle
}

/// Which input samples make up each output sample of one axis, and with what weights.
///
/// Weights are computed in double precision, divided by their sum and rounded to fixed point exactly
/// as PIL does, because one weight off by its last digit shows in the pixels and so in the FID.
struct ResamplePlan {
  /// Per output sample, its run of input samples.
  let windows: [cimages_window]
  /// [outputs, taps], then one more group of zeros that the vector code may read.
  let weights: [Int32]
  /// Weights per output sample, a multiple of `CIMAGES_TAP_GROUP`.
  let taps: Int

  private init(windows: [cimages_window], weights: [Int32], taps: Int) {
    (self.windows, self.weights, self.taps) = (windows, weights, taps)
  }

  /// The plan of some of the outputs.
  func band(_ outputs: Range<Int>) -> ResamplePlan {
    let own = weights[outputs.lowerBound * taps..<outputs.upperBound * taps]
    let zeros = [Int32](repeating: 0, count: Int(CIMAGES_TAP_GROUP))
    return ResamplePlan(windows: Array(windows[outputs]), weights: own + zeros, taps: taps)
  }

  /// - Parameters:
  ///   - inputs: The length of the axis before.
  ///   - outputs: The length of the axis after.
  ///   - filter: The filter.
  init(inputs: Int, outputs: Int, filter: ResampleFilter) {
    let scale = Double(inputs) / Double(outputs)
    // Enlarging interpolates with the filter as it is; shrinking widens it to avoid aliasing.
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let group = Int(CIMAGES_TAP_GROUP)
    let longest = min(Int(support.rounded(.up)) * 2 + 1, inputs)
    taps = (longest + group - 1) / group * group

    var windows: [cimages_window] = []
    windows.reserveCapacity(outputs)
    var weights = [Int32](repeating: 0, count: outputs * taps + group)
    var exact = [Double](repeating: 0, count: longest)
    for output in 0..<outputs {
      let center = (Double(output) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), inputs) - first
      var sum = 0.0
      for tap in 0..<count {
        exact[tap] = filter((Double(tap + first) - center + 0.5) * (1 / filterScale))
        sum += exact[tap]
      }
      for tap in 0..<count {
        let weight = sum == 0 ? exact[tap] : exact[tap] / sum
        weights[output * taps + tap] = Self.fixedPoint(weight)
      }
      windows.append(cimages_window(first: Int32(first), count: Int32(count)))
    }
    self.windows = windows
    self.weights = weights
  }

  /// The input samples that are used at all.
  var usedInputs: Range<Int> {
    guard let first = windows.first, let last = windows.last else { return 0..<0 }
    return Int(first.first)..<Int(last.first + last.count)
  }

  /// The same windows, counted from `offset`.
  func windows(from offset: Int) -> [cimages_window] {
    windows.map { cimages_window(first: $0.first - Int32(offset), count: $0.count) }
  }

  /// Rounded half away from zero, as PIL's addition of ±½ and truncation does.
  private static func fixedPoint(_ weight: Double) -> Int32 {
    let scaled = weight * Double(1 << CIMAGES_WEIGHT_BITS)
    return Int32(scaled + (weight < 0 ? -0.5 : 0.5))
  }
}
