import Files
import Foundation
import TestSupport
import Testing

@testable import Fetch

/// The whole protocol, against a server on this machine that answers as Drive does.
@Suite("Fetching datasets")
struct DriveTests {
  private let folder: TemporaryFolder
  private let zip = Array("PK".utf8) + (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }
  private let page = Array(
    """
    <title>Virus scan warning</title><form id="download-form" action="/download" method="get">
    <input type="hidden" name="id" value="abcdefghijk"><input type="hidden" name="confirm" value="t">
    <input type="hidden" name="uuid" value="4-2"></form>
    """.utf8
  )
  private let html = ["Content-Type": "text/html; charset=utf-8"]

  init() throws { folder = try TemporaryFolder() }

  /// Runs the command while the server answers; the file is asked for after the page and a first look.
  private func fetch(
    _ file: [LoopbackServer.Answer],
    start: LoopbackServer.Answer? = nil
  ) async throws -> (outcome: Outcome, query: String?, cookie: String?, range: String?) {
    let path = folder.path
    let first = LoopbackServer.Answer.status(
      303,
      headers: ["Location": "/download?id=abcdefghijk", "Set-Cookie": "NID=7; Path=/"]
    )
    let routes = [
      "/uc": start ?? first, "/download": .sequence([.bytes(page, headers: html)] + file),
    ]
    return try await LoopbackServer.run(routes) { server in
      let outcome = try await niftyAside(
        [
          "fetch", "coco", "--id", "https://drive.google.com/file/d/abcdefghijk/view",
          "--drive-server", server.url(""), "--out", "data/coco.zip",
        ],
        in: path
      )
      return (
        outcome, server.lastQuery(of: "/download"), server.lastHeader("Cookie", of: "/download"),
        server.lastHeader("Range", of: "/download")
      )
    }
  }

  private var written: [UInt8]? {
    FileManager.default.contents(atPath: folder.file("data/coco.zip")).map { Array($0) }
  }

  @Test func `the file comes with the token and the cookie, and its hash is kept`() async throws {
    let found = try await fetch([.ranged(zip)])
    #expect(found.outcome.status == 0, "\(found.outcome.errors)")
    #expect(written.map { $0 == zip } == true)
    #expect(found.query == "id=abcdefghijk&confirm=t&uuid=4-2")
    #expect(found.cookie == "NID=7")
    let hash = zip.withUnsafeBytes { SHA256.digest(of: $0) }
    let kept = try String(contentsOfFile: folder.file("data/coco.zip.sha256"), encoding: .utf8)
    #expect(kept == hash + "\n")
    // There already: compared, nothing is asked of anybody.
    let again = try nifty(
      ["fetch", "coco", "--id", "abcdefghijk", "--out", "data/coco.zip"],
      in: folder.path
    )
    #expect(again.output.contains("\(hash) as expected"), "\(again)")
  }

  @Test func `a download that broke off goes on where it stopped`() async throws {
    let tag = "\"v1\""
    let cut = LoopbackServer.Answer.ranged(zip, tag: tag, cutAfter: 40_000)
    let found = try await fetch([cut, cut, .ranged(zip, tag: tag)])
    #expect(found.outcome.status == 0, "\(found.outcome.errors)")
    #expect(found.range?.hasPrefix("bytes=") == true && found.range != "bytes=0-")
    #expect(written.map { $0 == zip } == true)
  }

  @Test func `quota exceeded, not shared, missing, and a page instead of the file are reported`()
    async throws
  {
    let quota = Array("<title>Google Drive - Quota exceeded</title>".utf8)
    for (answer, start, expected) in [
      (LoopbackServer.Answer.bytes(quota, headers: html), nil, "too many have fetched"),
      (.status(403), nil, "not shared with everybody"),
      (.ranged(zip), LoopbackServer.Answer.status(404), "there is no such file"),
      (.ranged(zip), .redirect("https://evil.example/x"), "evil.example, which is not followed"),
      (.ranged(zip), .redirect("/uc"), "leads in a circle"),
      (.sequence([.ranged(zip)]), .bytes(Array("<title>New</title>".utf8), headers: html), "“New”"),
      (.ranged(Array("no archive".utf8)), nil, "was no zip"),
      (
        .ranged(zip), .bytes([UInt8](repeating: 32, count: 3 << 20), headers: html),
        "no page at all"
      ),
    ] as [(LoopbackServer.Answer, LoopbackServer.Answer?, String)] {
      let found = try await fetch([answer], start: start)
      #expect(found.outcome.status == 1)
      let last = found.outcome.errors.split(separator: "\n").last ?? ""
      #expect(last.contains(expected), "\(found.outcome.errors)")
      #expect(written == nil)
    }
    // The quota may run out between the look and the download.
    let late = try await fetch([.ranged(zip), .bytes(quota, headers: html)])
    #expect(late.outcome.errors.contains("web page") && written == nil, "\(late.outcome.errors)")
  }

