import Files
import Foundation
import Images
import NIOPosix

// One row, from the metadata to its pair, goes down through this file: `begin` reads it, `download` fetches
// and stores its image, `record` gives it a number, and `flush` publishes the pair.
extension SplitDownload {
  /// With a tick after it, at most two seconds of stored rows are lost when the program is killed.
  private static let flushInterval = Duration.seconds(1)
  private static let tickInterval = Duration.milliseconds(500)
  private static let trimInterval = Duration.seconds(3)

  /// Begins rows, takes their results in row order and stores the pairs, until the split is full.
  func run(
    _ state: inout State,
    _ group: inout Group,
    _ ledger: Ledger
  ) async throws(LaionError) {
    group.addTask { await Self.tick() }
    while true {
      try begin(&state, &group)
      while !state.tally.isFull, state.batch.count < configuration.rowsPerFlush,
        let (row, result) = state.takeNext()
      {
        record(row, result, &state)
      }
      let isDone = state.tally.isFull || (!state.hasRows && state.window.count == 0)
      let isBatchFull = state.batch.count >= configuration.rowsPerFlush
      if isDone || isBatchFull || state.lastFlush.duration(to: .now) > Self.flushInterval {
        try await flush(&state, ledger)
      }
      if isDone { return }
      // Later rows may be finished already.
      if isBatchFull { continue }
      switch try await Self.next(of: &group) {
      case .row(let row, let result): state.finish(row, result)
      case .tick: group.addTask { await Self.tick() }
      case nil: break
      }
      // Results that arrive after a cancellation are its consequence, not the rows' outcomes.
      if Task.isCancelled { throw .cancelled }
      reporter.note(state.progress)
    }
  }

  /// Begins rows while the window has room.
  private func begin(_ state: inout State, _ group: inout Group) throws(LaionError) {
    // Near the end no more rows are begun than the pairs still missing may need.
    let missing = configuration.perSplit - state.tally.pairs
    // Some wait for a DNS lookup, a slot or a retry; more would only take memory, 12 KB each.
    let busy = max(1024, 6 * configuration.fetch.concurrency)
    let unfinished = min(configuration.window, busy, 4 * min(missing, 1 << 40) + 8)
    while state.hasRows, state.window.count < configuration.window,
      state.window.unfinished < unfinished
    {
      guard let row = try state.rows.next() else {
        state.hasRows = false
        return
      }
      if let retries = state.retries, retries[row.row] == nil { continue }
      let verdict = state.screen.judge(row)
      state.window.begin(row.row)
      // In a retry pass they were counted when the ledger was read.
      if row.isRecoded, state.retries == nil { state.recoded.insert(row.row) }
      switch verdict {
      case .dropped(let cause): state.finish(row.row, .filtered(cause))
      case .wanted(let caption) where state.crashed.contains(row.row):
        state.finish(row.row, .requested(.failure(.workerCrashed), caption: caption))
      case .wanted(let caption):
        let staging = state.sink.staging
        group.addTask {
          .row(row.row, .requested(try await download(row, to: staging), caption: caption))
        }
      }
    }
  }

  /// Fetches a row's image and stages it under the row's number.
  private func download(
    _ row: MetadataRow,
    to staging: any ImageStaging
  ) async throws(FileError) -> FetchOutcome {
    try await fetcher.fetch(row.url ?? "", order: row.row) { body in
      await store.store(body, row: row.row, to: staging)
    }
  }

  /// The next event.
  ///
  /// - Throws: The error of the disk that refused a row's image.
  private static func next(of group: inout Group) async throws(LaionError) -> Event? {
    do {
      return try await group.next()
    } catch {
      guard let error = error as? FileError, !Task.isCancelled else { throw .cancelled }
      throw .file(error)
    }
  }

  /// Counts the next row in order and adds it to the batch.
  private func record(_ row: Int, _ result: RowResult, _ state: inout State) {
    if state.recoded.remove(row) != nil { state.tally.noteRecoded() }
    switch result {
    case .filtered(let cause):
      state.tally.filter(row, cause)
    case .requested(var outcome, let caption):
      var number: Int?
      if case .success(let image) = outcome {
        // Judged here, in row order, so that the result does not depend on the network.
        if let cause = Self.repetition(image, configuration.image, &state) {
          outcome = .failure(cause)
          state.sink.staging.discard(row: row)
        } else {
          number = state.tally.pairs
          state.captions.append(.init(row: row, number: state.tally.pairs, caption: caption))
        }
      }
      let entry = Ledger.Entry(
        row: row,
        number: number,
        outcome: outcome,
        replaced: state.retries?[row]
      )
      state.tally.add(entry)
      state.batch.append(entry)
    }
  }

  /// The cause if an image duplicates a stored one; else `nil`, and its hashes are noted.
  private static func repetition(
    _ image: StoredImage,
    _ settings: ImageSettings,
    _ state: inout State
  ) -> FetchCause? {
    if settings.dropsDuplicates, !state.stored.insert(image.hash) { return .duplicateImage }
    guard let perceptualHash = image.perceptualHash.flatMap({ PerceptualHash($0) }) else {
      return nil
    }
    return state.perceptualHashes?.insert(perceptualHash) == false ? .nearDuplicate : nil
  }

  private func flush(_ state: inout State, _ ledger: Ledger) async throws(LaionError) {
    let (entries, pairs, sink) = (state.batch, state.captions, state.sink)
    let before = ledger.summary.pairs
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
      for path in sink.finished(from: before, to: ledger.summary.pairs) {
        try await uploads?.add(path, of: folder)
      }
    }
    state.batch = []
    state.captions = []
    state.lastFlush = .now
    if state.lastTrim.duration(to: .now) > Self.trimInterval {
      Memory.trim()
      state.lastTrim = .now
    }
  }

  private static func tick() async -> Event {
    try? await Task.sleep(for: tickInterval)
    return .tick
  }
}
