extension RandomAccessCollection {
  /// The first index whose element is not `isBefore`, by binary search; `endIndex` if all are.
  ///
  /// - Parameter isBefore: True for the elements of a beginning, false for all others.
  /// - Returns: An index in `startIndex ... endIndex`.
  package func partitioningIndex(
    where isBefore: (Element) throws -> Bool
  ) rethrows -> Index {
    var (low, count) = (startIndex, self.count)
    while count > 0 {
      let half = count / 2
      let middle = index(low, offsetBy: half)
      if try isBefore(self[middle]) {
        low = index(after: middle)
        count -= half + 1
      } else {
        count = half
      }
    }
    return low
  }
}
