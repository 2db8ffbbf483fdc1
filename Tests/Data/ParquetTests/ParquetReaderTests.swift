import Foundation
import Parquet
import TestSupport
import Testing

private func fixture(_ name: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/\(name)").path(percentEncoded: false)
}

@Suite struct ParquetReaderTests {
  private func column<Value>(
    _ name: String,
    _ value: (ColumnBatch.Column, Int) -> Value
  ) throws -> [Value] {
    let reader = try ParquetReader(path: fixture("types.parquet"), columns: [ParquetColumn(name)])
    let batch = try #require(try reader.next())
    #expect(batch.rowCount == 5)
    return (0..<batch.rowCount).map { value(batch[name], $0) }
  }

  @Test func `whole numbers of every type read as integers`() throws {
    #expect(try column("int8") { $0.int($1) } == [1, 2, nil, -4, 127])
    #expect(try column("uint16") { $0.int($1) } == [1, 2, nil, 4, 65535])
    #expect(try column("int32") { $0.int($1) } == [1, 2, nil, -4, 5])
    #expect(try column("int64") { $0.int($1) } == [1, 2, nil, 4, 5_000_000_000])
    #expect(try column("uint64") { $0.int($1) } == [1, 2, nil, 4, nil])
    #expect(try column("half") { $0.int($1) } == [1, nil, nil, nil, 65504])
    #expect(try column("float") { $0.int($1) } == [1, nil, nil, nil, 5])
    #expect(try column("double") { $0.int($1) } == [1, nil, nil, nil, 5_000_000_000])
    #expect(try column("bool") { $0.int($1) } == [1, 0, nil, 1, 0])
    #expect(try column("string") { $0.int($1) } == [1, 2, nil, 2, nil])
  }

  @Test func `numbers of every type read as floating point`() throws {
    #expect(try column("int32") { $0.double($1) } == [1, 2, nil, -4, 5])
    #expect(try column("half") { $0.double($1) } == [1, 2.5, nil, -0.25, 65504])
    let floats = try column("float") { $0.double($1) }
    #expect(floats[1] == 2.5)
    #expect(floats[3]?.isNaN == true)
    #expect(try column("double") { $0.double($1) } == [1, 2.5, nil, .infinity, 5e9])
    #expect(try column("string") { $0.double($1) } == [1, 2, nil, 2, nil])
  }

  @Test(arguments: ["text", "large_string", "binary", "dictionary"])
  func `text of every encoding reads the same`(name: String) throws {
    #expect(try column(name) { $0.string($1) } == ["one", "zwei", nil, "", "五"])
  }

  @Test func `numbers read as decimal text`() throws {
    #expect(try column("double") { $0.string($1) } == ["1", "2.5", nil, "inf", "5000000000"])
    #expect(try column("int64") { $0.string($1) } == ["1", "2", nil, "4", "5000000000"])
    #expect(try column("nulls") { $0.string($1) } == [nil, nil, nil, nil, nil])
  }

  @Test func `a missing column is empty in every row`() throws {
    let reader = try ParquetReader(
      path: fixture("groups.parquet"),
      columns: ["URL", "NSFW"],
      batchRows: 64
    )
    let batch = try #require(try reader.next())
    #expect(batch["NSFW"].string(63) == nil)
    #expect(batch["NSFW"].double(0) == nil)
    #expect(batch["URL"].string(63) == "http://example.com/63.jpg")

    let empty = try ParquetReader(path: fixture("groups.parquet"), columns: ["NSFW"])
    let rows = try empty.next()?.rowCount
    #expect(rows == 1000)
    let end = try empty.next()
    #expect(end?.rowCount == nil)
  }

  @Test func `a column is found under its other names and in other letter case`() throws {
    let reader = try ParquetReader(
      path: fixture("groups.parquet"),
      columns: [
        ParquetColumn("caption", alternatives: ["text"]),
        ParquetColumn("id", alternatives: ["SAMPLE_ID"]),
        ParquetColumn("key", alternatives: ["SAMPLE_ID"]),
      ]
    )
    let batch = try #require(try reader.next())
    #expect(batch["caption"].string(5) == "caption 5")
    #expect(batch["id"].int(5) == 35)
    #expect(batch["key"].int(5) == 35)
  }

