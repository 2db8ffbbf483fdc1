/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
package enum SplitMix64 {
  /// What the generator adds to its state for each number: 2⁶⁴ divided by the golden ratio, as an odd number.
  package static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The generator's finaliser: spreads a number over all 64 bits.
  package static func finalised(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
