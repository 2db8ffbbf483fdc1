import Files
import Images

extension SplitDownload {
  /// Begins rows while the window has room.
  func start(_ state: inout State, _ group: inout Group) throws(LaionError) {
    // Near the end no more rows are begun than the pairs still missing may need.
    let missing = configuration.perSplit - state.tally.pairs
    // Some wait for a name, a host or another attempt; more would wait for nothing, 12 KB each.
    let busy = max(1024, 6 * configuration.fetch.concurrency)
    let unfinished = min(configuration.window, busy, missing.multipliedClamped(by: 4) + 8)
    while state.hasRows, state.window.count < configuration.window,
      state.window.unfinished < unfinished
    {
      guard let row = try state.rows.next() else {
        state.hasRows = false
        return
      }
      if let again = state.again, again[row.row] == nil { continue }
      let verdict = state.screen.judge(row)
      state.window.begin(row.row)
      switch verdict {
      case .dropped(let cause): state.finish(row.row, .filtered(cause))
      case .wanted(let caption): group.addTask { .row(row.row, await fetch(row, caption: caption)) }
      }
    }
  }

  private func fetch(_ row: MetadataRow, caption: String) async -> RowResult {
    let result = await fetcher.fetch(row.url ?? "", order: row.row) { body in
      await store.store(body, to: folder.stagedImage(row: row.row))
    }
    switch result {
    case .success(.outcome(let outcome)): return .fetched(outcome, caption: caption)
    case .success(.refused(let error)): return .refused(error)
    case .failure(let cause): return .fetched(.failure(cause), caption: caption)
    }
  }

  /// Brings the state to where the ledger ends: reads past the rows that it has, counting again what
  /// the filters dropped, and remembers the files that are stored.
  ///
  /// - Parameters:
  ///   - state: Changed to go on from there.
  ///   - pass: In a second pass, the row from which on failed ones are requested again.
  /// - Throws: `LaionError` when ledger or metadata cannot be read.
  func recall(_ state: inout State, again pass: Int?) throws(LaionError) {
    for _ in 0..<state.tally.summary.nextRow {
      guard let row = try state.rows.next() else { throw .differentSettings(folder: folder.path) }
      if case .dropped(let cause) = state.screen.judge(row) { state.tally.filter(row.row, cause) }
    }
    var failed: [Int: FetchCause] = [:]
    var stored = HashSet64()
    var looks = configuration.image.nearDuplicateBits.map { NearDuplicates(threshold: $0) }
    try Ledger.read(folder.ledgerPath, header: nil) { entry in
      failed[entry.row] = nil
      switch entry.outcome {
      case .success(let image):
        _ = stored.insert(image.hash)
        if let look = image.look.flatMap({ PerceptualHash($0) }) { _ = looks?.insert(look) }
      case .failure(let cause):
        if let pass, entry.row >= pass, RetryPolicy.canRecover(cause) { failed[entry.row] = cause }
      }
    }
    state.stored = stored
    state.looks = looks
    if pass == nil { return }
    // The rows behind the last request may have been dropped all: they were looked at as well.
    while let row = try state.rows.next() {
      if case .dropped(let cause) = state.screen.judge(row) { state.tally.filter(row.row, cause) }
    }
    // A second pass asks for rows that the first one has judged: they pass without comparison.
    state.rows = try MetadataRows(part, columns: configuration.columns)
    var filter = configuration.filter
    filter.dropsDuplicates = false
    state.screen = RowScreen(filter, denied: denied)
    state.again = failed
    state.tally.beginPass(over: failed.count)
  }
}

extension StoredImage {
  /// The first 64 bits of the file's SHA-256.
  var hash: UInt64 { sha256.first64Bits }
}

extension String {
  /// The first 64 bits of a hexadecimal digest.
  var first64Bits: UInt64 { UInt64(prefix(16), radix: 16) ?? FNV.hash(utf8) }
}

extension Int {
  fileprivate func multipliedClamped(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max / 2 : product
  }
}
