import Files
import Foundation
import NIOPosix

/// Downloads one split: rows in, numbered pairs out.
///
/// Rows are requested many at a time and finish in any order, but are numbered in row order, so the
/// same metadata gives the same pairs under the same numbers whatever the network's mood, and a run
/// that was killed continues where its ledger ends.
struct SplitDownload {
  let part: MetadataPart
  let configuration: LaionConfiguration
  let folder: SplitFolder
  let fetcher: ImageFetcher
  let store: ImageStore
  let pool: NIOThreadPool
  let report: @Sendable (LaionProgress) -> Void

  private static let flushInterval = Duration.seconds(2)

  /// What became of a row.
  private enum RowResult: Sendable {
    case filtered(RowFilter.Cause)
    case fetched(FetchOutcome, caption: String)
    case refused(FileError)
  }

  /// The loop's own variables.
  private struct State {
    var rows: MetadataRows
    var window = RowWindow<RowResult>()
    var tally: Tally
    var batch: [Ledger.Entry] = []
    var captions: [SplitFolder.Pair] = []
    var hasRows = true
    var lastFlush = ContinuousClock.now
  }

  func run() async throws(LaionError) -> SplitStatistics {
    var rows = try MetadataRows(part)
    let rowCount = rows.rowCount
    // The ledger is also the lock: nothing in the folder is touched before it is ours.
    try file { () throws(FileError) in try folder.create() }
    let ledger = try Ledger(folder.ledgerPath, fingerprint: fingerprint(rowCount: rowCount))
    let done = ledger.summary
    try file { () throws(FileError) in try folder.clean(after: done.pairs) }
    var tally = Tally(
      part: part,
      target: configuration.perSplit,
      rowCount: rowCount,
      done: done
    )
    try skip(&rows, upTo: done.nextRow, &tally)
    if tally.isFull {
      return try await finish(tally, rowCount: rowCount, isExhausted: false)
    }

    let state = State(rows: rows, tally: tally)
    let outcome = await withTaskGroup(
      of: (row: Int, result: RowResult).self,
      returning: Result<State, LaionError>.self
    ) { group in
      var state = state
      do throws(LaionError) {
        try await drive(&state, &group, ledger)
        group.cancelAll()
        return .success(state)
      } catch {
        group.cancelAll()
        return .failure(error)
      }
    }
    if case .failure = outcome {
      // A full disk gets back what waited there; the rows are requested again.
      folder.removeStaging()
    }
    tally = try outcome.get().tally
    return try await finish(tally, rowCount: rowCount, isExhausted: !tally.isFull)
  }

  /// Starts rows, collects results and publishes what is next in order, until the split is full.
  private func drive(
    _ state: inout State,
    _ group: inout TaskGroup<(row: Int, result: RowResult)>,
    _ ledger: Ledger
  ) async throws(LaionError) {
    while true {
      try start(&state, &group)
      while !state.tally.isFull, state.batch.count < configuration.rowsPerFlush,
        let (row, result) = state.window.take()
      {
        try take(row, result, &state)
      }
      let isDone = state.tally.isFull || (!state.hasRows && state.window.count == 0)
      let isBatchFull = state.batch.count >= configuration.rowsPerFlush
      if isDone || isBatchFull || state.lastFlush.duration(to: .now) > Self.flushInterval {
        try await flush(&state, ledger)
      }
      if isDone { return }
      // More rows may be next in order already.
      if isBatchFull { continue }
      if let (row, result) = await group.next() { state.window.finish(row, result) }
      // Results that arrive after a cancellation are its consequence and say nothing of the rows.
      if Task.isCancelled { throw .cancelled }
      report(state.tally.progress)
    }
  }

