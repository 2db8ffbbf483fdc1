/// A bounded cache that evicts the least recently used value.
struct RecentValues<Key: Hashable, Value> {
  /// The most cached values.
  let capacity: Int
  private var values: [Key: (value: Value, used: UInt64)] = [:]
  private var clock: UInt64 = 0

  /// An empty cache.
  init(capacity: Int) { self.capacity = capacity }

  /// The number of cached values.
  var count: Int { values.count }

  /// The value of a key; reading it makes it the most recently used.
  subscript(key: Key) -> Value? {
    mutating get {
      guard let kept = values[key] else { return nil }
      clock += 1
      values[key] = (kept.value, clock)
      return kept.value
    }
    set {
      clock += 1
      values[key] = newValue.map { ($0, clock) }
      guard values.count > capacity,
        let oldest = values.min(by: { $0.value.used < $1.value.used })
      else { return }
      values[oldest.key] = nil
    }
  }
}
