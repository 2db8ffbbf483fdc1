import Foundation
import TestSupport
import Testing

@testable import Laion

/// Headers of text metadata as people write them.
@Suite("Headers of metadata")
struct HeaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The rows of a file; the complaint if it is refused.
  private func rows(
    _ bytes: some Sequence<UInt8>,
    as name: String,
    _ columns: MetadataColumns = MetadataColumns()
  ) throws -> Result<[MetadataRow], LaionError> {
    try folder.write(Array(bytes), to: name)
    let path = folder.file(name)
    return Result { () throws(LaionError) in
      var found: [MetadataRow] = []
      if name.hasSuffix("json") {
        let json = try JSONRows(path, columns, isArray: true)
        while let row = try json.next() { found.append(row) }
      } else {
        let separator: UInt8 = name.hasSuffix("tsv") ? 0x09 : 0x2C
        let text = try SeparatedRows(path, separator: separator, columns)
        while let row = try text.next() { found.append(row) }
      }
      return found
    }
  }

  private func complaint(
    _ bytes: some Sequence<UInt8>,
    as name: String,
    _ columns: MetadataColumns = MetadataColumns()
  ) throws -> String {
    guard case .failure(let error) = try rows(bytes, as: name, columns) else { return "" }
    return error.description.replacing(folder.path + "/", with: "")
  }

  @Test func `blanks around names do not matter`() throws {
    var columns = MetadataColumns()
    columns.keptNames = ["score"]
    let found = try rows("url , caption, score\nhttp://a/,a cat,7\n".utf8, as: "a.csv", columns)
      .get()
    #expect(found.map(\.url) == ["http://a/"] && found.map(\.text) == ["a cat"])
    #expect(found.map(\.kept) == [["7"]])
  }

  @Test(arguments: ["url,caption,url", "URL,caption,url", "url,Caption,caption"])
  func `two columns of one field are refused until one is named`(header: String) throws {
    let said = try complaint("\(header)\nx,y,z\n".utf8, as: "a.csv")
    #expect(said.hasPrefix("a.csv has several columns for "), "\(said)")
    #expect(said.contains("name one by --column"))
    var columns = MetadataColumns()
    (columns[.url], columns[.caption]) = ("url", "caption")
    let named = try complaint("\(header)\nx,y,z\n".utf8, as: "a.csv", columns)
    // Two columns of the very same name cannot be told apart.
    #expect(named.isEmpty == (header != "url,caption,url"), "\(named)")
  }

  @Test(arguments: [
    ("id,link\n1,2\n", "a.csv", "has no URL column, only id, link; name it by --column url=NAME"),
    (
      "http://a/,a cat\n", "a.csv",
      "is a row, not a header: name its columns, as by --columns url,caption"
    ),
    ("a cat\thttp://a/\n", "a.tsv", "not a header: name its columns, as by --columns caption,url"),
    ("url;caption\nx;y\n", "a.csv", "separated by semicolons: a .csv has commas"),
    ("url\tcaption\nx\ty\n", "a.csv", "separated by tabs"),
    ("url,caption\nx,y\n", "a.tsv", "separated by commas: a .csv has commas, a .tsv tabs"),
    ("<!doctype html>\n<p>", "a.csv", "it looks like an HTML page"),
    ("42", "a.json", "it holds no objects, but a single value"),
    ("null", "a.json", "it holds no objects, but a single value"),
    ("[{\"url\": 1", "a.json", "it ends inside of an object"),
  ])
  func `a file of another kind says what it looks like`(
    text: String,
    name: String,
    reason: String
  ) throws {
    let said = try complaint(text.utf8, as: name)
    #expect(said.contains(reason), "\(said)")
  }

  @Test func `UTF-16 is named with the command that converts it`() throws {
    let units = "url,caption\nx,y\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    for bytes in [[0xFF, 0xFE] + units, units] {
      let said = try complaint(bytes, as: "a.csv")
      #expect(said.contains("it looks like UTF-16: convert it by iconv"), "\(said)")
    }
  }
}
