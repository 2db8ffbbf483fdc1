import ArgumentParser
import CommandLine
import Foundation
import Laion

/// Which rows of the metadata are requested.
struct LaionRowFlags: ParsableArguments {
  @Option(optional: LaionOptions.parts) var parts: PartRange?
  @Option(optional: LaionOptions.shard) var shard: ShardChoice?
  @Option(optional: LaionOptions.shards) var shards: Int?
  @Option(LaionOptions.perSplit) var perSplit: Int
  @Option(entriesOf: LaionOptions.column) var column: [ColumnChoice]
  @Option(list: LaionOptions.columns) var columns: WordList?
  @Option(list: LaionOptions.keepColumns) var keepColumns: WordList?
  @Option(optional: LaionOptions.deny) var deny: String?
  @Option(repeating: LaionOptions.dropLabel) var dropLabel: [String]
  @Option(optional: LaionOptions.minSimilarity) var minSimilarity: Double?
  @Option(optional: LaionOptions.maxUnsafe) var maxUnsafe: Double?
  @Option(optional: LaionOptions.maxWatermark) var maxWatermark: Double?
  @Option(repeating: LaionOptions.licence) var licence: [String]
  @Option(repeating: LaionOptions.language) var language: [String]
  @Option(LaionOptions.minSide) var minSide: Int
  @Option(optional: LaionOptions.maxSide) var maxSide: Int?
  @Option(optional: LaionOptions.maxAspect) var maxAspect: Double?
  @Option(LaionOptions.minCaption) var minCaption: Int
  @Option(LaionOptions.maxCaption) var maxCaption: Int
  @Flag(LaionOptions.uncaptioned) var uncaptioned: Bool
  @Flag(LaionOptions.keepDuplicates) var keepDuplicates: Bool

  /// Which shard of the parts is ours, and what to say about it.
  func shardChoice() throws(LaionError) -> Shard.Choice {
    try Shard.choose(
      explicit: shard?.shard,
      parts: parts?.range,
      count: shards,
      environment: ProcessInfo.processInfo.environment
    )
  }

  func apply(to settings: inout LaionConfiguration) {
    LaionOptions.parts.set(&settings, parts?.range)
    LaionOptions.shard.set(&settings, shard?.shard)
    LaionOptions.perSplit.set(&settings, perSplit)
    var columns = LaionOptions.column.standard
    for choice in column { columns[choice.field] = choice.name }
    LaionOptions.column.set(&settings, columns)
    LaionOptions.columns.set(&settings, self.columns?.words ?? [])
    LaionOptions.keepColumns.set(&settings, keepColumns?.words ?? [])
    LaionOptions.deny.set(&settings, deny)
    LaionOptions.dropLabel.set(&settings, dropLabel)
    LaionOptions.minSimilarity.set(&settings, minSimilarity)
    LaionOptions.maxUnsafe.set(&settings, maxUnsafe)
    LaionOptions.maxWatermark.set(&settings, maxWatermark)
    LaionOptions.licence.set(&settings, licence)
    LaionOptions.language.set(&settings, language)
    LaionOptions.minSide.set(&settings, minSide)
    LaionOptions.maxSide.set(&settings, maxSide)
    LaionOptions.maxAspect.set(&settings, maxAspect)
    LaionOptions.minCaption.set(&settings, minCaption)
    LaionOptions.maxCaption.set(&settings, maxCaption)
    LaionOptions.uncaptioned.set(&settings, uncaptioned)
    LaionOptions.keepDuplicates.set(&settings, keepDuplicates)
  }
}

/// How images are requested.
struct LaionRequestFlags: ParsableArguments {
  @Option(LaionOptions.connections) var connections: Int
  @Option(LaionOptions.connectionsPerHost) var connectionsPerHost: Int
  @Option(optional: LaionOptions.requestsPerSecond) var requestsPerSecond: Double?
  @Option(LaionOptions.timeout) var timeout: Double
  @Option(LaionOptions.connectTimeout) var connectTimeout: Double
  @Option(LaionOptions.readTimeout) var readTimeout: Double
  @Option(LaionOptions.maxBytes) var maxBytes: Int
  @Option(LaionOptions.attempts) var attempts: Int
  @Option(LaionOptions.userAgent) var userAgent: String
  @Flag(LaionOptions.ignoreRobots) var ignoreRobots: Bool
  @Option(list: LaionOptions.optOut) var optOut: WordList?
  @Option(repeating: LaionOptions.allowAddress) var allowAddress: [String]
  @Flag(LaionOptions.allowPrivateAddresses) var allowPrivateAddresses: Bool

  func apply(to settings: inout LaionConfiguration) {
    LaionOptions.connections.set(&settings, connections)
    LaionOptions.connectionsPerHost.set(&settings, connectionsPerHost)
    LaionOptions.requestsPerSecond.set(&settings, requestsPerSecond)
    LaionOptions.timeout.set(&settings, timeout)
    LaionOptions.connectTimeout.set(&settings, connectTimeout)
    LaionOptions.readTimeout.set(&settings, readTimeout)
    LaionOptions.maxBytes.set(&settings, maxBytes)
    LaionOptions.attempts.set(&settings, attempts)
    LaionOptions.userAgent.set(&settings, userAgent)
    LaionOptions.ignoreRobots.set(&settings, ignoreRobots)
    if let optOut {
      LaionOptions.optOut.set(&settings, optOut.words == ["none"] ? [] : optOut.words)
    }
    LaionOptions.allowAddress.set(&settings, allowAddress)
    LaionOptions.allowPrivateAddresses.set(&settings, allowPrivateAddresses)
  }
}

/// How pairs are stored.
struct LaionStorageFlags: ParsableArguments {
  @Option(LaionOptions.to) var to: PairLayout
  @Option(LaionOptions.pairsPerShard) var pairsPerShard: Int
  @Option(LaionOptions.format) var format: StoredFormat
  @Option(LaionOptions.quality) var quality: Int
  @Option(optional: LaionOptions.size) var size: Int?
  @Option(LaionOptions.resize) var resize: ResizeMode
  @Option(optional: LaionOptions.nearDuplicates) var nearDuplicates: Int?

  func apply(to settings: inout LaionConfiguration) {
    LaionOptions.to.set(&settings, to)
    LaionOptions.pairsPerShard.set(&settings, pairsPerShard)
    LaionOptions.format.set(&settings, format)
    LaionOptions.quality.set(&settings, quality)
    LaionOptions.size.set(&settings, size)
    LaionOptions.resize.set(&settings, resize)
    LaionOptions.nearDuplicates.set(&settings, nearDuplicates)
  }
}

extension PairLayout: ExpressibleByArgument {}
extension StoredFormat: ExpressibleByArgument {}
extension ResizeMode: ExpressibleByArgument {}

/// Words as `url,caption`.
struct WordList: ExpressibleByArgument {
  let words: [String]

  init?(argument: String) {
    words = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    if words.contains("") { return nil }
  }
}

/// A shard as `--shard 0/4`.
struct ShardChoice: ExpressibleByArgument {
  let shard: Shard

  init?(argument: String) {
    let numbers = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1], count > 0,
      (0..<count).contains(index)
    else { return nil }
    shard = Shard(index: index, count: count)
  }
}

/// A column as `--column caption=alt_text`.
struct ColumnChoice: ExpressibleByArgument {
  let field: MetadataField
  let name: String

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "="),
      let field = MetadataField(rawValue: String(argument[..<sign]))
    else { return nil }
    self.field = field
    name = String(argument[argument.index(after: sign)...])
    if name.isEmpty { return nil }
  }
}
