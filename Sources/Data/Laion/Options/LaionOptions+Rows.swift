import Text

// The options that select rows of the metadata.
extension LaionOptions {
  static let rowOptions: [any AnyLaionOption] = [
    parts, shard, shards, perSplit, column, columns, keepColumns, deny, dropLabel, minSimilarity,
    maxUnsafe,
    maxWatermark, licence, language, minSide, maxSide, maxAspect, minCaption, maxCaption,
    uncaptioned, keepDuplicates,
  ]

  package static let parts = LaionOption<ClosedRange<Int>?>(
    "parts",
    "Parts to download, as 0-9; all if not given.",
    \.parts
  )
  package static let shard = LaionOption<Shard?>(
    "shard",
    "The parts whose number leaves i when divided by n, as i/n.",
    \.shard
  )
  package static let shards = LaionOption<Int?>(
    flag: "shards",
    "How many tasks of a Slurm array, or pods of an indexed Kubernetes job, divide the parts.",
    discussion:
      "Task i takes the parts that --shard i/n names; without it, and without --parts and --shard, part i.",
    in: .atLeast(1)
  )
  package static let perSplit = LaionOption<Int>(
    "per-split",
    "Pairs in a full split.",
    \.perSplit,
    in: .atLeast(1)
  )
  package static let column = LaionOption<MetadataColumns>(
    "column",
    "Column of a field, as caption=alt_text; repeat for several.",
    discussion: "Fields: \(MetadataField.allCases.map(\.rawValue).joined(separator: ", ")).",
    \.columns
  )
  package static let columns = LaionOption<[String]>(
    "columns",
    "Names of the columns of .csv and .tsv without a header, as url,caption.",
    discussion: "Columns that nobody needs may have any name of their own.",
    read: { $0.columns.header ?? [] },
    write: { $0.columns.header = $1.isEmpty ? nil : $1 }
  )
  package static let keepColumns = LaionOption<[String]>(
    "keep-columns",
    "Columns to carry along into index.parquet as text, as pwatermark,punsafe.",
    read: { $0.columns.keptNames ?? [] },
    write: { $0.columns.keptNames = $1.isEmpty ? nil : $1 }
  )
  package static let deny = LaionOption<String?>(
    "deny",
    "File of hosts and addresses that are never requested, one a line.",
    \.denyList
  )
  package static let dropLabel = LaionOption<[String]>(
    "drop-label",
    "Safety label whose rows are dropped; repeat for several.",
    \.filter.excludedLabels
  )
  package static let minSimilarity = LaionOption<Double?>(
    "min-similarity",
    "Smallest similarity that a row may have.",
    \.filter.minimumSimilarity,
    in: .between(-1, 1)
  )
  package static let maxUnsafe = LaionOption<Double?>(
    "max-unsafe",
    "Greatest probability of an unsafe image.",
    \.filter.maximumUnsafety,
    in: .between(0, 1)
  )
  package static let maxWatermark = LaionOption<Double?>(
    "max-watermark",
    "Greatest probability of a watermark.",
    \.filter.maximumWatermark,
    in: .between(0, 1)
  )
  package static let licence = LaionOption<[String]>(
    "licence",
    "Licence that is wanted; repeat for several.",
    \.filter.licences
  )
  package static let language = LaionOption<[String]>(
    "language",
    "Language that is wanted, as en; repeat for several.",
    \.filter.languages
  )
  package static let minSide = LaionOption<Int>(
    "min-side",
    "Shortest side that an image may have, in pixels.",
    \.image.minimumSide,
    [\.filter.minimumSide],
    in: .atLeast(1)
  )
  package static let maxSide = LaionOption<Int?>(
    "max-side",
    "Longest side that an image may have by its metadata, in pixels.",
    \.filter.maximumSide,
    in: .atLeast(1)
  )
  package static let maxAspect = LaionOption<Double?>(
    "max-aspect",
    "Greatest ratio of the sides by the metadata.",
    \.filter.maximumAspect,
    in: .atLeast(1)
  )
  package static let minCaption = LaionOption<Int>(
    "min-caption",
    "Fewest characters of a caption.",
    \.filter.minimumCaptionLength,
    in: .atLeast(0)
  )
  package static let maxCaption = LaionOption<Int>(
    "max-caption",
    "Most characters of a caption.",
    \.filter.maximumCaptionLength,
    in: .atLeast(0)
  )
  package static let uncaptioned = LaionOption<Bool>(
    "uncaptioned",
    "Keep rows without a caption too; the text of such a pair is empty.",
    read: { $0.filter.keepsUncaptioned == true },
    write: { $0.filter.keepsUncaptioned = $1 ? true : nil }
  )
  package static let keepDuplicates = LaionOption<Bool>(
    "keep-duplicates",
    "Keep rows of equal addresses and equal files.",
    read: { !$0.filter.dropsDuplicates && !$0.image.dropsDuplicates },
    write: { settings, keeps in
      settings.filter.dropsDuplicates = !keeps
      settings.image.dropsDuplicates = !keeps
    }
  )
}
