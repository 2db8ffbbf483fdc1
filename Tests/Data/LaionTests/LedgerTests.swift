import TestSupport
import Testing

@testable import Laion

@Suite struct LedgerTests {
  @Test func `a copy of the descriptor in a process being started does not keep the lock`()
    async throws
  {
    try await withScratchFolder { folder in
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
