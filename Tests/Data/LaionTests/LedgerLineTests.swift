import Files
import Foundation
import TestSupport
import Testing

@testable import Laion

@Suite("Lines of the ledger")
struct LedgerLineTests {
  private static let sha = String(repeating: "0f", count: 32)

  private static func pair(
    _ row: Int,
    _ number: Int,
    perceptualHash: String? = nil,
    file: StoredFile? = .init(size: 2048, hash: 0xabc),
    replaced: FetchCause? = nil
  ) -> Ledger.Entry {
    let image = StoredImage(
      width: 640,
      height: 480,
      bytes: 1000,
      sha256: sha,
      perceptualHash: perceptualHash,
      file: file
    )
    return .init(row: row, number: number, outcome: .success(image), replaced: replaced)
  }

  private static func failure(
    _ row: Int,
    _ cause: FetchCause,
    replaced: FetchCause? = nil
  ) -> Ledger.Entry {
    .init(row: row, number: nil, outcome: .failure(cause), replaced: replaced)
  }

  /// Every form of a line, those of earlier versions too, by hand.
  private static let forms: [(line: String, entry: Ledger.Entry)] = [
    ("12\t-\ttimed out", failure(12, .timedOut)),
    ("0\t-\tHTTP 404", failure(0, .status(404))),
    ("12\t-\tempty\twas timed out", failure(12, .empty, replaced: .timedOut)),
    ("3\t2\tok\t640\t480\t1000\t\(sha)", pair(3, 2, file: nil)),
    ("3\t2\tok\t640\t480\t1000\t\(sha)\t00ff", pair(3, 2, perceptualHash: "00ff", file: nil)),
    ("3\t2\tok\t640\t480\t1000\t\(sha)\t2048\tabc", pair(3, 2)),
    ("3\t2\tok\t640\t480\t1000\t\(sha)\t2048\tabc\t00ff", pair(3, 2, perceptualHash: "00ff")),
    (
      "3\t2\tok\t640\t480\t1000\t\(sha)\t2048\tabc\twas HTTP 503",
      pair(3, 2, replaced: .status(503))
    ),
    (
      "3\t2\tok\t640\t480\t1000\t\(sha)\t2048\tffffffffffffffff",
      pair(3, 2, file: .init(size: 2048, hash: .max))
    ),
  ]

  @Test func `each form is written and read back to the letter`() {
    for (line, entry) in Self.forms {
      #expect(LedgerLine.encoded(entry) == line)
      #expect(LedgerLine.decoded(Substring(line)) == entry, "\(line)")
    }
  }

  @Test(arguments: [
    "invalid URL", "unknown host", "resolver failed", "host timed out before",
    "redirected to the deny list", "blocked address", "connection failed", "encryption failed",
    "timed out", "connection lost", "invalid response", "too many redirects", "invalid redirect",
    "opted out", "disallowed by robots.txt", "robots.txt unavailable", "too many bytes", "empty",
    "not an image", "unsupported image", "corrupt image", "truncated image", "too many pixels",
    "out of memory",
    "too small", "duplicate image", "near duplicate", "HTTP 0", "HTTP 418", "HTTP 599",
  ])
  func `every cause keeps its name in ledgers`(name: String) throws {
    let entry = try #require(LedgerLine.decoded("1\t-\t\(name)"))
    #expect(LedgerLine.encoded(entry) == "1\t-\t\(name)")
    let again = try #require(LedgerLine.decoded("1\t-\tempty\twas \(name)"))
    #expect(again.replaced?.description == name)
  }

  @Test(arguments: [
    "", "1", "1\t-", "1\t-\tno such cause", "1\t0\ttimed out", "1\t-\tempty\twas", "\t-\tempty",
    "1\t-\tempty\twas no such cause", "1\t-\tok\t1\t1\t1\tab", "1\t0\tOK\t1\t1\t1\tab",
    "1\t0\tok\t1\t1\t1", "1\t0\tok\t1\t1\t1\tab\t1\tx", "1\t0\tok\t1\t1\t1\tab\t1\t1\tlook\tmore",
    "1 \t-\tempty", "1\t-\tHTTP ", "1\t-\tHTTP 99999999999999999999", "was empty",
  ])
  func `a malformed ledger line is rejected`(line: String) {
    #expect(LedgerLine.decoded(Substring(line)) == nil)
  }

  @Test func `a ledger cut at any byte counts its whole lines, and goes on behind them`()
    async throws
  {
    let entries = [
      Self.pair(0, 0), Self.failure(1, .timedOut), Self.pair(4, 1, perceptualHash: "00ff"),
      Self.failure(5, .status(404)),
    ]
    try await withTemporaryFolder { folder in
      let path = folder + "/.ledger"
      try Ledger(path, fingerprint: "same").append(entries)
      let whole = try bytes(of: path)
      for length in 0...whole.count {
        let cut = Array(whole.prefix(length))
        try Data(cut).write(to: URL(filePath: path))
        // The first line is the header.
        let kept = max(0, cut.count { $0 == 0x0A } - 1)
        var expected = Ledger.Summary()
        for entry in entries.prefix(kept) { expected.add(entry) }
        let ledger = try Ledger(path, fingerprint: "same")
        #expect(ledger.summary == expected, "\(length) bytes")
        try ledger.append(Array(entries.dropFirst(kept)))
        #expect(try bytes(of: path) == whole, "\(length) bytes")
      }
    }
  }

  @Test func `a ledger of an earlier version, without sizes and hashes, is read and goes on`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let path = folder + "/.ledger"
      let old = [
        "nifty laion ledger 1\tsame", "0\t0\tok\t640\t480\t1000\t\(Self.sha)",
        "1\t-\ttimed out", "2\t1\tok\t8\t9\t24\t\(Self.sha)\t00ff",
      ]
      let text = old.map(RecordLog.Checksum.fnv.sealed).joined()
      try Data(text.utf8).write(to: URL(filePath: path))
      let ledger = try Ledger(path, fingerprint: "same")
      #expect(ledger.summary.pairs == 2 && ledger.summary.bytes == 1024)
      #expect(ledger.summary.nextRow == 3 && ledger.summary.failures == [.timedOut: 1])
      try ledger.append([Self.pair(3, 2)])
      var rows: [Int] = []
      try Ledger.read(path, header: nil) { rows.append($0.row) }
      #expect(rows == [0, 1, 2, 3])
    }
  }
}