  @Test func `offline, it says at once where to get the file and where to put it`() throws {
    let start = ContinuousClock.now
    let outcome = try nifty(
      ["fetch", "cub", "--id", "abcdefghijk", "--drive-server", "http://127.0.0.1:1"],
      in: folder.path
    )
    #expect(outcome.status == 1)
    for part in ["https://github.com/drboog/Lafite", "put it at data/cub.zip"] {
      #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }
    let bare = try nifty(["fetch", "celeba", "--page", "http://127.0.0.1:1/"], in: folder.path)
    #expect(bare.status == 1)
    for part in ["links at https://github.com/drboog/Lafite", "put it at data/celeba_train.zip"] {
      #expect(bare.errors.contains(part), "\(bare.errors)")
    }
    let both = try nifty(["fetch", "celeba", "--id", "abcdefghijk", "--url", "http://a"])
    #expect(both.status == 64 && both.errors.contains("give one of them"))
    #expect(try nifty(["fetch", "cub", "--split", "all"]).status == 64)
    #expect(try nifty(["fetch", "coco", "--id", "?"], in: folder.path).errors.contains("--id"))
    #expect(start.duration(to: .now) < .seconds(15))
  }

  @Test func `without a link, the author's page is asked for the one of the split`() async throws {
    let page = """
      # LAFITE
      - [Model trained on MS-COCO, CLIP-ViT/B-16](https://drive.google.com/file/d/modelmodel1/view)
      - [MS-COCO Training Set](https://drive.google.com/file/d/abcdefghijk/view?usp=sharing)
      - [MS-COCO Validation Set](https://drive.google.com/file/d/cocovalcoco/view?usp=sharing)
      - [CUB Training Set A](https://drive.google.com/file/d/cubtrain00A/view)
      - [CUB Training Set B](https://drive.google.com/file/d/cubtrain00B/view)
      """
    let path = folder.path
    let (coco, cub, celeba, long) = try await LoopbackServer.run([
      "/uc": .redirect("/download"), "/download": .ranged(zip),
      "/README.md": .bytes(Array(page.utf8)),
      "/long": .bytes([UInt8](repeating: 32, count: 2 << 20)),
    ]) { server in
      let ends = ["--page", server.url("/README.md"), "--drive-server", server.url("")]
      let coco = try await niftyAside(["fetch", "coco"] + ends, in: path)
      #expect(server.lastQuery(of: "/uc")?.contains("id=abcdefghijk") == true)
      return (
        coco, try await niftyAside(["fetch", "cub"] + ends, in: path),
        try await niftyAside(["fetch", "celeba"] + ends, in: path),
        try await niftyAside(["fetch", "celeba", "--page", server.url("/long")], in: path)
      )
    }
    #expect(coco.status == 0 && coco.errors.contains("“MS-COCO Training Set”"), "\(coco.errors)")
    let written = FileManager.default.contents(atPath: folder.file("data/coco_train.zip"))
    #expect(written.map { $0 == Data(zip) } == true)
    #expect(cub.status == 1, "\(cub.errors)")
    #expect(cub.errors.contains("2 links for cub train; give one with --id: “CUB Training Set A”"))
    #expect(cub.errors.contains("cubtrain00B") && !cub.errors.contains("cocoval"))
    #expect(celeba.status == 1 && celeba.errors.contains("no link for celeba train"))
    #expect(
      celeba.errors.contains("cocovalcoco") && celeba.errors.split(separator: "\n").count == 1
    )
    #expect(long.status == 1 && long.errors.contains("longer than"), "\(long.errors)")
  }

  @Test(arguments: [
    ("cub", "train", ["birdtrain01"]), ("cub", "test", ["birdtest001"]),
    ("celeba", "train", ["facefaceall"]), ("celeba", "test", ["facefaceall"]),
    ("coco", "val", ["cocoval0001"]), ("coco", "test", ["cocoval0001"]), ("coco", "train", []),
  ])
  func `links are told apart by their names, lines and headings`(
    set: String,
    split: String,
    ids: [String]
  ) {
    let links = SharedLinks(
      """
      ## Birds (CUB)
      * **training** [train](https://drive.google.com/file/d/birdtrain01/view), [test](https://drive.google.com/file/d/birdtest001/view)
      * [pre-trained on birds](https://drive.google.com/file/d/birdmodel01/view)
      # Others
      <a class="x" href="https://drive.google.com/open?id=facefaceall">Multi-modal <b>CelebA-HQ</b></a>
      MS-COCO validation: https://drive.google.com/uc?id=cocoval0001
      [COCO training](https://drive.google.com/drive/) [COCO training](https://evil.example/file/d/cocoevil001)
      """
    )
    #expect(links.zips(of: set, split: split).map(\.id) == ids)
  }

  @Test func `damaged pages of links are read without harm`() {
    let seed = Array("## COCO\n[train](https://drive.google.com/file/d/abcdefghijk/view)\n".utf8)
    let report = DamagedInputs([seed], alphabet: Array("[]()#/\"'< \n\u{e9}".utf8)).read(3000) {
      for link in SharedLinks(String(decoding: $0, as: UTF8.self)).links {
        #expect(DriveDownload.id(in: link.id) != nil)
      }
    }
    #expect(report.refused == 0 && report.slowest < .seconds(2))
  }

  @Test func `a file elsewhere is fetched by its address`() async throws {
    let path = folder.path
    let outcome = try await LoopbackServer.run(["/c.zip": .ranged(zip)]) { server in
      try await niftyAside(["fetch", "celeba", "--url", server.url("/c.zip")], in: path)
    }
    #expect(outcome.status == 0, "\(outcome.errors)")
    let celeba = FileManager.default.contents(atPath: folder.file("data/celeba.zip"))
    #expect(celeba.map { $0 == Data(zip) } == true)
  }
}
