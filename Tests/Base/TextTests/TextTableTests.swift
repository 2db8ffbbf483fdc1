import Testing
import Text

@Suite("Tables of text")
struct TextTableTests {
  @Test("columns are as wide as their widest cell and lines end without spaces")
  func alignment() {
    let rows = [["name", "size"], ["a", "1024"], ["long name", "7"], ["b"]]
    #expect(
      Text.table(rows) == ["name       size", "a          1024", "long name  7", "b"]
    )
    #expect(
      Text.table(rows) { $0 == 1 }
        == ["name       size", "a          1024", "long name     7", "b"]
    )
  }

  @Test("empty tables and empty cells give empty lines")
  func empty() {
    #expect(Text.table([]).isEmpty)
    #expect(Text.table([[], ["", ""]]) == ["", ""])
  }
}
