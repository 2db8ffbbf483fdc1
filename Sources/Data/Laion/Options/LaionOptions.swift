import Text

/// Every option of a download, by group.
package enum LaionOptions {
  /// All options, in the order of the help; those without a flag come last.
  package static let all: [any AnyLaionOption] =
    whatAndWhere + rowOptions + requestOptions + storageOptions + withoutFlag

  private static let whatAndWhere: [any AnyLaionOption] = [
    metadata, out, work, s3Endpoint, retry,
  ]

  package static let metadata = LaionOption<String>(
    "metadata",
    "Folder with part-*.parquet, or .csv, .tsv, .jsonl, .json, .txt, also as .gz or .zst; or one such file.",
    \.metadata
  )
  package static let out = LaionOption<String>(
    "out",
    "Folder for split0, split1, …; or s3://bucket/prefix, with --to webdataset or zip.",
    \.output
  )
  package static let work = LaionOption<String?>(
    "work",
    "Folder of this machine for ledgers and unfinished files where --out is s3://…; one in the cache if not given.",
    \.work
  )
  package static let s3Endpoint = LaionOption<String?>(
    "s3-endpoint",
    "Address of the object store; as AWS_ENDPOINT_URL_S3 or ~/.aws/config say if not given, else AWS's.",
    \.storeEndpoint
  )
  package static let retry = LaionOption<Bool>(
    "retry",
    "Retry transient failures in finished splits that are not full.",
    \.retriesFailures
  )

  /// The settings without a flag.
  private static let withoutFlag: [any AnyLaionOption] = [
    LaionOption<Int>(setting: "window", \.window, in: .atLeast(1)),
    LaionOption<Int>(
      setting: "rowsPerFlush",
      \.rowsPerFlush,
      in: .between(1, Double(SplitFolder.maximumBatch))
    ),
    LaionOption<Int>(
      setting: "image.maximumPixels",
      \.image.maximumPixels,
      in: .between(1, Double(1 << 29))
    ),
    LaionOption<Int>(
      setting: "fetch.resolverThreads",
      \.fetch.resolverThreads,
      in: .between(1, 1024)
    ),
    LaionOption<Int?>(
      setting: "fetch.decoderThreads",
      \.fetch.decoderThreads,
      in: .between(1, 1024)
    ),
    LaionOption<Int>(
      setting: "fetch.maximumBytesInFlight",
      \.fetch.maximumBytesInFlight,
      in: .between(Double(1 << 16), Double(1 << 40), "bytes")
    ),
    LaionOption<Int>(
      setting: "fetch.maximumPixelsInFlight",
      \.fetch.maximumPixelsInFlight,
      in: .between(1, Double(1 << 40))
    ),
    LaionOption<Int>(
      setting: "fetch.silentHostLimit",
      \.fetch.silentHostLimit,
      in: .between(1, 1e6)
    ),
    LaionOption<Int>(
      setting: "fetch.maximumRedirects",
      \.fetch.maximumRedirects,
      in: .between(0, 20)
    ),
    LaionOption<Double>(setting: "fetch.retryDelay", \.fetch.retryDelay, in: seconds),
    LaionOption<Double>(setting: "fetch.lookupTimeout", \.fetch.lookupTimeout, in: seconds),
    LaionOption<Double>(setting: "fetch.silentHostPause", \.fetch.silentHostPause, in: seconds),
  ]
}
