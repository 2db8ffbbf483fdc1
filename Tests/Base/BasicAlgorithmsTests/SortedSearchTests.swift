import BasicAlgorithms
import Testing

@Suite struct SortedSearchTests {
  @Test func `the search finds where the elements of a beginning end`() {
    for count in 0...9 {
      for end in 0...count {
        let values = (0..<count).map { $0 < end }
        #expect(values.partitioningIndex { $0 } == end)
      }
    }
  }

  @Test func `it searches a slice by the indices of the whole`() {
    let rows = [1, 3, 5, 7, 9]
    #expect(rows[2...].partitioningIndex { $0 < 7 } == 3)
    #expect(rows[2...].partitioningIndex { $0 < 1 } == 2)
  }
}
