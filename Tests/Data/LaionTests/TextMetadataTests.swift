import Foundation
import Laion
import TestSupport
import Testing

/// Metadata as text, columns under other names, and every reason to drop a row before it is asked for.
@Suite struct TextMetadataTests {
  /// Downloads what `text` lists, `BASE` standing for the server; one image answers every path.
  private func download(
    _ text: String,
    as name: String,
    _ change: @escaping @Sendable (inout LaionConfiguration, String) throws -> Void = { _, _ in },
    _ check: @escaping @Sendable (SplitStatistics, String) throws -> Void
  ) async throws {
    let image = try samplePNG(3)
    let routes = Dictionary(
      uniqueKeysWithValues: (0..<20).map { ("/\($0)", LoopbackServer.Answer.bytes(image)) }
    )
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(routes) { server in
        try makeFolder(folder + "/meta")
        let base = server.url("")
        try text.replacing("BASE", with: base).write(
          toFile: "\(folder)/meta/\(name)",
          atomically: true,
          encoding: .utf8
        )
        var configuration = loopbackConfiguration(folder)
        try change(&configuration, folder)
        let report = try await LaionDownload(configuration).run()
        try check(try #require(report.splits.first), folder + "/out/split0")
      }
    }
  }

  private func caption(_ number: Int, in folder: String) -> String? {
    try? String(contentsOfFile: "\(folder)/\(number).txt", encoding: .utf8)
  }

  @Test func `commas, quotes, line ends inside of quotes and missing fields are read`() async throws
  {
    let text = """
      \u{FEFF}width,url,TEXT,height\r
      640,BASE/0,"a ""big"", red cat",480\r

      NaN,BASE/1,"two
      lines",x\r
      ,"BASE/2",it's 5" wide,\r
      1e400,BASE/3
      40,BASE/4,tiny,20
      640.0,BASE/5,"last",480
      """
    try await download(
      text,
      as: "list.csv",
      { settings, _ in settings.filter.minimumSide = 32 },
      { statistics, folder in
        #expect(statistics.pairs == 4)
        #expect(statistics.filtered == ["filtered: no caption": 1, "filtered: too small": 1])
        #expect(statistics.rowsInPart == 6)
        #expect(caption(0, in: folder) == "a \"big\", red cat")
        #expect(caption(1, in: folder) == "two\nlines")
        #expect(caption(2, in: folder) == "it's 5\" wide")
        #expect(caption(3, in: folder) == "last")
      }
    )
  }

