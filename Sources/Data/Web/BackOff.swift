/// Seconds before the next attempt, doubled from one to the next.
///
/// - Parameters:
///   - delay: Seconds after the first attempt.
///   - attempt: The attempt that failed, from 1.
/// - Returns: Seconds.
package func backOff(_ delay: Double, afterAttempt attempt: Int) -> Double {
  delay * Double(sign: .plus, exponent: attempt - 1, significand: 1)
}
