/// The word of a list that a mistyped one most likely means.
///
/// - Parameters:
///   - word: The typed word.
///   - known: What there is.
/// - Returns: The nearest of the list, if at most a third of the word's letters differ; else `nil`.
package func nearest(_ word: String, in known: some Sequence<String>) -> String? {
  let limit = max(1, word.count / 3)
  return known.map { (name: $0, distance: editDistance(word, $0)) }
    .filter { $0.distance <= limit }
    .min { $0.distance < $1.distance }?.name
}

/// How many letters must be put in, left out, changed or exchanged with their neighbour to make one word of
/// the other (optimal string alignment).
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.prefix(64)), Array(b.prefix(64)))
  var rows = [Array(0...b.count)]
  for i in 1..<a.count + 1 {
    var row = [i]
    for j in 1..<b.count + 1 {
      var best = min(rows[i - 1][j] + 1, row[j - 1] + 1)
      best = min(best, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        best = min(best, rows[i - 2][j - 2] + 1)
      }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
