extension LaionConfiguration {
  /// Checks every setting against its range.
  package func validate() throws(LaionError) {
    try atLeast("perSplit", perSplit, 1)
    try atLeast("window", window, 1)
    try atLeast("pairsPerShard", pairsPerShard, 1)
    try within("rowsPerFlush", rowsPerFlush, 1...SplitFolder.maximumBatch)
    try atLeast("image.minimumSide", image.minimumSide, 1)
    try within("image.maximumPixels", image.maximumPixels, 1...1 << 29)
    try within("image.quality", image.quality, 1...100)
    if let shard {
      try atLeast("shard.index", shard.index, 0)
      if let count = shard.count {
        try atLeast("shard.count", count, 1)
        try within("shard.index", shard.index, 0...count - 1)
      }
    }
    for name in columns.names.keys where MetadataField(rawValue: name) == nil {
      let known = MetadataField.allCases.map(\.rawValue).joined(separator: ", ")
      throw invalid("columns", name, "one of \(known)")
    }
    if layout == .zip, image.size == nil {
      throw invalid("image.size", "not set", "given for a packed dataset, whose images are squares")
    }
    if let bits = image.nearDuplicateBits { try within("image.nearDuplicateBits", bits, 0...15) }
    if let size = image.size { try within("image.size", size, 1...8192) }
    try validateFilter()
    try validateFetch()
  }

  private func validateFilter() throws(LaionError) {
    if let similarity = filter.minimumSimilarity, !(-1...1).contains(similarity) {
      throw invalid("filter.minimumSimilarity", similarity, "in -1...1")
    }
    if let aspect = filter.maximumAspect, !(aspect >= 1) {
      throw invalid("filter.maximumAspect", aspect, "at least 1")
    }
    if let minimum = filter.minimumSide, let maximum = filter.maximumSide, minimum > maximum {
      throw invalid("filter.minimumSide", minimum, "at most filter.maximumSide, \(maximum)")
    }
    if filter.minimumCaptionLength > filter.maximumCaptionLength {
      let maximum = filter.maximumCaptionLength
      throw invalid(
        "filter.minimumCaptionLength",
        filter.minimumCaptionLength,
        "at most \(maximum)"
      )
    }
  }

  private func validateFetch() throws(LaionError) {
    try within("fetch.concurrency", fetch.concurrency, 1...4096)
    try within("fetch.concurrencyPerHost", fetch.concurrencyPerHost, 1...4096)
    try within("fetch.resolverThreads", fetch.resolverThreads, 1...1024)
    if let threads = fetch.decoderThreads { try within("fetch.decoderThreads", threads, 1...1024) }
    try within("fetch.attempts", fetch.attempts, 1...100)
    try within("fetch.maximumBytes", fetch.maximumBytes, 1...1 << 30)
    try within("fetch.maximumBytesInFlight", fetch.maximumBytesInFlight, 1 << 16...1 << 40)
    try within("fetch.maximumPixelsInFlight", fetch.maximumPixelsInFlight, 1...1 << 40)
    try within("fetch.silentHostLimit", fetch.silentHostLimit, 1...1_000_000)
    try within("fetch.maximumRedirects", fetch.maximumRedirects, 0...20)
    let seconds = [
      ("fetch.connectTimeout", fetch.connectTimeout), ("fetch.readTimeout", fetch.readTimeout),
      ("fetch.totalTimeout", fetch.totalTimeout), ("fetch.retryDelay", fetch.retryDelay),
      ("fetch.lookupTimeout", fetch.lookupTimeout),
      ("fetch.silentHostPause", fetch.silentHostPause),
    ]
    for (name, value) in seconds where !(value > 0 && value <= 3600) {
      throw invalid(name, value, "in 0...3600 seconds, and not 0")
    }
    // A row that waits for hours waits for nothing, and time has an end that sums of waits can reach.
    if let rate = fetch.requestsPerSecondPerHost, !(0.001...1e6).contains(rate) {
      throw invalid("fetch.requestsPerSecondPerHost", rate, "in 0.001...1000000")
    }
    for address in fetch.allowedAddresses where IPAddress(address) == nil {
      throw invalid("fetch.allowedAddresses", address, "IP addresses, such as 10.0.0.7")
    }
    let isPrintable = fetch.userAgent.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    if fetch.userAgent.isEmpty || !isPrintable {
      throw invalid("fetch.userAgent", fetch.userAgent, "printable ASCII, such as \"name/1.0\"")
    }
  }

  private func atLeast(_ name: String, _ value: Int, _ minimum: Int) throws(LaionError) {
    if value < minimum { throw invalid(name, value, "at least \(minimum)") }
  }

  private func within(
    _ name: String,
    _ value: Int,
    _ range: ClosedRange<Int>
  ) throws(LaionError) {
    if !range.contains(value) { throw invalid(name, value, "in \(range)") }
  }

  private func invalid(_ name: String, _ value: some Any, _ expected: String) -> LaionError {
    .invalidSetting(name: name, value: "\(value)", expected: expected)
  }
}
