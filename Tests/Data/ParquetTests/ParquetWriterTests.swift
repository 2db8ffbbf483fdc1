import Foundation
import Parquet
import TestSupport
import Testing

@Suite struct ParquetWriterTests {
  private static let columns: [(name: String, type: ParquetType)] = [
    ("number", .int64), ("similarity", .double), ("caption", .string),
  ]

  @Test func `what is written is read back, nulls included`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/index.parquet"
      let writer = try ParquetWriter(path: path, columns: Self.columns)
      // More rows than one batch of the writer, ending inside a batch.
      for i in 0..<10_000 {
        try writer.append([
          .int64(Int64(i) - 5000),
          i % 3 == 0 ? .null : .double(Double(i) / 4),
          i % 5 == 0 ? .null : .string(i % 7 == 0 ? "" : "猫 \(i)\nsecond line"),
        ])
      }
      #expect(!FileManager.default.fileExists(atPath: path))
      try writer.finish()
      #expect(writer.rowCount == 10_000)

      let reader = try ParquetReader(path: path, columns: ["caption", "number", "similarity"])
      #expect(reader.rowCount == 10_000)
      var i = 0
      while let batch = try reader.next() {
        for row in 0..<batch.rowCount {
          #expect(batch["number"].int(row) == i - 5000)
          #expect(batch["similarity"].double(row) == (i % 3 == 0 ? nil : Double(i) / 4))
          let caption = i % 5 == 0 ? nil : i % 7 == 0 ? "" : "猫 \(i)\nsecond line"
          #expect(batch["caption"].string(row) == caption)
          i += 1
        }
      }
      #expect(i == 10_000)
    }
  }

  @Test func `binary values of more than a row group are read back`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/images.parquet"
      let writer = try ParquetWriter(path: path, columns: [("image", .binary), ("n", .int64)])
      func value(_ row: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(ascii: "a") + UInt8(row % 26), count: 1 << 20) + [0x30]
      }
      for row in 0..<150 {
        try writer.append([row == 77 ? .null : .binary(value(row)), .int64(Int64(row))])
      }
      try writer.finish()
      let reader = try ParquetReader(path: path, columns: ["image", "n"])
      var row = 0
      while let batch = try reader.next() {
        for index in 0..<batch.rowCount {
          let read = batch["image"].string(index).map { Array($0.utf8) }
          #expect(read == (row == 77 ? nil : value(row)) && batch["n"].int(index) == row)
          row += 1
        }
      }
      #expect(row == 150)
    }
  }

  @Test func `an unfinished file leaves nothing behind`() async throws {
    try await withTemporaryFolder { folder in
      do {
        let writer = try ParquetWriter(path: folder + "/index.parquet", columns: Self.columns)
        try writer.append([.int64(1), .null, .string("lost")])
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func `an empty file has columns and no rows`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/empty.parquet"
      try ParquetWriter(path: path, columns: Self.columns).finish()
      let reader = try ParquetReader(path: path, columns: ["caption"])
      #expect(reader.rowCount == 0)
      #expect(reader.columnNames == ["number", "similarity", "caption"])
      let end = try reader.next()
      #expect(end?.rowCount == nil)
    }
  }

  @Test func `a folder that is not there is an error in one line`() {
    let error = #expect(throws: ParquetError.self) {
      try ParquetWriter(path: "/nonexistent/index.parquet", columns: Self.columns)
    }
    #expect(error?.description.hasPrefix("cannot create /nonexistent/index.parquet") == true)
  }

  private static let python = Repository.python

  @Test(
    .enabled(
      if: python != nil,
      "pyarrow of .deps/venv is the oracle; run scripts/setup"
    )
  )
  func `pyarrow reads what we write`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/index.parquet"
      let writer = try ParquetWriter(path: path, columns: Self.columns)
      try writer.append(rows: [
        [.int64(1), .double(0.25), .string("fire engine")],
        [.int64(-2), .null, .string("消防車")],
        [.null, .double(1e300), .null],
      ])
      try writer.finish()
      let script = """
        import pyarrow.parquet as pq, sys
        t = pq.read_table(sys.argv[1])
        print([str(f.type) for f in t.schema], t.to_pydict())
        """
      let python = try #require(Self.python)
      let result = try #require(try runProgram(python, ["-c", script, path]))
      #expect(
        result.output == """
          ['int64', 'double', 'string'] {'number': [1, -2, None], \
          'similarity': [0.25, None, 1e+300], 'caption': ['fire engine', '消防車', None]}

          """
      )
    }
  }
}
