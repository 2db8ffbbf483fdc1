import Files
import Foundation
import Laion
import Parquet
import TestSupport
import Testing

@Suite struct CaptionCleanerTests {
  @Test(arguments: [
    ("a cat", ["a cat"]),
    ("  a\t\tcat  \u{A0} ", ["a cat"]),
    ("a cat\n\n 猫 \r\nsecond", ["a cat", "猫", "second"]),
    ("Tom &amp; Jerry &#8211; &quot;Best&quot; &#x1F602;", ["Tom & Jerry – \"Best\" 😂"]),
    ("&eacute;&nbsp;&Uuml;&yuml;&hellip;", ["é Üÿ…"]),
    ("&amp;lt;", ["&lt;"]),
    (
      "AT&T &unknown; &; &#; &#xZZ; &#0; &#1114112; 5 &",
      ["AT&T &unknown; &; &#; &#xZZ; &#0; &#1114112; 5 &"]
    ),
    ("&#150; &#x92;", ["– ’"]),
    ("zero\u{200B}width\u{FEFF} \u{0007}bell\u{FFFD}", ["zerowidth bell"]),
    ("family 👨‍👩‍👧 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿", ["family 👨‍👩‍👧 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿"]),
    ("line&#10;break", ["line", "break"]),
    ("\u{2028}one\u{2029}two\u{85}three", ["one", "two", "three"]),
    (" \n\t\n", []),
    ("", []),
  ])
  func `captions are cleaned line by line`(text: String, lines: [String]) {
    #expect(CaptionCleaner.lines(text) == lines)
  }
}

@Suite struct RowFilterTests {
  private func cause(
    _ change: (inout RowFilter) -> Void = { _ in },
    caption: [String] = ["a cat"],
    _ set: (inout MetadataRow) -> Void
  ) -> RowFilter.Cause? {
    var filter = RowFilter()
    change(&filter)
    var row = MetadataRow(row: 0)
    set(&row)
    return filter.cause(row, caption: caption)
  }

  @Test func `rows without values pass`() {
    let strict: (inout RowFilter) -> Void = {
      $0.minimumSimilarity = 0.3
      $0.minimumSide = 256
      $0.maximumSide = 4096
      $0.maximumAspect = 2
    }
    #expect(cause(strict) { _ in } == nil)
    #expect(cause(strict) { ($0.width, $0.height) = (0, 0) } == nil)
  }

  @Test func `labels are compared without letter case`() {
    #expect(cause { $0.nsfw = "NSFW" } == .label)
    #expect(cause { $0.nsfw = "nsfw" } == .label)
    #expect(cause { $0.nsfw = "UNSURE" } == nil)
    #expect(cause({ $0.excludedLabels = ["NSFW", "UNSURE"] }, { $0.nsfw = "UNSURE" }) == .label)
    #expect(cause({ $0.excludedLabels = [] }, { $0.nsfw = "NSFW" }) == nil)
  }

  @Test func `similarity has a least value`() {
    let filter: (inout RowFilter) -> Void = { $0.minimumSimilarity = 0.3 }
    #expect(cause(filter) { $0.similarity = 0.3 } == nil)
    #expect(cause(filter) { $0.similarity = 0.2999 } == .similarity)
    #expect(cause(filter) { $0.similarity = .nan } == .similarity)
  }

  @Test func `sides and their ratio have bounds`() {
    let filter: (inout RowFilter) -> Void = {
      $0.minimumSide = 100
      $0.maximumSide = 1000
      $0.maximumAspect = 2
    }
    #expect(cause(filter) { ($0.width, $0.height) = (100, 200) } == nil)
    #expect(cause(filter) { ($0.width, $0.height) = (99, 100) } == .tooSmall)
    #expect(cause(filter) { ($0.width, $0.height) = (600, 1001) } == .tooLarge)
    #expect(cause(filter) { ($0.width, $0.height) = (201, 100) } == .aspect)
  }

  @Test func `captions have a least and a greatest length`() {
    #expect(cause(caption: []) { _ in } == .noCaption)
    #expect(cause({ $0.minimumCaptionLength = 6 }, { _ in }) == .noCaption)
    #expect(cause({ $0.minimumCaptionLength = 6 }, caption: ["a", "long one"], { _ in }) == nil)
    #expect(cause({ $0.maximumCaptionLength = 4 }, { _ in }) == .captionTooLong)
  }
}

