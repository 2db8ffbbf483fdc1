import Files
import Foundation
import Images
import NIOPosix

/// Downloads one split: rows in, numbered pairs out.
///
/// Rows are requested many at a time and finish in any order, but are numbered in row order, so the
/// same metadata gives the same pairs under the same numbers in whatever order the network answers, and a run
/// that was killed continues where its ledger ends.
struct SplitDownload {
  let part: MetadataPart
  let configuration: LaionConfiguration
  let folder: SplitFolder
  let fetcher: ImageFetcher
  let store: ImageStore
  let pool: NIOThreadPool
  let denied: DenyList
  let reporter: ProgressReporter
  /// Takes finished files to an object store; `nil` if they stay here.
  let uploads: StoreUploads?

  typealias Group = ThrowingTaskGroup<Event, any Error>

  /// The outcome of a row.
  enum RowResult: Sendable {
    case filtered(RowFilter.Cause)
    case requested(FetchOutcome, caption: String)
  }

  /// An event of the loop.
  enum Event: Sendable {
    case row(Int, RowResult)
    /// A tick: finished rows are flushed although the next row in order is slow.
    case tick
  }

  /// The loop's own variables.
  struct State {
    let sink: any PairSink
    var rows: MetadataRows
    var screen: RowScreen
    var window = RowWindow<RowResult>()
    /// Rows in the window whose captions were not UTF-8.
    var recoded: Set<Int> = []
    /// Stored images in the window, ahead of a slow row.
    var pairsAhead = 0
    var tally: Tally
    /// Hashes of the files stored so far.
    var stored = HashSet64()
    /// Perceptual hashes of the pictures stored so far, if near duplicates are dropped.
    var perceptualHashes: NearDuplicates?
    /// Rows whose images crashed earlier runs; they are skipped.
    var crashed: Set<Int> = []
    /// In a retry pass, the rows to request and why they failed before.
    var retries: [Int: FetchCause]?
    var batch: [Ledger.Entry] = []
    var captions: [StagedPair] = []
    var hasRows = true
    var lastFlush = ContinuousClock.now
    var lastTrim = ContinuousClock.now

    /// Records the outcome of a row.
    mutating func finish(_ row: Int, _ result: RowResult) {
      if case .requested(.success, _) = result { pairsAhead += 1 }
      window.finish(row, result)
    }

    /// The next row in order, if it is finished.
    mutating func takeNext() -> (row: Int, value: RowResult)? {
      guard let next = window.take() else { return nil }
      if case .requested(.success, _) = next.value { pairsAhead -= 1 }
      return next
    }

    /// The split's progress, with the rows that are finished ahead of a slow one.
    var progress: LaionProgress {
      tally.progress(ahead: (rows: window.count - window.unfinished, pairs: pairsAhead))
    }
  }

  /// Crashes by an image after which its row is skipped.
  private static let mostCrashes = 2

  private func sink(_ fingerprint: String) -> any PairSink {
    switch configuration.layout {
    case .folder: FileSink(folder: folder)
    case .webdataset: TarSink(folder: folder, pairsPerShard: configuration.pairsPerShard)
    case .zip:
      ZipSink(
        folder,
        fingerprint: fingerprint,
        side: configuration.image.size ?? 0,
        source: "nifty laion \(part.fileName)"
      )
    }
  }

  /// Downloads what is missing.
  ///
  /// - Parameter retries: Whether the split is finished and a retry pass begins, over the transient
  ///   failures. An interrupted retry pass continues by itself.
  /// - Returns: The statistics of the whole split, and the number of pairs stored now.
  /// - Throws: `LaionError` if the disk refuses, the metadata is damaged, or the task is cancelled.
  func run(retries: Bool) async throws(LaionError) -> (SplitStatistics, added: Int) {
    let fingerprint = try fingerprint()
    // The ledger is also the lock: take it before touching the folder.
    try file { () throws(FileError) in try folder.create() }
    let ledger = try Ledger(folder.ledgerPath, fingerprint: fingerprint)
    defer { withExtendedLifetime(ledger) {} }
    if retries, ledger.summary.pass == nil {
      try file { () throws(FileError) in try ledger.mark(.began) }
    }
    // From here to its end the split counts as unfinished.
    folder.remove(folder.statisticsPath)
    try await uploads?.reopen(folder)
    let crashes = try file { () throws(FileError) in try CrashLog(folder.crashesPath) }
    defer { withExtendedLifetime(crashes) {} }
    let sink = sink(fingerprint)
    if let uploads, let path = sink.missing(after: ledger.summary.pairs) {
      try await uploads.bringBack(path, of: folder)
    }
    let held = try file { () throws(FileError) in
      try folder.clean()
      return try sink.resume(after: ledger.summary.pairs)
    }
    if held < ledger.summary.pairs { try ledger.cut(toPairs: held) }
    // What an interrupted run has left goes first: it takes room.
    try await uploads?.add(shardsOf: folder)
    try await uploads?.drain()
    let before = ledger.summary.pairs
    let crashed = crashes.counts.filter { $0.value >= Self.mostCrashes }.map(\.key)
    let tally = try await downloadMissing(to: sink, ledger, crashed: Set(crashed))
    if ledger.summary.pass != nil {
      try file { () throws(FileError) in try ledger.mark(.ended) }
    }
    let statistics = try finish(tally, sink)
    try await uploads?.add(finishedOf: folder)
    crashes.remove()
    return (statistics, tally.pairs - before)
  }

  /// Downloads up to the last pair; its memory is freed before the index is written.
  private func downloadMissing(
    to sink: any PairSink,
    _ ledger: Ledger,
    crashed: Set<Int>
  ) async throws(LaionError) -> Tally {
    let rows = try MetadataRows(part, columns: configuration.columns)
    var state = State(
      sink: sink,
      rows: rows,
      screen: RowScreen(configuration.filter, denied: denied),
      tally: Tally(
        part: part,
        target: configuration.perSplit,
        rowCount: rows.rowCount,
        done: ledger.summary
      )
    )
    state.crashed = crashed
    try resume(&state, retryPass: configuration.retriesFailures ? ledger.summary.pass : nil)
    return state.tally.isFull ? state.tally : try await downloadRows(from: state, ledger)
  }

  private func downloadRows(
    from state: State,
    _ ledger: Ledger
  ) async throws(LaionError) -> Tally {
    let outcome = await withThrowingTaskGroup(
      of: Event.self,
      returning: Result<Tally, LaionError>.self
    ) { group in
      var state = state
      do throws(LaionError) {
        try await run(&state, &group, ledger)
        group.cancelAll()
        return .success(state.tally)
      } catch {
        group.cancelAll()
        reporter.end(state.tally.progress())
        return .failure(error)
      }
    }
    if case .failure = outcome {
      // Frees the staging folder's space on a full disk; its rows will be requested again.
      folder.removeStaging()
    }
    return try outcome.get()
  }

  private func finish(
    _ tally: Tally,
    _ sink: any PairSink
  ) throws(LaionError) -> SplitStatistics {
    let statistics = tally.statistics(isExhausted: !tally.isFull)
    try file { () throws(FileError) in try sink.finish(pairs: tally.pairs) }
    Memory.trim()
    try SplitIndex.write(folder, part: part, columns: configuration.columns)
    folder.removeStaging()
    try file { () throws(FileError) in try statistics.write(to: folder.statisticsPath) }
    reporter.end(tally.progress(isLast: true))
    return statistics
  }

  func file<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(LaionError) -> Value {
    do throws(FileError) { return try body() } catch { throw .file(error) }
  }
}
