import ArgumentParser
package import CommandLine
import Foundation
import Laion

/// Which rows of the metadata are requested.
struct LaionRowOptions: ParsableArguments {
  @Option(help: "Parts to download, as 0-9; all if not given.")
  var parts: PartRange?

  @Option(help: "The parts whose number leaves i when divided by n, as i/n.")
  var shard: ShardChoice?

  @Option(
    help: ArgumentHelp(
      "How many tasks of a Slurm array, or pods of an indexed Kubernetes job, divide the parts.",
      discussion:
        "Task i takes the parts that --shard i/n names; without it, and without --parts and --shard, part i."
    )
  )
  var shards: Int?

  @Option(help: "Pairs in a full split.")
  var perSplit = 1_000_000

  @Option(
    help: ArgumentHelp(
      "Column of a field, as caption=alt_text; repeat for several.",
      discussion: "Fields: \(MetadataField.allCases.map(\.rawValue).joined(separator: ", "))."
    )
  )
  var column: [ColumnChoice] = []

  @Option(help: "File of hosts and addresses that are never requested, one a line.")
  var deny: String?

  @Option(help: "Safety label whose rows are dropped; repeat for several.")
  var dropLabel: [String] = ["NSFW"]

  @Option(help: "Smallest similarity that a row may have.")
  var minSimilarity: Double?

  @Option(help: "Greatest probability of an unsafe image.")
  var maxUnsafe: Double?

  @Option(help: "Greatest probability of a watermark.")
  var maxWatermark: Double?

  @Option(help: "Licence that is wanted; repeat for several.")
  var licence: [String] = []

  @Option(help: "Language that is wanted, as en; repeat for several.")
  var language: [String] = []

  @Option(help: "Shortest side that an image may have, in pixels.")
  var minSide = 32

  @Option(help: "Longest side that an image may have by its metadata, in pixels.")
  var maxSide: Int?

  @Option(help: "Greatest ratio of the sides by the metadata.")
  var maxAspect: Double?

  @Option(help: "Fewest characters of a caption.")
  var minCaption = 1

  @Option(help: "Most characters of a caption.")
  var maxCaption = 10_000

  @Flag(help: "Keep rows of equal addresses and equal files.")
  var keepDuplicates = false

  /// Which share of the parts is ours, and what to say about it.
  func share() throws -> Shard.Choice {
    try Shard.choose(
      explicit: shard?.shard,
      parts: parts?.range,
      count: shards,
      environment: ProcessInfo.processInfo.environment
    )
  }

  func apply(to settings: inout LaionConfiguration) {
    settings.parts = parts?.range
    settings.perSplit = perSplit
    for choice in column { settings.columns[choice.field] = choice.name }
    settings.denyList = deny
    settings.filter.excludedLabels = dropLabel
    settings.filter.minimumSimilarity = minSimilarity
    settings.filter.maximumUnsafety = maxUnsafe
    settings.filter.maximumWatermark = maxWatermark
    settings.filter.licences = licence
    settings.filter.languages = language
    settings.filter.minimumSide = minSide
    settings.filter.maximumSide = maxSide
    settings.filter.maximumAspect = maxAspect
    settings.filter.minimumCaptionLength = minCaption
    settings.filter.maximumCaptionLength = maxCaption
    settings.filter.dropsDuplicates = !keepDuplicates
    settings.image.minimumSide = minSide
    settings.image.dropsDuplicates = !keepDuplicates
  }
}

/// How images are requested.
struct LaionFetchOptions: ParsableArguments {
  @Option(help: "Downloads at a time.")
  var connections = 128

  @Option(help: "Downloads at a time from one host.")
  var connectionsPerHost = 8

  @Option(help: "Downloads begun per second at one host; no limit if not given.")
  var requestsPerSecond: Double?

  @Option(
    help: ArgumentHelp(
      "Seconds of one attempt, from the request to the last byte, redirects included.",
      discussion: "Waiting for a name, for robots.txt or for a turn at the host is not counted."
    )
  )
  var timeout = 30.0

  @Option(help: "Seconds to connect.")
  var connectTimeout = 5.0

  @Option(help: "Seconds without a byte.")
  var readTimeout = 10.0

  @Option(help: "Bytes of the largest image that is accepted.")
  var maxBytes = 16 << 20

  @Option(help: "Attempts per image, for failures that may pass.")
  var attempts = 3

  @Option(help: "What we call ourselves to servers.")
  var userAgent: String?

  @Flag(help: "Do not ask for robots.txt, and take images whose X-Robots-Tag opts them out.")
  var ignoreRobots = false

  @Option(help: "Private address to allow; repeat for several.")
  var allowAddress: [String] = []

  @Flag(help: "Allow private and loopback addresses.")
  var allowPrivateAddresses = false

  func apply(to settings: inout LaionConfiguration) {
    settings.fetch.concurrency = connections
    settings.fetch.concurrencyPerHost = connectionsPerHost
    settings.fetch.requestsPerSecondPerHost = requestsPerSecond
    settings.fetch.totalTimeout = timeout
    settings.fetch.connectTimeout = connectTimeout
    settings.fetch.readTimeout = readTimeout
    settings.fetch.maximumBytes = maxBytes
    settings.fetch.attempts = attempts
    settings.fetch.allowPrivateAddresses = allowPrivateAddresses
    settings.fetch.allowedAddresses = allowAddress
    if let userAgent { settings.fetch.userAgent = userAgent }
    if ignoreRobots {
      settings.fetch.followsRobots = false
      settings.fetch.optOutDirectives = []
    }
  }
}

/// How pairs are stored.
struct LaionStoreOptions: ParsableArguments {
  @Option(help: "How pairs are laid out.")
  var to: PairLayout = .folder

  @Option(help: "Format of images.")
  var format: StoredFormat = .png

  @Option(help: "Quality of jpg and webp, 1 to 100.")
  var quality = 95

  @Option(
    help: "Crop to the middle square and resize to this many pixels; original size if not given."
  )
  var size: Int?

  @Option(
    help: ArgumentHelp(
      "Drop pictures that look like a stored one: perceptual hashes differ in at most so many of 128 bits.",
      discussion:
        "0 to 15; all are kept if not given. 6 finds most rescaled or recompressed copies."
    )
  )
  var nearDuplicates: Int?

  func validate() throws {
    if let nearDuplicates, !(0...15).contains(nearDuplicates) {
      throw ValidationError("--near-duplicates is \(nearDuplicates); it must be in 0...15")
    }
    if to == .zip, size == nil {
      throw ValidationError("--to zip packs squares of one size: add --size, as --size 256")
    }
  }

  func apply(to settings: inout LaionConfiguration) {
    settings.layout = to
    settings.image.format = format
    settings.image.quality = quality
    settings.image.size = size
    settings.image.nearDuplicateBits = nearDuplicates
  }
}

extension PairLayout: ExpressibleByArgument {}
extension StoredFormat: ExpressibleByArgument {}

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
