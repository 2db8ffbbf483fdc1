import Foundation
import Torch

/// An entry of a batch of matrices: a number for all, or one for each, [N].
enum MatrixEntry: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  case number(Double)
  case each(Tensor)

  init(floatLiteral value: Double) { self = .number(value) }
  init(integerLiteral value: Int) { self = .number(Double(value)) }
}

/// A batch of matrices from its entries, float32 [N, rows, columns].
func matrices(_ rows: [[MatrixEntry]], count N: Int) -> Tensor {
  let entries = rows.joined().map { entry in
    switch entry {
    case .number(let value): Tensor.full([N], value)
    case .each(let values): values
    }
  }
  return Tensor.stacked(entries, 1).reshaped(N, rows.count, rows[0].count)
}

/// Moves the plane in homogeneous coordinates, [N, 3, 3].
func translation(_ x: Tensor, _ y: Tensor) -> Tensor {
  matrices([[1, 0, .each(x)], [0, 1, .each(y)], [0, 0, 1]], count: x.count)
}

/// Moves the plane by the same amount for all, [1, 3, 3].
func translation(_ x: Double, _ y: Double) -> Tensor {
  matrices([[1, 0, .number(x)], [0, 1, .number(y)], [0, 0, 1]], count: 1)
}

/// Scales the plane about the origin, [N, 3, 3].
func scaling(_ x: Tensor, _ y: Tensor) -> Tensor {
  matrices([[.each(x), 0, 0], [0, .each(y), 0], [0, 0, 1]], count: x.count)
}

/// Scales the plane about the origin by the same factors for all, [1, 3, 3].
func scaling(_ x: Double, _ y: Double) -> Tensor {
  matrices([[.number(x), 0, 0], [0, .number(y), 0], [0, 0, 1]], count: 1)
}

/// Turns the plane about the origin by an angle in radians, [N, 3, 3].
func rotation(_ angle: Tensor) -> Tensor {
  let (c, s) = (angle.cosine(), angle.sine())
  return matrices(
    [[.each(c), .each(-s), 0], [.each(s), .each(c), 0], [0, 0, 1]],
    count: angle.count
  )
}

/// Turns colour space about the grey axis (1, 1, 1)/√3 by an angle in radians, [N, 4, 4].
///
/// Rodrigues' formula: with the projection on the axis P = 1/3 everywhere, the rotation is
/// cos · 1 + (1 − cos) · P + sin · K, where K is the cross product with the axis.
func hueRotation(_ angle: Tensor) -> Tensor {
  let (c, s) = (angle.cosine(), angle.sine() * (1 / 3.0.squareRoot()))
  let third = (1 - c) * (1 / 3.0)
  let (same, next, previous) = (c + third, third - s, third + s)
  return matrices(
    [
      [.each(same), .each(next), .each(previous), 0],
      [.each(previous), .each(same), .each(next), 0],
      [.each(next), .each(previous), .each(same), 0],
      [0, 0, 0, 1],
    ],
    count: angle.count
  )
}
