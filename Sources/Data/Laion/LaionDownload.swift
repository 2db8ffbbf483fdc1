import Foundation
import NIOCore
import NIOPosix
import ObjectStore
import Parquet
import Threads

/// Downloads LAION: metadata in, numbered image–caption pairs out.
///
/// `splitN/K.png` and `splitN/K.txt` are pair K of split N; the text has one caption per line.
/// `splitN/index.parquet` lists the origin of each pair and the failure of every other row,
/// `splitN/stats.json` counts. A run that is killed at any moment continues when it is restarted, and ends
/// with the same pairs.
package struct LaionDownload: Sendable {
  /// The settings.
  package let configuration: LaionConfiguration

  /// A download that has not begun.
  package init(_ configuration: LaionConfiguration) {
    self.configuration = configuration
  }

  /// Downloads all splits that are not finished, one after another.
  ///
  /// - Parameters:
  ///   - progress: Called about twice a second, and once when a split ends.
  ///   - uploading: Called about twice a second while an object store is waited for.
  /// - Returns: The statistics of every split, finished ones included.
  /// - Throws: `LaionError` for wrong settings, unreadable metadata, a full disk, or when the task is
  ///   cancelled. A failed row is counted, not thrown; a part that is damaged inside is
  ///   thrown after the other parts are done.
  package func run(
    progress: @escaping @Sendable (LaionProgress) -> Void = { _ in },
    uploading: @escaping @Sendable (UploadProgress) -> Void = { _ in }
  ) async throws(LaionError) -> LaionReport {
    try configuration.validate()
    if S3Location.isAddress(configuration.output),
      let reason = ThreadLimit.refusal(of: configuration.fetch, hasStore: true)
    {
      throw .tooFewThreads(reason)
    }
    guard let uploads = try StoreUploads(configuration, tell: uploading) else {
      return try await run(nil, progress: progress)
    }
    var local = configuration
    (local.output, local.work, local.storeEndpoint) = (uploads.folder, nil, nil)
    let result: Result<LaionReport, LaionError>
    do throws(LaionError) {
      var report = try await LaionDownload(local).run(uploads, progress: progress)
      report.uploaded = await uploads.totals
      result = .success(report)
    } catch {
      result = .failure(error)
    }
    await uploads.shutDown()
    return try result.get()
  }

  private func run(
    _ uploads: StoreUploads?,
    progress: @escaping @Sendable (LaionProgress) -> Void
  ) async throws(LaionError) -> LaionReport {
    let all = try MetadataPart.list(in: configuration.metadata, range: configuration.parts)
    let parts = try shard(of: all)
    if configuration.filter.keepsUncaptioned != true, configuration.columns.header == nil,
      let list = parts.first(where: { $0.format == .txt })
    {
      throw .option("\(list.path) is a list of addresses without captions: add --uncaptioned")
    }
    if configuration.columns.header != nil,
      parts.allSatisfy({ ![.csv, .tsv, .txt].contains($0.format) })
    {
      throw .option(
        "--columns names the columns of .csv, .tsv and .txt: \(configuration.metadata) has none of these; "
          + "leave it out"
      )
    }
    let denied = try DenyList(configuration.denyList)
    if !parts.isEmpty { try OpenFiles.allow(OpenFiles.needed(by: configuration.fetch)) }
    if !parts.isEmpty, let reason = ThreadLimit.refusal(of: configuration.fetch) {
      throw .tooFewThreads(reason)
    }
    let network = Connections(configuration, denied)
    let result: Result<LaionReport, LaionError>
    do throws(LaionError) {
      let output = configuration.output
      let report = ProgressReporter { state in
        state.note(inFolderOf: SplitFolder.path(of: state.split, in: output))
        progress(state)
      }
      let splits = parts.map { split($0, denied, network, report, uploads) }
      // Fail early: a damaged part or a folder with other settings must not show after days of downloading.
      var unreadColumns: [String: String] = [:]
      for split in splits {
        let rows = try MetadataRows(split.part, columns: configuration.columns)
        for (name, type) in rows.unreadColumns { unreadColumns[name] = type }
        if configuration.filter.keepsUncaptioned != true, !rows.hasCaptions {
          throw .noCaptionColumn(path: split.part.path, columns: rows.columnNames)
        }
        try split.checkSettings()
      }
      try await uploads?.prepare(splits.map(\.folder))
      var whole: LaionReport
      do throws(LaionError) {
        whole = try await run(splits)
      } catch  where error.isDamage {
        // The other parts are whole, and so is what goes to the store.
        try await uploads?.end(splits.map(\.folder))
        throw error
      }
      try await uploads?.end(splits.map(\.folder))
      whole.notes = unreadColumns.sorted { $0.key < $1.key }.map { name, type in
        "column \(name) has the Arrow type '\(type)', which is not read: its values count as unknown"
      }
      whole.notes += try MetadataPart.passedOver(in: configuration.metadata)
      result = .success(whole)
    } catch {
      result = .failure(error)
    }
    await network.shutDown()
    return try result.get()
  }

  private func run(_ splits: [SplitDownload]) async throws(LaionError) -> LaionReport {
    var report = LaionReport(splits: [], skipped: [])
    var damage: LaionError?
    for split in splits {
      var retries = false
      if let finished = SplitStatistics.read(split.folder.statisticsPath),
        finished.isComplete(for: configuration.perSplit)
      {
        retries = configuration.retriesFailures && finished.pairs < configuration.perSplit
        if !retries {
          report.splits.append(finished)
          report.skipped.append(split.part.number)
          try await split.uploads?.add(finishedOf: split.folder)
          continue
        }
      }
      do throws(LaionError) {
        let (statistics, added) = try await split.run(retries: retries)
        report.splits.append(statistics)
        report.added += added
      } catch  where error.isDamage {
        // A damaged part does not stop the others.
        damage = damage ?? error
      }
    }
    if let damage { throw damage }
    return report
  }

  private func split(
    _ part: MetadataPart,
    _ denied: DenyList,
    _ network: Connections,
    _ reporter: ProgressReporter,
    _ uploads: StoreUploads?
  ) -> SplitDownload {
    SplitDownload(
      part: part,
      configuration: configuration,
      folder: SplitFolder(
        path: SplitFolder.path(of: part.number, in: configuration.output),
        format: configuration.image.format
      ),
      fetcher: network.fetcher,
      store: ImageStore(
        pool: network.decoders,
        pixels: network.pixels,
        settings: configuration.image
      ),
      pool: network.decoders,
      denied: denied,
      reporter: reporter,
      uploads: uploads
    )
  }

  /// This machine's parts; with more machines than parts some have none.
  private func shard(of parts: [MetadataPart]) throws(LaionError) -> [MetadataPart] {
    guard let shard = configuration.shard else { return parts }
    let own = parts.filter { shard.takes($0.number) }
    // Without a count machine i has part i: without such a part the number is a mistake.
    if own.isEmpty, shard.count == nil {
      throw .noSuchPart(part: shard.index, folder: configuration.metadata, count: parts.count)
    }
    return own
  }
}

/// The threads and connections of a download.
private struct Connections: Sendable {
  let fetcher: ImageFetcher
  let decoders: NIOThreadPool
  let pixels: MemoryBudget

  private let resolver: SystemResolver
  private let clients: PinnedClients
  private let group: MultiThreadedEventLoopGroup

  init(_ configuration: LaionConfiguration, _ denied: DenyList) {
    let settings = configuration.fetch
    pixels = MemoryBudget(limit: settings.maximumPixelsInFlight)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, cores / 2))
    decoders = NIOThreadPool(numberOfThreads: settings.decoderThreads ?? cores)
    decoders.start()
    resolver = SystemResolver(
      threads: settings.resolverThreads,
      timeout: .seconds(settings.lookupTimeout)
    )
    let hosts = HostResolver(policy: AddressPolicy(settings), lookUp: resolver.lookUp)
    clients = PinnedClients(resolver: hosts, group: group, settings: settings)
    fetcher = ImageFetcher(clients: clients, settings: settings, denied: denied)
  }

  func shutDown() async {
    await clients.shutDown()
    resolver.shutDown()
    try? await decoders.shutdownGracefully()
    try? await group.shutdownGracefully()
  }
}
