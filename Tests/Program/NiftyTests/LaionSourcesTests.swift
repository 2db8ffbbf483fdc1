import Foundation
import Images
import Parquet
import TestSupport
import Testing

/// Metadata as others publish it, through `nifty laion`.
@Suite("Sources of laion", .serialized)
struct LaionSourcesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func picture(_ number: Int, width: Int = 48, height: Int = 40) throws -> [UInt8] {
    try RGBImage(
      width: width,
      height: height,
      filledWith: Color(UInt8(40 * number), 9, 200)
    ).encodedPNG()
  }

  /// Runs `nifty laion` on the metadata that is written below `meta`, against pictures /0 to /4.
  private func laion(
    _ arguments: [String] = [],
    headers: [String: String] = [:],
    writing write: @escaping @Sendable (_ base: String) throws -> Void
  ) async throws -> Outcome {
    var routes: [String: LoopbackServer.Answer] = [:]
    for number in 0..<5 { routes["/\(number)"] = .bytes(try picture(number), headers: headers) }
    let folder = folder
    return try await LoopbackServer.run(routes) { server in
      try write(server.url(""))
      return try await niftyAside(
        ["laion", "--metadata=meta", "--out=out", "--allow-private-addresses"] + arguments,
        in: folder.path
      )
    }
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.file(name), encoding: .utf8)
  }

  /// Compresses a file in place by the program that has the suffix.
  private func compress(_ name: String, as suffix: String) throws {
    let file = folder.file(name)
    let done =
      suffix == "gz"
      ? try runProgram("/bin/gzip", [file]) : try runProgram("/usr/bin/zstd", ["-q", "--rm", file])
    try #require(done?.status == 0, "gzip and zstd are needed: \(done?.output ?? "not there")")
  }

  @Test(arguments: ["", "gz", "zst"])
  func `a TSV without a header is read by the columns that are named`(suffix: String) async throws {
    let result = try await laion(["--columns=caption,url"]) { base in
      try folder.write(Array("a cat\t\(base)/0\na dog\t\(base)/1\n".utf8), to: "meta/cc3m.tsv")
      if !suffix.isEmpty { try compress("meta/cc3m.tsv", as: suffix) }
    }
    #expect(result.status == 0, "\(result.errors)")
    #expect(try text("out/split0/0.txt") == "a cat" && text("out/split0/1.txt") == "a dog")
  }

  @Test func `a list of addresses gives pictures with empty texts, on request`() async throws {
    let write: @Sendable (String) throws -> Void = { base in
      try folder.write(Array("\(base)/0\n\(base)/1\n\n\(base)/0\n".utf8), to: "meta/urls.txt")
    }
    let refused = try await laion(writing: write)
    #expect(refused.status != 0)
    #expect(refused.errors.contains("is a list of addresses without captions: add --uncaptioned"))
    let result = try await laion(["--uncaptioned"], writing: write)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try text("out/split0/0.txt").isEmpty && text("out/split0/1.txt").isEmpty)
    let checked = try nifty(["laion", "verify", "--out=out", "--full"], in: folder.path)
    #expect(checked.status == 0, "\(checked.output) \(checked.errors)")
    // They pack as images without captions.
    let packed = try nifty(
      [
        "pack", "--source=out/split0", "--dest=out.zip", "--no-clip", "--width=32", "--height=32",
        "--transform=center-crop",
      ],
      in: folder.path
    )
    #expect(packed.status == 0 && packed.output.contains("2 images of 32², 0 captions"))
  }

  @Test func `an array of JSON is read an object at a time, damaged ones are counted`() async throws
  {
    let result = try await laion { base in
      let json = """
        \u{FEFF}[
          {"url": "\(base)/0", "caption": "with ] and \\" in it", "meta": {"a": [1, {}]}},
          {"url": "\(base)/1", "caption": ["one", "two"]}, 7, "text",
          {"url": "\(base)/2" "caption": "no comma"}, {"url": "\(base)/3", "caption": "last"}
        ]
        """
      try folder.write(Array(json.utf8), to: "meta/set.json")
    }
    #expect(result.status == 0, "\(result.errors)")
    #expect(try text("out/split0/0.txt") == "with ] and \" in it")
    #expect(try text("out/split0/1.txt") == "one\ntwo")
    #expect(try text("out/split0/2.txt") == "last")
    #expect(try text("out/split0/stats.json").contains("\"filtered: unreadable row\" : 3"))
    #expect(result.output.contains("split0: 3 pairs; left out: unreadable row 3\n"))
  }

  @Test func `metadata without a row is said to have none`() async throws {
    let result = try await laion { base in
      try folder.write(Array("url,caption\r\(base)/0,a\r".utf8), to: "meta/set.csv")
    }
    #expect(result.status == 1)
    let said = "its lines end in carriage returns alone; convert it by tr '\\r' '\\n'"
    #expect(result.errors.contains(said), "\(result.errors)")
    let empty = try await laion { _ in
      try folder.write(Array("url,caption\n".utf8), to: "meta/set.csv")
    }
    #expect(empty.status == 1)
    #expect(empty.errors.contains("the metadata has no rows"), "\(empty.errors)")
  }

  @Test func `an array that is cut is one line that names it`() async throws {
    let json = try await laion { base in
      try folder.write(Array("[{\"url\": \"\(base)/0\", ".utf8), to: "meta/set.json")
    }
    #expect(json.status != 0 && json.errors.contains("it ends inside of an object"))
  }

  @Test(arguments: ["gz", "zst"])
  func `a compressed file that is cut is one line that names it`(suffix: String) async throws {
    let cut = try await laion { base in
      let rows = (0..<2000).map { "\(base)/0?\($0 * 7919)\ttext \($0 &* 104_729)\n" }.joined()
      try folder.write(Array(("url\tcaption\n" + rows).utf8), to: "meta/set.tsv")
      try compress("meta/set.tsv", as: suffix)
      let path = folder.file("meta/set.tsv.\(suffix)")
      let whole = try Data(contentsOf: URL(filePath: path))
      try whole.prefix(whole.count / 2).write(to: URL(filePath: path))
    }
    #expect(cut.status != 0, "\(cut.output)")
    #expect(cut.errors.contains("set.tsv.\(suffix) cannot be decompressed: it ends too early"))
  }

  @Test func `a clone of a Hugging Face repository is read from its nested folder`() async throws {
    let result = try await laion { base in
      for (number, name) in ["train-00000-of-00002", "train-00001-of-00002"].enumerated() {
        try folder.write([], to: "meta/data/keep")
        let writer = try ParquetWriter(
          path: folder.file("meta/data/\(name).parquet"),
          columns: [("url", .string), ("text", .string), ("clip_b32_similarity_score", .string)]
        )
        try writer.append([.string("\(base)/\(number)"), .string("part \(number)"), .string("0.3")])
        try writer.finish()
      }
      try folder.write(Array("A licence.\n".utf8), to: "meta/LICENSE.txt")
      try folder.write(Array("{}".utf8), to: "meta/dataset_infos.json")
    }
    #expect(result.status == 0, "\(result.errors)")
    #expect(try text("out/split0/0.txt") == "part 0" && text("out/split1/0.txt") == "part 1")
  }

  @Test func `columns are carried along into the index`() async throws {
    let result = try await laion(["--keep-columns=pwatermark,source"]) { base in
      let text = "url,caption,source,pwatermark\n\(base)/0,a,web,0.25\n\(base)/1,b,,0.5\n"
      try folder.write(Array(text.utf8), to: "meta/set.csv")
    }
    #expect(result.status == 0, "\(result.errors)")
    let reader = try ParquetReader(
      path: folder.file("out/split0/index.parquet"),
      columns: ["pwatermark", "source", "status"]
    )
    let batch = try #require(try reader.next())
    #expect((0..<2).map { batch["pwatermark"].string($0) } == ["0.25", "0.5"])
    #expect((0..<2).map { batch["source"].string($0) } == ["web", nil])
    let checked = try nifty(["laion", "verify", "--out=out"], in: folder.path)
    #expect(checked.status == 0, "\(checked.output) \(checked.errors)")
    // Those of another choice are other splits.
    let other = try await laion(["--keep-columns=source"]) { _ in }
    #expect(other.status != 0 && other.errors.contains("out/split0"))
  }

  @Test(arguments: [
    ("keep-ratio", 38, 32), ("center-crop", 32, 32), ("border", 32, 32),
    ("only-if-bigger", 38, 32),
  ])
  func `pictures get their size as it is asked for`(
    mode: String,
    width: Int,
    height: Int
  ) async throws {
    let result = try await laion(["--size=32", "--resize=\(mode)"]) { base in
      try folder.write(Array("url,caption\n\(base)/1,a\n".utf8), to: "meta/set.csv")
    }
    #expect(result.status == 0, "\(result.errors)")
    let stored = try RGBImage(contentsOf: folder.file("out/split0/0.png"))
    #expect(stored.width == width && stored.height == height)
    #expect(stored[x: width / 2, y: height / 2] == Color(40, 9, 200))
    // 48 × 40 within 32 × 32: 27 rows, and bars above and below.
    #expect((stored[x: 16, y: 0] == .white) == (mode == "border"))
  }

  @Test func `a picture that would become too large is counted, and the others are stored`()
    async throws
  {
    let routes: [String: LoopbackServer.Answer] = [
      "/long": .bytes(try picture(1, width: 4000, height: 40)), "/fine": .bytes(try picture(2)),
    ]
    try await LoopbackServer.run(routes) { server in
      let rows = "url,caption\n\(server.url("/long")),a\n\(server.url("/fine")),b\n"
      try folder.write(Array(rows.utf8), to: "meta/set.csv")
      let result = try nifty(
        [
          "laion", "--metadata=meta", "--out=out", "--allow-private-addresses", "--size=1000",
          "--resize=keep-ratio",
        ],
        in: folder.path
      )
      #expect(result.status == 0, "\(result.errors)")
      #expect(try text("out/split0/stats.json").contains("\"too many pixels\" : 1"))
    }
  }

  @Test(arguments: ["folder", "webdataset"])
  func `originals are stored byte for byte under the suffix of their format`(
    layout: String
  )
    async throws
  {
    let image = try RGBImage(decoding: picture(2))
    let files = [
      "png": try picture(1), "jpg": try image.encodedJPEG(quality: 80),
      "webp": try image.encodedWebP(quality: 80),
    ]
    let names = files.keys.sorted()
    var routes: [String: LoopbackServer.Answer] = [
      "/cut": .bytes(Array(files["jpg", default: []].prefix(300)))
    ]
    for name in names { routes["/of-\(name)"] = .bytes(files[name, default: []]) }
    try await LoopbackServer.run(routes) { server in
      let rows = (["cut"] + names.map { "of-\($0)" }).map { "\(server.url("/" + $0)),text\n" }
      try folder.write(Array(("url,caption\n" + rows.joined()).utf8), to: "meta/set.csv")
      let arguments = [
        "laion", "--metadata=meta", "--out=out", "--allow-private-addresses", "--format=original",
        "--to=\(layout)",
      ]
      for _ in 0..<2 {
        let result = try nifty(arguments, in: folder.path)
        #expect(result.status == 0, "\(result.errors)")
      }
      let checked = try nifty(
        ["laion", "verify", "--out=out", "--full", "--decode"],
        in: folder.path
      )
      #expect(checked.status == 0, "\(checked.output) \(checked.errors)")
    }
    var stored = "out/split0/"
    if layout == "webdataset" {
      _ = try #require(
        try runProgram("/bin/tar", ["-xf", folder.file("out/split0/00000.tar"), "-C", folder.path])
      )
      stored = "00000000"
    }
    for (number, name) in names.enumerated() {
      let data = try Data(contentsOf: URL(filePath: folder.file("\(stored)\(number).\(name)")))
      #expect(Array(data) == files[name], "\(name)")
    }
  }

  @Test func `a small picture stays as it is where only bigger ones are resized`() async throws {
    let result = try await laion(["--size=41", "--resize=only-if-bigger"]) { base in
      try folder.write(Array("url,caption\n\(base)/1,a\n".utf8), to: "meta/set.csv")
    }
    #expect(result.status == 0, "\(result.errors)")
    let stored = try RGBImage(contentsOf: folder.file("out/split0/0.png"))
    #expect(stored.width == 48 && stored.height == 40)
  }

  @Test(
    arguments: [
      ([], "noindex", 1), ([], "noai", 0), (["--opt-out=noai,noindex"], "noindex", 0),
      (["--opt-out=noml"], "noai", 1), (["--opt-out=none"], "noimageai", 1),
    ] as [([String], String, Int)]
  )
  func `the words that opt an image out are chosen`(
    arguments: [String],
    word: String,
    pairs: Int
  ) async throws {
    let result = try await laion(arguments, headers: ["X-Robots-Tag": word]) { base in
      try folder.write(Array("url,caption\n\(base)/1,a\n".utf8), to: "meta/set.csv")
    }
    // Without any pair the status says so.
    #expect(result.status == (pairs == 1 ? 0 : 1), "\(result.errors)")
    #expect(FileManager.default.fileExists(atPath: folder.file("out/split0/0.png")) == (pairs == 1))
  }

  @Test(arguments: [
    (["--format=original", "--size=32"], "--format original keeps the bytes that came"),
    (
      ["--format=original", "--to=zip", "--size=32"], "--format original keeps the bytes that came"
    ),
    (["--format=original", "--quality=50"], "original keeps the bytes that came"),
    (["--opt-out=noArt"], "--opt-out must be none, or some of noai,noimageai"),
    (["--resize=border"], "--resize says how images get their --size"),
    (["--to=zip", "--size=32", "--resize=keep-ratio"], "--to zip packs squares"),
    (["--columns=url,url"], "--columns must name each column once"),
    (["--columns=caption,text"], "has no URL column, only caption, text"),
    (["--keep-columns=sha256"], "index.parquet has a column sha256 of its own"),
    (["--keep-columns=nothing"], "has no column nothing, only url, caption"),
  ])
  func `what does not fit is refused in a line before anything is requested`(
    arguments: [String],
    message: String
  ) async throws {
    let result = try await laion(arguments) { base in
      try folder.write(Array("url,caption\n\(base)/1,a\n".utf8), to: "meta/set.csv")
    }
    #expect(result.status != 0 && result.errors.contains(message), "\(result.errors)")
  }
}
