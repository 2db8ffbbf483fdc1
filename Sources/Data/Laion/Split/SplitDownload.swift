import Files
import Foundation
import Images
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
  let denied: DenyList
  let reporter: ProgressReporter

  typealias Group = TaskGroup<Event>

  /// With a tick after it, at most two seconds of stored rows are lost when the program is killed.
  private static let flushInterval = Duration.seconds(1)
  private static let tickInterval = Duration.milliseconds(500)
  private static let givingBackInterval = Duration.seconds(3)

  /// What became of a row.
  enum RowResult: Sendable {
    case filtered(RowFilter.Cause)
    case fetched(FetchOutcome, caption: String)
    case refused(FileError)
  }

  /// What the loop waits for.
  enum Event: Sendable {
    case row(Int, RowResult)
    /// Time has passed: what is finished goes to the disk although the next row takes long.
    case tick
  }

  /// The loop's own variables.
  struct State {
    let sink: any PairSink
    var rows: MetadataRows
    var screen: RowScreen
    var window = RowWindow<RowResult>()
    /// Images in the window that wait for a row before them.
    var pairsAhead = 0
    var tally: Tally
    /// Hashes of the files stored so far.
    var stored = HashSet64()
    /// Looks of the pictures stored so far, where that matters.
    var looks: NearDuplicates?
    /// In a second pass, the rows to request again and why they failed.
    var again: [Int: FetchCause]?
    var batch: [Ledger.Entry] = []
    var captions: [StagedPair] = []
    var hasRows = true
    var lastFlush = ContinuousClock.now
    var lastGivenBack = ContinuousClock.now

    /// Notes what became of a row.
    mutating func finish(_ row: Int, _ result: RowResult) {
      if case .fetched(.success, _) = result { pairsAhead += 1 }
      window.finish(row, result)
    }

    /// The next row in order, if it is finished.
    mutating func takeNext() -> (row: Int, value: RowResult)? {
      guard let next = window.take() else { return nil }
      if case .fetched(.success, _) = next.value { pairsAhead -= 1 }
      return next
    }

    /// How far the split is, with what is finished ahead of a row that takes long.
    var progress: LaionProgress {
      tally.progress(ahead: (rows: window.count - window.unfinished, pairs: pairsAhead))
    }
  }

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
  /// - Parameter again: Whether the split is finished and rows are requested again that failed for
  ///   reasons that pass. Such a second pass that was interrupted goes on by itself.
  /// - Returns: The statistics of the whole split, and how many of its pairs were stored now.
  /// - Throws: `LaionError` when the disk refuses, the metadata is damaged, or the task is cancelled.
  func run(again: Bool) async throws(LaionError) -> (SplitStatistics, added: Int) {
    let fingerprint = try fingerprint()
    // The ledger is also the lock: nothing in the folder is touched before it is ours.
    try file { () throws(FileError) in try folder.create() }
    let ledger = try Ledger(folder.ledgerPath, fingerprint: fingerprint)
    defer { withExtendedLifetime(ledger) {} }
    if again, ledger.summary.pass == nil {
      try file { () throws(FileError) in try ledger.mark(.began) }
    }
    // Until it is finished again, the split is an unfinished one.
    folder.remove(folder.statisticsPath)
    let sink = sink(fingerprint)
    let held = try file { () throws(FileError) in
      try folder.clean()
      return try sink.resume(after: ledger.summary.pairs)
    }
    if held < ledger.summary.pairs { try ledger.cut(toPairs: held) }
    let before = ledger.summary.pairs
    let tally = try await downloaded(to: sink, ledger)
    if ledger.summary.pass != nil {
      try file { () throws(FileError) in try ledger.mark(.ended) }
    }
    return (try finish(tally, sink), tally.pairs - before)
  }

  /// Everything up to the last pair; what it needed is gone when the index is written.
  private func downloaded(
    to sink: any PairSink,
    _ ledger: Ledger
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
    let pass = configuration.retriesFailures ? ledger.summary.pass : nil
    try recall(&state, again: pass)
    return state.tally.isFull ? state.tally : try await downloaded(state, ledger).tally
  }

  private func downloaded(_ state: State, _ ledger: Ledger) async throws(LaionError) -> State {
    let outcome = await withTaskGroup(
      of: Event.self,
      returning: Result<State, LaionError>.self
    ) { group in
      var state = state
      do throws(LaionError) {
        try await drive(&state, &group, ledger)
        group.cancelAll()
        return .success(state)
      } catch {
        group.cancelAll()
        reporter.end(state.tally.progress())
        return .failure(error)
      }
    }
    if case .failure = outcome {
      // A full disk gets back what waited there; the rows are requested again.
      folder.removeStaging()
    }
    return try outcome.get()
  }

  /// Starts rows, collects results and publishes what is next in order, until the split is full.
  private func drive(
    _ state: inout State,
    _ group: inout Group,
    _ ledger: Ledger
  ) async throws(LaionError) {
    group.addTask { await Self.tick() }
    while true {
      try start(&state, &group)
      while !state.tally.isFull, state.batch.count < configuration.rowsPerFlush,
        let (row, result) = state.takeNext()
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
      switch await group.next() {
      case .row(let row, let result): state.finish(row, result)
      case .tick: group.addTask { await Self.tick() }
      case nil: break
      }
      // Results that arrive after a cancellation are its consequence and say nothing of the rows.
      if Task.isCancelled { throw .cancelled }
      reporter.note(state.progress)
    }
  }

  private static func tick() async -> Event {
    try? await Task.sleep(for: tickInterval)
    return .tick
  }

  /// Counts the next row in order and puts it on the batch.
  private func take(_ row: Int, _ result: RowResult, _ state: inout State) throws(LaionError) {
    switch result {
    case .refused(let error):
      throw .file(error)
    case .filtered(let cause):
      state.tally.filter(row, cause)
    case .fetched(var outcome, let caption):
      var number: Int?
      if case .success(let image) = outcome {
        // Judged here, in row order, so that it does not depend on which one was faster.
        if let cause = Self.repetition(image, configuration.image, &state) {
          outcome = .failure(cause)
          folder.remove(folder.stagedImage(row: row))
        } else {
          number = state.tally.pairs
          state.captions.append(.init(row: row, number: state.tally.pairs, caption: caption))
        }
      }
      let entry = Ledger.Entry(
        row: row,
        number: number,
        outcome: outcome,
        replaced: state.again?[row]
      )
      state.tally.add(entry)
      state.batch.append(entry)
    }
  }

  /// Why an image is left out that repeats a stored one; `nil` when it does not, and is noted.
  private static func repetition(
    _ image: StoredImage,
    _ settings: ImageSettings,
    _ state: inout State
  ) -> FetchCause? {
    if settings.dropsDuplicates, !state.stored.insert(image.hash) { return .duplicateImage }
    guard let look = image.look.flatMap({ PerceptualHash($0) }) else { return nil }
    return state.looks?.insert(look) == false ? .nearDuplicate : nil
  }

  private func flush(_ state: inout State, _ ledger: Ledger) async throws(LaionError) {
    let (entries, pairs, sink) = (state.batch, state.captions, state.sink)
    if !entries.isEmpty {
      let result: Result<Void, FileError>
      do {
        result = try await pool.runIfActive {
          Result { () throws(FileError) in
            try sink.publish(pairs)
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
    if state.lastGivenBack.duration(to: .now) > Self.givingBackInterval {
      Memory.giveBack()
      state.lastGivenBack = .now
    }
  }

  private func finish(
    _ tally: Tally,
    _ sink: any PairSink
  ) throws(LaionError) -> SplitStatistics {
    let statistics = tally.statistics(isExhausted: !tally.isFull)
    try file { () throws(FileError) in try sink.finish(pairs: tally.pairs) }
    Memory.giveBack()
    try SplitIndex.write(folder, part: part, columns: configuration.columns)
    folder.removeStaging()
    try file { () throws(FileError) in try statistics.write(to: folder.statisticsPath) }
    reporter.end(tally.progress(isLast: true))
    return statistics
  }

  private func file<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(LaionError) -> Value {
    do throws(FileError) { return try body() } catch { throw .file(error) }
  }
}
