package import Testing
package import Torch

/// Expects two tensors to have one shape and type, and every element to lie within
/// atol + rtol · |golden| of its partner; NaN matches NaN, an infinity its equal.
///
/// - Returns: The worst difference divided by the largest finite magnitude of `golden`, so that figures
///   of different tensors compare; infinite when the shapes or types differ.
@discardableResult
package func expectClose(
  _ actual: Tensor,
  _ golden: Tensor,
  rtol: Double,
  atol: Double,
  _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
  let (shape, dtype) = (golden.shape, golden.dtype)
  guard actual.shape == shape, actual.dtype == dtype, actual.count == golden.count else {
    let (found, expected) = ("\(actual.shape) \(actual.dtype)", "\(shape) \(dtype)")
    Issue.record("\(name) is \(found), not \(expected)", sourceLocation: sourceLocation)
    return .infinity
  }
  let comparison = Comparison(actual.values(), golden.values(), rtol: rtol, atol: atol)
  if comparison.outside > 0 {
    let worst = multiIndex(comparison.worstIndex, shape)
    Issue.record(
      "\(name)\(shape): \(comparison.outside) of \(golden.count) elements are off, \(comparison), at \(worst)",
      sourceLocation: sourceLocation
    )
  }
  return comparison.relativeWorst
}

/// Expects two numbers to agree within atol + rtol · |golden|.
@discardableResult
package func expectClose(
  _ actual: Double,
  _ golden: Double,
  rtol: Double = 0,
  atol: Double = 0,
  _ name: String = "value",
  sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
  let comparison = Comparison([actual], [golden], rtol: rtol, atol: atol)
  if comparison.outside > 0 {
    Issue.record("\(name): \(comparison)", sourceLocation: sourceLocation)
  }
  return comparison.relativeWorst
}

/// How far two lists of numbers lie apart.
private struct Comparison: CustomStringConvertible {
  /// Elements beyond the tolerance.
  private(set) var outside = 0
  /// Where the element lies that exceeds its tolerance most.
  private(set) var worstIndex = 0
  private(set) var relativeWorst = 0.0
  private var relativeL2 = 0.0
  private var pair = (0.0, 0.0)

  init(_ actual: [Double], _ golden: [Double], rtol: Double, atol: Double) {
    var (worstExcess, worstDifference, largest, squares, total) = (-1.0, 0.0, 0.0, 0.0, 0.0)
    for (index, (a, g)) in zip(actual, golden).enumerated() {
      let same = a == g || (a.isNaN && g.isNaN)
      let difference = same ? 0 : (a - g).magnitude
      let excess = same ? 0 : difference / (atol + rtol * g.magnitude)
      // A comparison with NaN is false: what is not provably inside counts as outside.
      if !(excess <= 1) { outside += 1 }
      if excess.isNaN || excess > worstExcess {
        (worstExcess, worstIndex, pair) = (excess.isNaN ? .infinity : excess, index, (a, g))
      }
      worstDifference = difference.isNaN ? .infinity : max(worstDifference, difference)
      if g.isFinite {
        largest = max(largest, g.magnitude)
        squares += difference * difference
        total += g * g
      }
    }
    relativeWorst = worstDifference == 0 ? 0 : worstDifference / (largest == 0 ? 1 : largest)
    relativeL2 = squares == 0 ? 0 : (squares / (total == 0 ? 1 : total)).squareRoot()
  }

  var description: String {
    "\(pair.0) instead of \(pair.1) (relative L2 \(relativeL2))"
  }
}

private func multiIndex(_ flat: Int, _ shape: [Int]) -> [Int] {
  var rest = flat
  return shape.reversed().map { size in
    defer { rest /= size }
    return rest % size
  }.reversed()
}
