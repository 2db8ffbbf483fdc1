import Torch

/// Filters of the augmentation pipeline, from Daubechies' least asymmetric wavelets.
///
/// "Symlets": I. Daubechies, Ten Lectures on Wavelets, 1992, table 6.3.
enum WaveletFilters {
  /// The scaling filter of 2 vanishing moments, unit energy.
  static let sym2 = [
    -0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025,
  ]

  /// The scaling filter of 6 vanishing moments, unit energy.
  static let sym6 = [
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
  ]

  /// Splits a signal into `bands` octaves that add up to it, lowest first (arXiv 2006.06676, appendix
  /// B.2): the zero-phase low and high pass of sym2, cascaded by spreading the taps.
  ///
  /// - Returns: One filter a band, of equal odd length.
  static func bank(bands: Int) -> [[Double]] {
    let low = autocorrelation(sym2)
    let high = autocorrelation(sym2.enumerated().map { $0.isMultiple(of: 2) ? $1 : -$1 })
    var bank = [[1.0]] + [[Double]](repeating: [0], count: bands - 1)
    for band in 1..<bands {
      bank = bank.map { convolution(spread($0), low) }
      let start = (bank[band].count - high.count) / 2
      for (index, tap) in high.enumerated() { bank[band][start + index] += tap }
    }
    return bank
  }

  /// The filter followed by its mirror, scaled to unit gain where the filter has √2.
  private static func autocorrelation(_ taps: [Double]) -> [Double] {
    convolution(taps, taps.reversed()).map { $0 / 2 }
  }

  /// A zero between every two taps.
  private static func spread(_ taps: [Double]) -> [Double] {
    Array(taps.map { [$0] }.joined(separator: [0]))
  }

  private static func convolution(_ a: [Double], _ b: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: a.count + b.count - 1)
    for (i, x) in a.enumerated() {
      for (j, y) in b.enumerated() { result[i + j] += x * y }
    }
    return result
  }
}
