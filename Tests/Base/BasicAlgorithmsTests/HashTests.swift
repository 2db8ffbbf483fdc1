import BasicAlgorithms
import Testing

/// Hashes against published numbers.
@Suite struct HashTests {
  @Test func `FNV-1a gives the numbers of its authors`() {
    #expect(FNV.hash([UInt8]()) == 0xCBF2_9CE4_8422_2325)
    #expect(FNV.hash(Array("foobar".utf8)) == 0x8594_4171_F739_67E8)
  }

  @Test func `SplitMix64 gives the numbers of its reference code for the seed 1234567`() {
    var state: UInt64 = 1_234_567
    let numbers = (0..<3).map { _ in
      state &+= SplitMix64.increment
      return SplitMix64.finalised(state)
    }
    #expect(
      numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
    )
  }
}