  @Test(arguments: [true, false])
  func `a quote without end is an error, and costs no other part`(isLong: Bool) async throws {
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(["/0": .bytes(try samplePNG(1))]) { server in
        try makeFolder(folder + "/meta")
        let good = "url,text\n\(server.url("/0")),good\n"
        let bad = good + "\"" + String(repeating: "x\n", count: isLong ? 600_000 : 3)
        for (name, text) in [("a", bad), ("b", good)] {
          try text.write(toFile: "\(folder)/meta/\(name).csv", atomically: true, encoding: .utf8)
        }
        let error = await #expect(throws: LaionError.self) {
          try await LaionDownload(loopbackConfiguration(folder)).run()
        }
        #expect(error?.description.contains("a.csv cannot be read at row 1") == true)
        #expect(SplitStatistics.read(folder + "/out/split1/stats.json")?.pairs == 1)
        #expect(SplitStatistics.read(folder + "/out/split0/stats.json") == nil)
      }
    }
  }

  @Test func `a quote between tabs merges no rows`() async throws {
    let text = """
      url\ttext
      BASE/0\t"Hello
      BASE/1\t"in \"\"quotes\"\""
      BASE/2\t"A" and "B"
      BASE/3\t5" wide
      """
    try await download(text, as: "list.tsv") { statistics, folder in
      #expect(statistics.pairs == 4)
      #expect(caption(0, in: folder) == "\"Hello")
      #expect(caption(1, in: folder) == "in \"quotes\"")
      #expect(caption(2, in: folder) == "\"A\" and \"B\"")
      #expect(caption(3, in: folder) == "5\" wide")
    }
  }

  @Test func `objects of JSON are read a line at a time, bad lines counted`() async throws {
    let text = """
      {"image_url": "BASE/0", "alt_text": "one", "width": 640, "height": 480.0}
      not json
      [1, 2]
      {"image_url": "BASE/1", "alt_text": "zw\\u00f6lf \\ud83d\\ude02", "height": null}

      {"image_url": 5, "alt_text": {"a": 1}}
      {"image_url": "BASE/3", "alt_text": ["one", "two"]}
      {"image_url": "BASE/2", "alt_text": "\\ud83d broken"}
      """
    try await download(text, as: "list.jsonl") { statistics, folder in
      #expect(statistics.filtered["filtered: no caption"] == 1)
      let unreadable = statistics.filtered["filtered: unreadable row"] ?? 0
      #expect((2...3).contains(unreadable))
      #expect(statistics.pairs + unreadable == 6)
      #expect(caption(1, in: folder) == "zwölf 😂")
      #expect(caption(2, in: folder) == "one\ntwo")
    }
  }

  @Test(arguments: ["csv", "tsv"])
  func `a row with more fields than the header is no pair`(suffix: String) async throws {
    let separator = suffix == "csv" ? "," : "\t"
    let text = """
      url,text
      BASE/0,a photo, taken in 1999
      BASE/1,whole
      BASE/2,with an end,,
      BASE/3
      """
    let lines = text.replacing(",", with: separator)
    try await download(lines, as: "list.\(suffix)") { statistics, folder in
      #expect(statistics.pairs == 2)
      let expected = ["filtered: unreadable row": 1, "filtered: no caption": 1]
      #expect(statistics.filtered == expected)
      #expect(caption(0, in: folder) == "whole" && caption(1, in: folder) == "with an end")
    }
  }

  @Test func `captions that are not UTF-8 are read as Windows-1252 and counted`() async throws {
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(["/0": .bytes(try samplePNG(1))]) { server in
        try makeFolder(folder + "/meta")
        let bytes =
          Array("url\ttext\n\(server.url("/0"))\tcaf".utf8) + [0xE9, 0xFF] + Array(" x\n".utf8)
        try Data(bytes).write(to: URL(filePath: folder + "/meta/a.tsv"))
        let report = try await LaionDownload(loopbackConfiguration(folder)).run()
        #expect(caption(0, in: folder + "/out/split0") == "caféÿ x")
        #expect(report.splits.first?.recodedCaptions == 1)
      }
    }
  }

  @Test func `a column is found under the name given`() async throws {
    let text = "link\ttext\tdescription\nBASE/0\twrong\tright\n"
    let change: @Sendable (inout LaionConfiguration, String) -> Void = { settings, _ in
      settings.columns[.url] = "link"
      settings.columns[.caption] = "description"
    }
    try await download(text, as: "a.tsv", change) { statistics, folder in
      #expect(caption(0, in: folder) == "right")
    }
    await #expect(throws: LaionError.self) {
      try await download(
        text,
        as: "a.tsv",
        { settings, folder in
          change(&settings, folder)
          settings.columns[.licence] = "rights"
        },
        { _, _ in }
      )
    }
  }

  @Test func `every drop is counted by its cause`() async throws {
    let text = """
      url,text,nsfw,similarity,license,language,punsafe,pwatermark,width,height
      BASE/0,good,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      BASE/1,label,NSFW,0.5,cc-by,en,0.1,0.1,640,480
      BASE/2,similarity,UNLIKELY,0.1,cc-by,en,0.1,0.1,640,480
      BASE/3,licence,UNLIKELY,0.5,?,en,0.1,0.1,640,480
      BASE/4,language,UNLIKELY,0.5,CC-BY,fr,0.1,0.1,640,480
      BASE/5,unsafe,UNLIKELY,0.5,cc-by,en,0.9,0.1,640,480
      BASE/6,watermark,UNLIKELY,0.5,cc-by,en,0.1,nan,640,480
      BASE/7,small,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,31
      BASE/8,large,UNLIKELY,0.5,cc-by,en,0.1,0.1,6400,4800
      BASE/9,aspect,UNLIKELY,0.5,cc-by,en,0.1,0.1,900,100
      BASE/10,x,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      BASE/11,a caption that is far too long,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      BASE/0#again,duplicate,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      http://a.denied.example/x,denied host,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      http://notdenied.example:1/x,port,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      BASE/12,denied address,UNLIKELY,0.5,cc-by,en,0.1,0.1,640,480
      BASE/13,no licence,UNLIKELY,0.5,,en,0.1,0.1,640,480
      BASE/14,unknown,,,Cc-By,EN,,,,
      """
    try await download(text, as: "list.csv") { settings, folder in
      settings.denyList = folder + "/deny.txt"
      let base = text.isEmpty ? "" : "denied.example\n# comment\n\n"
      let meta = try String(contentsOfFile: folder + "/meta/list.csv", encoding: .utf8)
      let address = meta.split(separator: "\n").first { $0.contains("denied address") } ?? ""
      try (base + address.prefix { $0 != "," } + "\n")
        .write(toFile: folder + "/deny.txt", atomically: true, encoding: .utf8)
      settings.filter.minimumSimilarity = 0.3
      settings.filter.licences = ["cc-by"]
      settings.filter.languages = ["en"]
      settings.filter.maximumUnsafety = 0.5
      settings.filter.maximumWatermark = 0.5
      settings.filter.minimumSide = 32
      settings.filter.maximumSide = 4096
      settings.filter.maximumAspect = 3
      settings.filter.minimumCaptionLength = 2
      settings.filter.maximumCaptionLength = 20
    } _: { statistics, _ in
      #expect(
        statistics.filtered == [
          "filtered: safety label": 1, "filtered: similarity": 1, "filtered: licence": 2,
          "filtered: language": 1, "filtered: probably unsafe": 1,
          "filtered: probably watermarked": 1, "filtered: too small": 1, "filtered: too large": 1,
          "filtered: aspect ratio": 1, "filtered: no caption": 1, "filtered: caption too long": 1,
          "filtered: duplicate URL": 1, "filtered: on the deny list": 2,
        ]
      )
      #expect(statistics.failures == ["invalid URL": 1])
      #expect(statistics.pairs == 2)
    }
  }

  @Test func `a deny list with a line that is neither host nor address is refused`() async throws {
    await #expect(throws: LaionError.self) {
      try await download("url,text\n", as: "a.csv") { settings, folder in
        settings.denyList = folder + "/deny.txt"
        try "two words/x".write(toFile: folder + "/deny.txt", atomically: true, encoding: .utf8)
      } _: { _, _ in
      }
    }
  }

  @Test func `a part has the number in its name`() async throws {
    try await withTemporaryFolder { folder in
      for name in ["part-00007-x.parquet", "part-00003-x.csv", "notes.csv"] {
        try Data().write(to: URL(filePath: "\(folder)/\(name)"))
      }
      let parts = try MetadataPart.list(in: folder, range: nil)
      #expect(parts.map(\.number) == [3, 7])
      #expect(parts.map(\.format) == [.csv, .parquet])
      #expect(try MetadataPart.list(in: folder, range: 7...7).map(\.number) == [7])
      #expect(throws: LaionError.noSuchPart(part: 4, folder: folder, count: 2)) {
        try MetadataPart.list(in: folder, range: 3...7)
      }
      let one = folder + "/notes.csv"
      #expect(try MetadataPart.list(in: one, range: nil).map(\.path) == [one])
    }
  }
}
