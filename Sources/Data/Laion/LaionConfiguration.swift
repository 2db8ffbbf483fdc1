import Text

/// All settings of a download: source, filters, requests, retries, output.
package struct LaionConfiguration: Codable, Equatable, Sendable {
  /// The folder that holds `part-*.parquet`, or a single file; part i becomes split i.
  package var metadata: String
  /// The folder that receives the folders `split0`, `split1` and so on; or the `s3://bucket/prefix` below which
  /// finished files go.
  package var output: String
  /// The working folder of a download into an object store; `nil` for one in the cache folder.
  package var work: String?
  /// The address of the object store; `nil` as the usual variables and files say.
  package var storeEndpoint: String?
  /// The parts to download; `nil` for all.
  package var parts: ClosedRange<Int>?
  /// This machine's shard of the parts; `nil` for all.
  package var shard: Shard?
  /// The columns of a row's fields.
  package var columns = MetadataColumns()
  /// A file of hosts and addresses that are never requested.
  package var denyList: String?
  /// Whether transient failures are retried in finished splits that are not full.
  package var retriesFailures = false
  /// Pairs per split; rows are read until the split is full or the part ends.
  package var perSplit = 1_000_000
  /// The layout of pairs on the disk.
  package var layout = PairLayout.folder
  /// Pairs in a full tar file of the layout `webdataset`.
  package var pairsPerShard = 10_000
  /// The filter of rows, applied before a request.
  package var filter = RowFilter()
  /// The filter and the storage of images.
  package var image = ImageSettings()
  /// The settings of requests.
  package var fetch = FetchSettings()
  /// Rows between the oldest unfinished one and the newest one started.
  ///
  /// Numbers follow row order, so one slow row holds back those after it; a wide window keeps the
  /// others busy. Finished images wait on the disk, not in memory.
  package var window = 8192
  /// Rows that are flushed together; a crash costs at most these and the window.
  package var rowsPerFlush = 512

  /// A download of all parts in `metadata` with the defaults above.
  package init(metadata: String, output: String) {
    self.metadata = metadata
    self.output = output
  }
}

/// The layout of pairs on the disk.
package enum PairLayout: String, Codable, CaseIterable, Sendable {
  /// `0.png`, `0.txt`, `1.png`, …
  case folder
  /// Tar files of `pairsPerShard` pairs each, as WebDataset reads them.
  case webdataset
  /// A packed dataset without features, `splitN.zip` beside the folder of the split.
  case zip
}

/// The modes of resizing to `ImageSettings.size`.
package enum ResizeMode: String, Codable, CaseIterable, Sendable {
  /// The shorter side gets the size, the longer one in proportion.
  case keepRatio = "keep-ratio"
  /// The middle square, resized.
  case centerCrop = "center-crop"
  /// The whole picture within a square, with white bars.
  case border
  /// As `keepRatio`, but smaller pictures stay as they are.
  case onlyIfBigger = "only-if-bigger"
}

/// The formats of stored images.
package enum StoredFormat: String, Codable, CaseIterable, Sendable {
  case png, jpg, webp
  /// The downloaded bytes, after they were decoded without an error.
  case original
}

/// The filter and the storage of downloaded images.
package struct ImageSettings: Codable, Equatable, Sendable {
  /// Images whose shorter side is below this are dropped, in pixels; tracking pixels are common.
  package var minimumSide = 32
  /// Images with more pixels are refused before they are decoded, at 3 bytes each.
  package var maximumPixels = 64_000_000
  /// Side of the stored images in pixels; `nil` stores the original size.
  package var size: Int?
  /// The mode of resizing, by Lanczos; `nil` as `.centerCrop`, as packing at this size would.
  package var resize: ResizeMode?
  /// The format of stored images.
  package var format = StoredFormat.png
  /// Quality of JPEG and WebP, 1 (worst) to 100 (best).
  package var quality = 95
  /// Whether only the first of several equal files is kept.
  package var dropsDuplicates = true
  /// The threshold of near duplicates: of pictures whose perceptual hashes differ in at most so many of 128
  /// bits only the first is kept; `nil` keeps all.
  package var nearDuplicateBits: Int?

  /// The defaults above.
  package init() {}
}

/// The settings of requests.
package struct FetchSettings: Codable, Equatable, Sendable {
  /// Requests in flight, decoding included.
  package var concurrency = 128
  /// Requests in flight to one host.
  package var concurrencyPerHost = 8
  /// The rate limit: requests begun per second at one host; `nil` for none.
  package var requestsPerSecondPerHost: Double?
  /// Concurrent DNS lookups, each on its own thread.
  package var resolverThreads = 128
  /// The timeout of a DNS lookup in seconds.
  package var lookupTimeout = 10.0
  /// Threads that decode and encode images; `nil` for one per core.
  package var decoderThreads: Int?
  /// The timeout of connecting in seconds, TLS excluded.
  package var connectTimeout = 5.0
  /// The timeout of reading in seconds: without a byte.
  package var readTimeout = 10.0
  /// The timeout of one attempt in seconds, from the request to the last byte of the body, redirects
  /// included.
  ///
  /// DNS lookup, `robots.txt` and the wait for a slot at the host do not count: the first two have timeouts of
  /// their own, and the last is our own doing.
  package var totalTimeout = 30.0
  /// Attempts per image, the first included; only transient failures are retried.
  package var attempts = 3
  /// Seconds before the first retry; doubled before each further one.
  package var retryDelay = 1.0
  /// Bytes of the largest body that is accepted.
  package var maximumBytes = 16 << 20
  /// The memory budget of all bodies in bytes, at least 128 KiB per connection; a body beyond it waits.
  package var maximumBytesInFlight = 64 << 20
  /// The budget of all pictures that are being decoded, in pixels; a larger picture is decoded alone.
  package var maximumPixelsInFlight = 64_000_000
  /// Timeouts in a row after which a host is skipped for `silentHostPause` seconds.
  package var silentHostLimit = 3
  /// Seconds for which a silent host's rows are skipped.
  package var silentHostPause = 60.0
  /// Redirects followed per attempt.
  package var maximumRedirects = 5
  /// The `User-Agent` of every request; say who you are and how to reach you, servers block liars.
  package var userAgent = "\(Version.userAgent) (+image-text dataset download)"
  /// The product name in `userAgent`, by which servers address us (RFC 9110, section 10.1.5).
  var productToken: String { String(userAgent.prefix { $0 != "/" && $0 != " " }) }
  /// `X-Robots-Tag` directives by which a server opts its images out of training.
  package var optOutDirectives = ["noai", "noimageai"]
  /// All known directives, with those that img2dataset obeys on request.
  package static let knownOptOuts = ["noai", "noimageai", "noindex", "noimageindex", "noml"]
  /// Whether a site's `robots.txt` is requested and obeyed.
  package var followsRobots = true
  /// Whether private and loopback addresses may be requested: for demonstrations on one machine.
  package var allowPrivateAddresses = false
  /// Exceptions: private addresses that may be requested, as "10.0.0.7".
  package var allowedAddresses: [String] = []

  /// The defaults above.
  package init() {}
}
