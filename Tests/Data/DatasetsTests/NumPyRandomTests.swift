import Files
import Testing

@testable import Datasets

@Suite struct NumPyRandomTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      let seed: UInt32
      let first_words: [UInt32]
      let words_crc32: UInt32
      let bounds: [Int]
      let integers: [Int]
      let shuffled: [Int]
      let permutation: [Int]
      let permutation_10000_crc32: UInt32
    }
    let cases: [Case]
  }

  private func checksum(_ values: [UInt32]) -> UInt32 {
    var bytes: [UInt8] = []
    for value in values { bytes.append(littleEndian: value) }
    return bytes.withUnsafeBytes(CRC32.of)
  }

  @Test func `draws are those of numpy.random.RandomState`() throws {
    for expected in try fixture("numpy_random.json", as: Fixture.self).cases {
      var random = NumPyRandom(seed: expected.seed)
      let words = (0..<700).map { _ in random.next() }
      #expect(Array(words.prefix(4)) == expected.first_words)
      #expect(checksum(words) == expected.words_crc32)

      random = NumPyRandom(seed: expected.seed)
      #expect(expected.bounds.map { random.integer(below: $0) } == expected.integers)

      random = NumPyRandom(seed: expected.seed)
      var list = Array(0..<20)
      random.shuffle(&list)
      #expect(list == expected.shuffled)

      random = NumPyRandom(seed: expected.seed)
      #expect(random.permutation(33) == expected.permutation)
      random = NumPyRandom(seed: expected.seed)
      #expect(
        checksum(random.permutation(10_000).map(UInt32.init)) == expected.permutation_10000_crc32
      )
    }
  }

  @Test func `one possible value costs no draw`() {
    var (first, second) = (NumPyRandom(seed: 4), NumPyRandom(seed: 4))
    #expect(first.integer(below: 1) == 0)
    #expect(first.next() == second.next())
  }
}