  @Test func `batches cover all rows in order across row groups`() throws {
    let reader = try ParquetReader(
      path: fixture("groups.parquet"),
      columns: ["WIDTH", "TEXT", "SAMPLE_ID"],
      batchRows: 64
    )
    #expect(reader.rowCount == 1000)
    #expect(reader.columnNames == ["SAMPLE_ID", "URL", "TEXT", "WIDTH"])
    var row = 0
    while let batch = try reader.next() {
      #expect(batch.firstRow == row)
      #expect(batch.rowCount <= 64)
      for i in 0..<batch.rowCount {
        #expect(batch["SAMPLE_ID"].int(i) == row * 7)
        #expect(batch["WIDTH"].int(i) == 256 + row)
        #expect(batch["TEXT"].string(i) == (row % 10 == 3 ? nil : "caption \(row)"))
        row += 1
      }
    }
    #expect(row == 1000)
  }

  @Test func `a batch outlives its reader`() throws {
    var reader: ParquetReader? = try ParquetReader(
      path: fixture("groups.parquet"),
      columns: ["URL"]
    )
    let batch = try #require(try reader?.next())
    reader = nil
    #expect(batch["URL"].string(999) == "http://example.com/999.jpg")
  }

  @Test func `nested and exotic columns are refused by name`() throws {
    for name in ["list", "time"] {
      let error = #expect(throws: ParquetError.self) {
        try ParquetReader(path: fixture("types.parquet"), columns: [ParquetColumn(name)])
      }
      #expect("\(try #require(error))".contains("column \(name) of"))
    }
  }

  private func newer<Value>(
    _ name: String,
    _ value: (ColumnBatch.Column, Int) -> Value
  ) throws -> [Value] {
    let reader = try ParquetReader(path: fixture("newer.parquet"), columns: [ParquetColumn(name)])
    let batch = try #require(try reader.next())
    return (0..<batch.rowCount).map { value(batch[name], $0) }
  }

  @Test(arguments: ["view", "binary_view"])
  func `texts that are stored as views read the same`(name: String) throws {
    #expect(
      try newer(name) { $0.string($1) }
        == ["one", "a text of more than twelve bytes", nil, "", "五五五五五五"]
    )
  }

  @Test func `decimals read as numbers`() throws {
    #expect(try newer("decimal") { $0.double($1) } == [1.5, -2.25, nil, 0, 12_345_678_901_234])
    #expect(try newer("decimal") { $0.int($1) } == [nil, nil, nil, 0, 12_345_678_901_234])
  }

  @Test func `lists of texts read as lines, and as they are`() throws {
    #expect(try newer("texts") { $0.string($1) } == ["a\nb", "", nil, "c\nd", "五"])
    #expect(try newer("large_texts") { $0.string($1) } == ["a", "", nil, "c\nd", "五"])
    let raw = try newer("latin") { $0.texts($1) { Array($0) } }
    #expect(raw[0] == [[0x63, 0x61, 0x66, 0xE9]] && raw[2] == nil)
  }

  @Test func `a column that is not required may be of any type`() throws {
    let reader = try ParquetReader(
      path: fixture("newer.parquet"),
      columns: ["view", ParquetColumn("struct", isRequired: false)]
    )
    #expect(reader.unreadColumns.map(\.name) == ["struct"] && !reader.has("struct"))
    let batch = try #require(try reader.next())
    #expect(batch["struct"].string(0) == nil && batch["view"].string(0) == "one")
    #expect(throws: ParquetError.self) {
      try ParquetReader(path: fixture("newer.parquet"), columns: ["struct"])
    }
  }

  @Test func `reading stops at the memory limit`() throws {
    #expect(throws: ParquetError.self) {
      let reader = try ParquetReader(
        path: fixture("groups.parquet"),
        columns: ["URL"],
        memoryLimit: 1 << 12
      )
      while try reader.next() != nil {}
    }
  }

  @Test func `what other readers hold does not count against a reader's limit`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/large.parquet"
      let writer = try ParquetWriter(path: path, columns: [("text", .string)])
      for row in 0..<16 {
        let letter = Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(row)))
        try writer.append([.string(String(repeating: letter, count: 1 << 20))])
      }
      try writer.finish()
      func first() throws -> ColumnBatch? {
        try ParquetReader(path: path, columns: ["text"], memoryLimit: 64 << 20).next()
      }
      // Sixteen megabytes each: the fifth would go beyond, were they counted together.
      var held: [ColumnBatch] = []
      for _ in 0..<8 { held.append(try #require(try first())) }
      #expect(held.allSatisfy { $0["text"].string(0)?.utf8.count == 1 << 20 })
    }
  }
}
