import Files
import Foundation
import TestSupport
import Testing

@testable import Laion

@Suite struct LedgerTests {
  @Test(arguments: [
    "9223372036854775807\t-\tempty", "-1\t-\tempty",
    "0\t0\tok\t1\t1\t9223372036854775807\tab\t1\t1", "0\t-1\tok\t1\t1\t1\tab\t1\t1",
    "0\t0\tok\t-5\t1\t1\tab\t1\t1", "0\t0\tok\t1\t1\t1\tab\t99999999999999999999\t1",
  ])
  func `a ledger with numbers that cannot be is refused`(line: String) async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/.ledger"
      do { _ = try Ledger(path, fingerprint: "same") }
      var text = try String(contentsOfFile: path, encoding: .utf8)
      text += RecordLog.Checksum.fnv.sealed(line)
      try Data(text.utf8).write(to: URL(filePath: path))
      #expect(throws: LaionError.damagedLedger(path: path, line: 2)) {
        try Ledger(path, fingerprint: "same")
      }
    }
  }

  @Test func `a copy of the descriptor in a process being started does not keep the lock`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let path = folder + "/.ledger"
      var first: Ledger? = try Ledger(path, fingerprint: "same")
      let copies = try OpenCopies(of: path)
      #expect(copies.count == 1)
      #expect(throws: LaionError.self) { try Ledger(path, fingerprint: "same") }
      #expect(first != nil)
      first = nil
      _ = try Ledger(path, fingerprint: "same")
    }
  }
}
