import BasicAlgorithms
import Files
import Images

extension SplitDownload {
  /// Replays the ledger: skips its rows, counts the filtered ones again, and collects the hashes of stored
  /// files.
  ///
  /// - Parameters:
  ///   - state: Set to where the ledger ends.
  ///   - pass: In a retry pass, the row from which on failures are retried.
  /// - Throws: `LaionError` when ledger or metadata cannot be read.
  func resume(_ state: inout State, retryPass pass: Int?) throws(LaionError) {
    for _ in 0..<state.tally.summary.nextRow {
      guard let row = try state.rows.next() else { throw .differentSettings(folder: folder.path) }
      if case .dropped(let cause) = state.screen.judge(row) { state.tally.filter(row.row, cause) }
      if row.isRecoded { state.tally.noteRecoded() }
    }
    var failed: [Int: FetchCause] = [:]
    var stored = HashSet64()
    var perceptualHashes = configuration.image.nearDuplicateBits.map {
      NearDuplicates(threshold: $0)
    }
    try Ledger.read(folder.ledgerPath, header: nil) { entry in
      failed[entry.row] = nil
      switch entry.outcome {
      case .success(let image):
        _ = stored.insert(image.hash)
        if let perceptualHash = image.perceptualHash.flatMap({ PerceptualHash($0) }) {
          _ = perceptualHashes?.insert(perceptualHash)
        }
      case .failure(let cause):
        if let pass, entry.row >= pass, RetryPolicy.canRecover(cause) { failed[entry.row] = cause }
      }
    }
    state.stored = stored
    state.perceptualHashes = perceptualHashes
    if pass == nil { return }
    // The rows after the last request were filtered, too, and all of them may have been dropped.
    while let row = try state.rows.next() {
      if case .dropped(let cause) = state.screen.judge(row) { state.tally.filter(row.row, cause) }
      if row.isRecoded { state.tally.noteRecoded() }
    }
    // Retried rows were accepted in the first pass: they are not compared with others again.
    state.rows = try MetadataRows(part, columns: configuration.columns)
    var filter = configuration.filter
    filter.dropsDuplicates = false
    state.screen = RowScreen(filter, denied: denied)
    state.retries = failed
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
