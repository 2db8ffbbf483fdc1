import Files
import Foundation
import ObjectStore
import Synchronization

/// What a download has brought into an object store.
package struct UploadTotals: Codable, Equatable, Sendable {
  /// Objects that this run has uploaded.
  package var objects = 0
  /// Bytes that this run has sent for them.
  package var bytes = 0
  /// Objects of the download that are in the store.
  package var total = 0
}

/// The progress of a download that waits for its object store.
package struct UploadProgress: Sendable {
  /// The file that is being sent, by its name below the prefix.
  package var name: String
  /// Bytes of it that the store has.
  package var done: Int
  /// Its size in bytes; 0 while it is not sent in parts.
  package var size: Int
  /// Files that wait.
  package var waiting: Int
}

/// Takes the finished files of a download to an object store, in order and beside the download.
///
/// Ledgers, unfinished files, index and statistics are in the working folder; tars and zips are removed there
/// once the store has them. A download that is faster than the store waits when `mostWaiting` files are in the
/// queue, so the disk holds at most these, the one that is being sent, and the one that grows.
actor StoreUploads {
  /// The working folder.
  nonisolated let folder: String
  /// Objects and bytes so far.
  private(set) var totals = UploadTotals()

  nonisolated let location: S3Location
  nonisolated private let client: StoreClient
  private var queue: [Item] = []
  private var worker: Task<Void, Never>?
  private var failure: LaionError?
  private let current = Mutex<(done: Int, size: Int)>((0, 0))
  nonisolated private let tell: @Sendable (UploadProgress) -> Void
  /// Names whose objects are not what the record says: they are looked at again.
  private var doubtful: Set<String> = []

  /// Files that may wait for the one that is being sent.
  private static let mostWaiting = 2
  private static let poll = Duration.milliseconds(50)
  private static let reportInterval = Duration.milliseconds(500)

  private var lastReport = ContinuousClock.now

  private struct Item: Sendable {
    var name: String
    var folder: SplitFolder
  }

  /// The uploads of a download; `nil` if its output is on this machine.
  ///
  /// - Parameters:
  ///   - configuration: The settings of the download.
  ///   - tell: Called about twice a second while the download waits for the store.
  /// - Throws: `LaionError` without credentials, or without a working folder.
  init?(
    _ configuration: LaionConfiguration,
    tell: @escaping @Sendable (UploadProgress) -> Void
  ) throws(LaionError) {
    guard S3Location.isAddress(configuration.output) else { return nil }
    let settings: StoreSettings
    do throws(StoreError) {
      location = try S3Location(configuration.output)
      settings = try StoreSettings(endpoint: configuration.storeEndpoint)
    } catch { throw .store(error) }
    guard let folder = configuration.workFolder else {
      throw .option(
        "give --work, a folder for ledgers and unfinished files: HOME and NIFTY_CACHE are not set"
      )
    }
    self.folder = folder
    self.tell = tell
    client = StoreClient(bucket: location.bucket, settings: settings)
  }

  /// Compares the store with the records, before the first row.
  ///
  /// - Throws: `LaionError` for a store that refuses, for objects of another download, and for uploaded objects
  ///   that are gone or changed and not here any more.
  func prepare(_ folders: [SplitFolder]) async throws(LaionError) {
    var records: [String: UploadLog.Content] = [:]
    for folder in folders {
      records[prefix(of: folder)] = try UploadLog.read(
        folder.uploadsPath,
        destination: destination(of: folder)
      )
    }
    // A mistyped endpoint should not be waited for as one that is busy.
    let first = StoreClient(bucket: location.bucket, settings: client.settings, attempts: 3)
    let listed: Result<[String: StoredObject], LaionError>
    do throws(LaionError) { listed = .success(try await objects(first)) } catch {
      listed = .failure(error)
    }
    await first.shutDown()
    let there = try listed.get()
    for object in there.values {
      guard let split = Self.split(of: object.key), let record = records[split],
        record.entries[object.key] == nil
      else { continue }
      throw .option(
        "\(address(object.key)) is there already, and \(folder) did not upload it; give the --work folder of the "
          + "run that did, or another --out"
      )
    }
    for folder in folders {
      let record = records[prefix(of: folder)] ?? .init()
      for (name, entry) in record.entries where !Self.holds(there[name], entry) {
        // Index and statistics are written anew whenever a split is.
        guard exists(path(of: name)) || !Self.isRemoved(name) else { throw lost(name, folder) }
        doubtful.insert(name)
      }
    }
  }

  /// Queues a finished file; waits while the queue is full.
  func add(_ path: String, of folder: SplitFolder) async throws(LaionError) {
    while queue.count > Self.mostWaiting, failure == nil { try await pause() }
    if let failure { throw failure }
    let name = name(of: path)
    if queue.contains(where: { $0.name == name }) { return }
    queue.append(Item(name: name, folder: folder))
    if worker == nil { worker = Task { await work() } }
  }

  /// Queues the full tars of a split that is being downloaded.
  func add(shardsOf split: SplitFolder) async throws(LaionError) {
    let names: [String]
    do throws(FileError) { names = try listFolder(ifThere: split.path) } catch {
      throw .file(error)
    }
    for name in names where Self.isShard(name) { try await add("\(split.path)/\(name)", of: split) }
  }

  /// Queues all files of a finished split: tars, the zip, the index, and the statistics last.
  func add(finishedOf split: SplitFolder) async throws(LaionError) {
    try await add(shardsOf: split)
    if exists(split.datasetPath) { try await add(split.datasetPath, of: split) }
    guard exists(split.statisticsPath) else { return }
    for path in [split.indexPath, split.statisticsPath] where exists(path) {
      try await add(path, of: split)
    }
  }

  /// Waits until the queue is empty.
  func drain() async throws(LaionError) {
    while worker != nil, failure == nil { try await pause() }
    if let failure { throw failure }
  }

  /// Waits for the last upload, and compares the store with the records once more.
  func end(_ folders: [SplitFolder]) async throws(LaionError) {
    try await drain()
    let there = try await objects(client)
    for folder in folders {
      let record = try UploadLog.read(folder.uploadsPath)
      for (name, entry) in record.entries {
        guard Self.holds(there[name], entry), entry.sent != nil else { throw lost(name, folder) }
        totals.total += 1
      }
    }
  }

  /// Takes the statistics of a split away from the store: it is not finished any more.
  func reopen(_ folder: SplitFolder) async throws(LaionError) {
    let name = name(of: folder.statisticsPath)
    let record = try UploadLog.read(folder.uploadsPath, destination: destination(of: folder))
    if record.entries[name] == nil { return }
    try await drain()
    let log = try UploadLog(folder.uploadsPath, destination: destination(of: folder))
    do throws(StoreError) { try await client.delete(location.key(name)) } catch {
      throw .store(error)
    }
    do throws(FileError) { try log.remove(name) } catch { throw .file(error) }
  }

  /// Downloads a file that was uploaded and that a split needs again; nothing if it was never uploaded.
  func bringBack(_ path: String, of folder: SplitFolder) async throws(LaionError) {
    try await drain()
    let name = name(of: path)
    let record = try UploadLog.read(folder.uploadsPath, destination: destination(of: folder))
    guard let sent = record.entries[name]?.sent else { return }
    do throws(StoreError) {
      let object = StoredObject(key: location.key(name), size: sent.size, tag: sent.tag)
      try await ObjectDownload(object, to: path, by: client).run(sha256: sent.sha256)
    } catch { throw .store(error) }
  }

  /// Ends all work.
  func shutDown() async {
    worker?.cancel()
    await worker?.value
    await client.shutDown()
  }

  // MARK: The queue

  private func work() async {
    while failure == nil, let item = queue.first {
      do throws(LaionError) {
        try await upload(item)
        queue.removeFirst()
      } catch {
        failure = Task.isCancelled ? .cancelled : error
      }
    }
    worker = nil
  }

  private func upload(_ item: Item) async throws(LaionError) {
    let path = path(of: item.name)
    // Queued twice, and gone since.
    guard exists(path) else { return }
    let log = try UploadLog(item.folder.uploadsPath, destination: destination(of: item.folder))
    let entry = log.content.entries[item.name]
    let isCertain = !doubtful.contains(item.name) && entry?.begun == nil
    var upload = FileUpload(path, to: location.key(item.name), by: client)
    current.withLock { $0 = (0, 0) }
    upload.progress = { done, size in self.current.withLock { $0 = (done, size) } }
    do {
      let receipt = try await upload.run(
        continuing: entry?.begun,
        unless: isCertain ? entry?.sent?.sha256 : nil
      ) { (begun) throws(StoreError) in
        do throws(FileError) { try log.begin(item.name, begun) } catch {
          throw StoreError(.file, error.description)
        }
      }
      if let receipt {
        try log.end(
          item.name,
          .init(size: receipt.size, sha256: receipt.sha256, tag: receipt.tag)
        )
        totals.objects += receipt.sent > 0 ? 1 : 0
        totals.bytes += receipt.sent
      }
    } catch let error as FileError {
      throw .file(error)
    } catch let error as StoreError {
      throw error.cause == .cancelled ? .cancelled : .store(error)
    } catch {
      throw .cancelled
    }
    doubtful.remove(item.name)
    if Self.isRemoved(item.name) { unlink(path) }
  }

  private func pause() async throws(LaionError) {
    if lastReport.duration(to: .now) > Self.reportInterval, let item = queue.first {
      lastReport = .now
      let (done, size) = current.withLock { $0 }
      tell(.init(name: item.name, done: done, size: size, waiting: queue.count - 1))
    }
    do { try await Task.sleep(for: Self.poll) } catch { throw .cancelled }
  }
}

extension LaionConfiguration {
  /// The working folder of a download into an object store; `nil` if the output is on this machine, or no
  /// cache folder is known.
  package var workFolder: String? {
    guard S3Location.isAddress(output) else { return nil }
    if let work { return work.count > 1 && work.hasSuffix("/") ? String(work.dropLast()) : work }
    return cacheFolder.map { "\($0)/laion/\(output.dropFirst("s3://".count))" }
      .map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
  }
}
