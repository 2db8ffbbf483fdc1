package import Torch

/// FNV-1a over the UTF-8 bytes of a text, 64 bits: the seed of a formula tensor.
package func fnv1a64(_ text: String) -> UInt64 {
  text.utf8.reduce(0xcbf2_9ce4_8422_2325) { hash, byte in
    (hash ^ UInt64(byte)) &* 0x100_0000_01b3
  }
}

/// Uniform values with mean 0 and variance 1, float64: SplitMix64 in counter mode, so that element i is
/// a function of (seed, i) alone and any language can repeat it.
package func unitValues(seed: UInt64, count: Int) -> [Double] {
  (0..<count).map { index in
    var z = seed &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return (Double(z >> 11) * 0x1p-53 - 0.5) * 3.4641016151377544
  }
}

/// A float32 tensor that the golden files name instead of storing: offset + scale · unit(fnv(name)).
///
/// - Parameters:
///   - name: What the seed is made of.
///   - shape: The dimensions.
///   - scale: Standard deviation.
///   - offset: Mean.
///   - salt: Put before the name.
/// - Returns: Float32 values of the given shape.
package func formulaTensor(
  _ name: String,
  _ shape: [Int],
  scale: Double = 1,
  offset: Double = 0,
  salt: String = ""
) -> Tensor {
  let values = unitValues(seed: fnv1a64(salt + name), count: shape.reduce(1, *))
  return Tensor(values.map { Float(offset + scale * $0) }, shape: shape)
}
