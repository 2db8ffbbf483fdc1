import Networks
import Testing

@Suite("Clamps")
struct ClampTests {
  @Test(
    arguments: [
      (nil, 4, true), (256.0, 4, true), (65_504.0, 4, true), (65_505.0, 4, false),
      (65_505.0, 0, true), (1e39, 0, false), (1e300, 0, false), (0.0, 0, false), (-1.0, 4, false),
      (Double.nan, 0, false), (Double.infinity, 0, false),
    ] as [(Double?, Int, Bool)]
  )
  func `a clamp is a number that its layers can compute with`(
    clamp: Double?,
    reduced: Int,
    isPossible: Bool
  ) {
    #expect(isPossibleClamp(clamp, reducedPrecisionResolutions: reduced) == isPossible)
  }
}
