import Foundation
import Parquet
import TestSupport
import Testing

@Suite struct HostileParquetTests {
  private let original: [UInt8]

  init() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/types.parquet")
    original = [UInt8](try Data(contentsOf: path))
  }

  /// Reads everything; `nil` when the file was accepted, else the error.
  private func read(_ bytes: [UInt8], in folder: String) throws -> ParquetError? {
    let path = folder + "/hostile.parquet"
    try Data(bytes).write(to: URL(filePath: path))
    do throws(ParquetError) {
      let reader = try ParquetReader(
        path: path,
        columns: ["int64", "double", "text", "large_string", "dictionary", "bool"],
        memoryLimit: 64 << 20
      )
      var rows = 0
      while let batch = try reader.next(), rows < 100_000 {
        for row in 0..<batch.rowCount {
          _ = batch["int64"].int(row)
          _ = batch["double"].string(row)
          _ = batch["text"].string(row)
          _ = batch["large_string"].string(row)
          _ = batch["dictionary"].string(row)
          _ = batch["bool"].double(row)
        }
        rows += batch.rowCount
      }
      return nil
    } catch {
      return error
    }
  }

  @Test func `a file cut anywhere is an error in one line`() async throws {
    try await withTemporaryFolder { folder in
      for length in stride(from: 0, to: original.count, by: 37) {
        let result = try read(Array(original[..<length]), in: folder)
        let error = try #require(result)
        #expect(!"\(error)".contains("\n"))
        #expect("\(error)".contains("hostile.parquet"))
      }
    }
  }

  @Test func `damaged views, decimals and lists give values or an error`() async throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/newer.parquet")
    let inputs = DamagedInputs([[UInt8](try Data(contentsOf: path))])
    let names = ["view", "binary_view", "decimal", "texts", "large_texts", "latin"]
    try await withTemporaryFolder { folder in
      let report = inputs.read(1500) { bytes in
        let path = folder + "/hostile.parquet"
        try Data(bytes).write(to: URL(filePath: path))
        let reader = try ParquetReader(
          path: path,
          columns: names.map { ParquetColumn($0, isRequired: false) },
          memoryLimit: 64 << 20
        )
        var rows = 0
        while let batch = try reader.next(), rows < 100_000 {
          for row in 0..<batch.rowCount {
            for name in names {
              _ = batch[name].string(row)
              _ = batch[name].double(row)
              _ = batch[name].texts(row) { $0.reduce(0) { $0 &+ Int($1) } }
            }
          }
          rows += batch.rowCount
        }
      }
      #expect(report.refused > 100 && report.refused < report.inputs)
    }
  }

  @Test func `a missing file and a folder are errors`() async throws {
    try await withTemporaryFolder { folder in
      #expect(throws: ParquetError.self) {
        try ParquetReader(path: folder + "/none.parquet", columns: ["URL"])
      }
      #expect(throws: ParquetError.self) { try ParquetReader(path: folder, columns: ["URL"]) }
      let page = try read(Array("<html>404 not found</html>".utf8), in: folder)
      #expect(page != nil)
    }
  }

  /// `NIFTY_FUZZ=100000` makes this a full run.
  @Test func `damaged files never crash the reader`() async throws {
    try await withTemporaryFolder { folder in
      let report = DamagedInputs([original]).read(3000) { copy in
        if let error = try read(copy, in: folder) { throw error }
      }
      print("fuzz: \(report)")
      #expect(report.refused > report.inputs / 10 && report.refused < report.inputs)
      #expect(report.slowest < .seconds(5))
      #expect(report.peakGrowth < 512 << 20)
    }
  }
}
