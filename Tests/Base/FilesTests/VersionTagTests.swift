import Foundation
import TestSupport
import Testing

@testable import Files

@Suite("The tag of a partial file")
struct VersionTagTests {
  @Test func `a tag is kept beside its file until it is removed`() throws {
    let folder = try TemporaryFolder()
    let tag = VersionTag(of: folder.file("a.pkl.part"))
    #expect(tag.stored == nil)
    try tag.store("\"abc\"")
    #expect(tag.stored == "\"abc\"" && folder.contents == ["a.pkl.part.etag"])
    tag.remove()
    tag.remove()
    #expect(tag.stored == nil && folder.contents == [])
  }

  @Test func `a tag of a thousand bytes and more is none, and leaves no earlier one`() throws {
    let folder = try TemporaryFolder()
    let tag = VersionTag(of: folder.file("a.part"))
    try tag.store(String(repeating: "x", count: 1023))
    #expect(tag.stored?.utf8.count == 1023)
    try tag.store(String(repeating: "x", count: 1024))
    #expect(tag.stored == nil)
    try folder.write([UInt8](repeating: 0x78, count: 2000), to: "a.part.etag")
    #expect(tag.stored == nil)
  }
}
