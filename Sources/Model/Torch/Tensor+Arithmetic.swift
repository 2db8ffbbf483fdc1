// Element by element: operators, functions, comparisons. Shapes broadcast as in NumPy.

extension Tensor {
  /// The sum, element by element.
  public static func + (a: Tensor, b: Tensor) -> Tensor { Arithmetic.add(a, b) }
  /// The sum, element by element.
  public static func + (a: Tensor, b: Double) -> Tensor { Arithmetic.addScalar(a, b) }
  /// The sum, element by element.
  public static func + (a: Double, b: Tensor) -> Tensor { Arithmetic.addScalar(b, a) }
  /// The difference, element by element.
  public static func - (a: Tensor, b: Tensor) -> Tensor { Arithmetic.subtract(a, b) }
  /// The difference, element by element.
  public static func - (a: Tensor, b: Double) -> Tensor { Arithmetic.addScalar(a, -b) }
  /// The difference, element by element.
  public static func - (a: Double, b: Tensor) -> Tensor { Arithmetic.reverseSubtract(b, a) }
  /// The opposite.
  public static prefix func - (a: Tensor) -> Tensor { Arithmetic.negative(a) }
  /// The product, element by element.
  public static func * (a: Tensor, b: Tensor) -> Tensor { Arithmetic.multiply(a, b) }
  /// The product, element by element.
  public static func * (a: Tensor, b: Double) -> Tensor { Arithmetic.multiplyScalar(a, b) }
  /// The product, element by element.
  public static func * (a: Double, b: Tensor) -> Tensor { Arithmetic.multiplyScalar(b, a) }
  /// The quotient, element by element.
  public static func / (a: Tensor, b: Tensor) -> Tensor { Arithmetic.divide(a, b) }
  /// The quotient, element by element.
  public static func / (a: Tensor, b: Double) -> Tensor { Arithmetic.divideScalar(a, b) }

  /// The product with a number, or the same tensor if the number is 1.
  public func scaled(by factor: Double) -> Tensor { factor == 1 ? self : self * factor }

  /// x².
  public func squared() -> Tensor { Arithmetic.square(self) }
  /// √x.
  public func squareRoot() -> Tensor { Arithmetic.sqrt(self) }
  /// 1 / √x.
  public func reciprocalSquareRoot() -> Tensor { Arithmetic.rsqrt(self) }
  /// x to a power.
  public func power(_ exponent: Double) -> Tensor { Arithmetic.power(self, exponent) }
  /// base^self, element by element.
  public func exponent(ofBase base: Double) -> Tensor { Arithmetic.powerOfBase(base, self) }
  /// eˣ.
  public func exponential() -> Tensor { Arithmetic.exp(self) }
  /// The natural logarithm.
  public func logarithm() -> Tensor { Arithmetic.log(self) }
  /// |x|.
  public func magnitude() -> Tensor { Arithmetic.abs(self) }
  /// −1, 0 or 1.
  public func sign() -> Tensor { Arithmetic.sign(self) }
  /// The largest integer up to x.
  public func floored() -> Tensor { Arithmetic.floor(self) }
  /// Rounded to the nearest integer, halves to even.
  public func rounded() -> Tensor { Arithmetic.round(self) }
  /// sin x.
  public func sine() -> Tensor { Arithmetic.sin(self) }
  /// cos x.
  public func cosine() -> Tensor { Arithmetic.cos(self) }
  /// The angle in [0, π] whose cosine is x.
  public func arcCosine() -> Tensor { Arithmetic.acos(self) }
  /// Inverse error function.
  public func inverseErrorFunction() -> Tensor { Arithmetic.erfinv(self) }

  /// Limits every element to [lower, upper]; a bound that is `nil` does not limit.
  public func clamped(from lower: Double? = nil, to upper: Double? = nil) -> Tensor {
    Arithmetic.clamp(self, lower, upper)
  }

  /// Replaces NaN and infinities by finite values.
  public func withoutNaN(nan: Double, positiveInfinity: Double, negativeInfinity: Double) -> Tensor
  {
    Arithmetic.nanToNum(self, nan, positiveInfinity, negativeInfinity)
  }

  /// self + (other − self) · weight.
  public func interpolated(to other: Tensor, weight: Double) -> Tensor {
    Arithmetic.lerp(self, other, weight)
  }

  /// Where a < b, as booleans.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { Arithmetic.less(a, b) }
  /// Where a < b, as booleans.
  public static func .< (a: Tensor, b: Double) -> Tensor { Arithmetic.lessScalar(a, b) }
  /// Where a ≥ b, as booleans.
  public static func .>= (a: Tensor, b: Double) -> Tensor { Arithmetic.greaterEqualScalar(a, b) }
  /// Where a > b, as booleans.
  public static func .> (a: Tensor, b: Double) -> Tensor { Arithmetic.greaterScalar(a, b) }
  /// Where a = b, as booleans.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { Arithmetic.equal(a, b) }
  /// Where a ≤ b, as booleans.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { Arithmetic.lessEqual(a, b) }

  /// The larger of two elements.
  public func maximum(_ other: Tensor) -> Tensor { Arithmetic.maximum(self, other) }
  /// The smaller of two elements.
  public func minimum(_ other: Tensor) -> Tensor { Arithmetic.minimum(self, other) }

  /// Takes elements of `other` where `condition` holds, else of `self`.
  public func replacing(with other: Tensor, where condition: Tensor) -> Tensor {
    Arithmetic.whereSelf(condition, other, self)
  }
}

private enum Arithmetic {
  static let add = Operator("aten::add.Tensor")
  static let addScalar = Operator("aten::add.Scalar")
  static let subtract = Operator("aten::sub.Tensor")
  static let reverseSubtract = Operator("aten::rsub.Scalar")
  static let negative = Operator("aten::neg")
  static let multiply = Operator("aten::mul.Tensor")
  static let multiplyScalar = Operator("aten::mul.Scalar")
  static let divide = Operator("aten::div.Tensor")
  static let divideScalar = Operator("aten::div.Scalar")
  static let square = Operator("aten::square")
  static let sqrt = Operator("aten::sqrt")
  static let rsqrt = Operator("aten::rsqrt")
  static let power = Operator("aten::pow.Tensor_Scalar")
  static let powerOfBase = Operator("aten::pow.Scalar")
  static let exp = Operator("aten::exp")
  static let log = Operator("aten::log")
  static let abs = Operator("aten::abs")
  static let sign = Operator("aten::sign")
  static let floor = Operator("aten::floor")
  static let round = Operator("aten::round")
  static let sin = Operator("aten::sin")
  static let cos = Operator("aten::cos")
  static let acos = Operator("aten::acos")
  static let erfinv = Operator("aten::erfinv")
  static let clamp = Operator("aten::clamp")
  static let nanToNum = Operator("aten::nan_to_num")
  static let lerp = Operator("aten::lerp.Scalar")
  static let less = Operator("aten::lt.Tensor")
  static let lessScalar = Operator("aten::lt.Scalar")
  static let lessEqual = Operator("aten::le.Tensor")
  static let greaterScalar = Operator("aten::gt.Scalar")
  static let greaterEqualScalar = Operator("aten::ge.Scalar")
  static let equal = Operator("aten::eq.Tensor")
  static let maximum = Operator("aten::maximum")
  static let minimum = Operator("aten::minimum")
  static let whereSelf = Operator("aten::where.self")
}