@Suite struct MetadataPartTests {
  @Test func `parts are sorted and chosen by number`() async throws {
    try await withTemporaryFolder { folder in
      for name in ["part-00002-x", "part-00000-x", "part-00001-x", "other"] {
        try Data().write(to: URL(filePath: "\(folder)/\(name).parquet"))
      }
      let all = try MetadataPart.list(in: folder, range: nil)
      #expect(all.map(\.number) == [0, 1, 2])
      #expect(all.map(\.fileName) == (0...2).map { "part-0000\($0)-x.parquet" })
      let some = try MetadataPart.list(in: folder, range: 1...2)
      #expect(some.map(\.fileName) == (1...2).map { "part-0000\($0)-x.parquet" })
      #expect(throws: LaionError.noSuchPart(part: 3, folder: folder, count: 3)) {
        try MetadataPart.list(in: folder, range: 2...3)
      }
    }
  }

  @Test(arguments: ["parquet", "csv", "jsonl", "json", "txt", "csv.gz"])
  func `a named pipe is refused at once, among the files and alone`(suffix: String) throws {
    try withTemporaryFolder { folder in
      let pipe = "\(folder)/a.\(suffix)"
      try #require(mkfifo(pipe, 0o600) == 0)
      let refused = FileError("open", path: pipe, reason: "a named pipe, not a file")
      for path in [folder, pipe] {
        #expect(throws: LaionError.file(refused)) { try MetadataPart.list(in: path, range: nil) }
      }
    }
  }

  /// The complaint about a Parquet file of these columns.
  private func complaint(
    _ columns: [String],
    _ change: (inout LaionConfiguration) -> Void = { _ in }
  ) async throws -> String? {
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let writer = try ParquetWriter(
        path: folder + "/meta/a.parquet",
        columns: columns.map { ($0, .string) }
      )
      try writer.finish()
      var configuration = loopbackConfiguration(folder)
      change(&configuration)
      do {
        _ = try await LaionDownload(configuration).run()
        return nil
      } catch {
        return "\(error)".replacing(folder + "/meta/", with: "")
      }
    }
  }

  @Test func `two Parquet columns of one field are refused until one is named`() async throws {
    let columns = ["URL", "url", "TEXT"]
    let said = try await complaint(columns)
    #expect(said?.hasPrefix("a.parquet has several columns for url: URL, url; name one") == true)
    #expect(try await complaint(columns) { $0.columns[.url] = "url" } == nil)
  }

  @Test func `metadata without captions is refused, unless rows may lack them`() async throws {
    let said = try await complaint(["URL", "prompt"])
    let expected = """
      a.parquet has no column of captions, only URL, prompt; name it by --column caption=NAME, or add \
      --uncaptioned
      """
    #expect(said == expected)
    #expect(try await complaint(["URL", "prompt"]) { $0.filter.keepsUncaptioned = true } == nil)
    #expect(try await complaint(["URL", "prompt"]) { $0.columns[.caption] = "prompt" } == nil)
  }

  @Test func `names of columns are refused for files that have their own`() async throws {
    let said = try await complaint(["URL", "TEXT"]) { $0.columns.header = ["url", "caption"] }
    #expect(said?.hasPrefix("--columns names the columns of .csv, .tsv and .txt: ") == true)
  }

  @Test func `files beside the metadata that are not read are counted`() throws {
    let folder = try TemporaryFolder()
    let names = [
      "part-0.parquet", "part-1.parquet", "more.parquet", "_SUCCESS", "part-2.parquet.aria2",
      ".hidden",
    ]
    for name in names { try folder.write([1], to: name) }
    try FileManager.default.createDirectory(
      atPath: folder.file("below"),
      withIntermediateDirectories: false
    )
    #expect(
      try MetadataPart.passedOver(in: folder.path)
        == ["\(folder.path): 3 files beside the metadata not read, as _SUCCESS"]
    )
    #expect(try MetadataPart.passedOver(in: folder.file("part-0.parquet")) == [])
    for name in ["more.parquet", "_SUCCESS", "part-2.parquet.aria2"] {
      try FileManager.default.removeItem(atPath: folder.file(name))
    }
    #expect(try MetadataPart.passedOver(in: folder.path) == [])
  }

  @Test func `a folder without metadata is an error`() async throws {
    try await withTemporaryFolder { folder in
      let error = LaionError.noMetadata(folder: folder)
      #expect(throws: error) { try MetadataPart.list(in: folder, range: nil) }
    }
    #expect(throws: LaionError.self) { try MetadataPart.list(in: "/nonexistent", range: nil) }
  }
}

@Suite struct ConfigurationTests {
  @Test func `a configuration survives JSON`() throws {
    var configuration = LaionConfiguration(metadata: "meta", output: "out")
    configuration.parts = 2...4
    configuration.image.size = 256
    configuration.filter.minimumSimilarity = 0.3
    let data = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(LaionConfiguration.self, from: data) == configuration)
    try configuration.validate()
  }

  private func expectRefusal(
    _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout LaionConfiguration) -> Void
  ) {
    var configuration = LaionConfiguration(metadata: "meta", output: "out")
    change(&configuration)
    let error = #expect(throws: LaionError.self, sourceLocation: sourceLocation) {
      try configuration.validate()
    }
    let isNamed = error?.description.hasPrefix("\(name) must ") == true
    #expect(isNamed, sourceLocation: sourceLocation)
  }

  @Test func `a setting out of range is named as its flag is`() {
    expectRefusal("--per-split") { $0.perSplit = 0 }
    expectRefusal("window") { $0.window = 0 }
    expectRefusal("--size") { $0.image.size = 0 }
    expectRefusal("--quality") { $0.image.quality = 0 }
    expectRefusal("--shard") { $0.shard = Shard(index: 2, count: 2) }
    expectRefusal("--column") { $0.columns.names["colour"] = "x" }
    expectRefusal("--requests-per-second") { $0.fetch.requestsPerSecondPerHost = 0 }
    for rate in [1e-30, 1e-4, .nan, .infinity, -1] {
      expectRefusal("--requests-per-second") { $0.fetch.requestsPerSecondPerHost = rate }
    }
    expectRefusal("--shard") { $0.shard = Shard(index: 0, count: 0) }
    expectRefusal("--allow-address") { $0.fetch.allowedAddresses = ["localhost"] }
    expectRefusal("--min-similarity") { $0.filter.minimumSimilarity = .nan }
    expectRefusal("--max-aspect") { $0.filter.maximumAspect = 0.5 }
    expectRefusal("--min-side") {
      ($0.filter.minimumSide, $0.filter.maximumSide) = (9, 8)
    }
    expectRefusal("--connections") { $0.fetch.concurrency = 0 }
    expectRefusal("--attempts") { $0.fetch.attempts = 0 }
    expectRefusal("--timeout") { $0.fetch.totalTimeout = .infinity }
    expectRefusal("--user-agent") { $0.fetch.userAgent = "evil\r\nHost: other" }
  }
}