  /// Begins rows while the window has room.
  private func start(
    _ state: inout State,
    _ group: inout TaskGroup<(row: Int, result: RowResult)>
  ) throws(LaionError) {
    // Near the end no more rows are begun than the pairs still missing may need.
    let missing = configuration.perSplit - state.tally.pairs
    let unfinished = min(configuration.window, missing.multipliedClamped(by: 4) + 8)
    while state.hasRows, state.window.count < configuration.window,
      state.window.unfinished < unfinished
    {
      guard let row = try state.rows.next() else {
        state.hasRows = false
        return
      }
      state.window.begin(row.row)
      let caption = CaptionCleaner.lines(row.text ?? "")
      if let cause = configuration.filter.cause(row, caption: caption) {
        state.window.finish(row.row, .filtered(cause))
      } else {
        let text = caption.joined(separator: "\n")
        group.addTask { (row.row, await fetch(row, caption: text)) }
      }
    }
  }

  private func fetch(_ row: MetadataRow, caption: String) async -> RowResult {
    let result = await fetcher.fetch(row.url ?? "") { body in
      await store.store(body, to: folder.stagedImage(row: row.row))
    }
    switch result {
    case .success(.outcome(let outcome)): return .fetched(outcome, caption: caption)
    case .success(.refused(let error)): return .refused(error)
    case .failure(let cause): return .fetched(.failure(cause), caption: caption)
    }
  }

  /// Counts the next row in order and puts it on the batch.
  private func take(_ row: Int, _ result: RowResult, _ state: inout State) throws(LaionError) {
    switch result {
    case .refused(let error):
      throw .file(error)
    case .filtered(let cause):
      state.tally.filter(row, cause)
    case .fetched(let outcome, let caption):
      var number: Int?
      if case .success = outcome {
        number = state.tally.pairs
        state.captions.append(.init(row: row, number: state.tally.pairs, caption: caption))
      }
      let entry = Ledger.Entry(row: row, number: number, outcome: outcome)
      state.tally.add(entry)
      state.batch.append(entry)
    }
  }

  private func flush(_ state: inout State, _ ledger: Ledger) async throws(LaionError) {
    let (entries, pairs, folder) = (state.batch, state.captions, folder)
    if !entries.isEmpty {
      let result: Result<Void, FileError>
      do {
        result = try await pool.runIfActive {
          Result { () throws(FileError) in
            try folder.publish(pairs)
            try ledger.append(entries)
          }
        }
      } catch {
        throw .cancelled
      }
      if case .failure(let error) = result { throw .file(error) }
    }
    state.batch = []
    state.captions = []
    state.lastFlush = .now
  }

  /// Reads past the rows that the ledger has, counting again what the filters dropped.
  private func skip(
    _ rows: inout MetadataRows,
    upTo nextRow: Int,
    _ tally: inout Tally
  ) throws(LaionError) {
    for _ in 0..<nextRow {
      guard let row = try rows.next() else { throw .differentSettings(folder: folder.path) }
      let caption = CaptionCleaner.lines(row.text ?? "")
      if let cause = configuration.filter.cause(row, caption: caption) {
        tally.filter(row.row, cause)
      }
    }
  }

  private func finish(
    _ tally: Tally,
    rowCount: Int,
    isExhausted: Bool
  ) async throws(LaionError) -> SplitStatistics {
    let statistics = tally.statistics(rowCount: rowCount, isExhausted: isExhausted)
    try SplitIndex.write(folder, part: part)
    folder.removeStaging()
    try file { () throws(FileError) in try statistics.write(to: folder.statisticsPath) }
    report(tally.progress)
    return statistics
  }

  /// Stands for everything that decides which rows become pairs under which numbers.
  private func fingerprint(rowCount: Int) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let settings = [
      (try? encoder.encode(configuration.filter)) ?? Data(),
      (try? encoder.encode(configuration.image)) ?? Data(),
      Data("\(part.fileName) \(rowCount)".utf8),
    ]
    return String(FNV.hash(settings.joined(separator: [0])), radix: 16)
  }

  private func file<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(LaionError) -> Value {
    do throws(FileError) { return try body() } catch { throw .file(error) }
  }
}

extension Int {
  fileprivate func multipliedClamped(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max / 2 : product
  }
}
