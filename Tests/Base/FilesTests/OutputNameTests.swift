import Files
import TestSupport
import Testing

@Suite("Names of results")
struct OutputNameTests {
  @Test(arguments: ["s3://bucket/runs", "gs://b", "https://host/x.zip", "HF://x", "git+ssh://x/y"])
  func `an address is no path, and no folder is made for it`(address: String) throws {
    #expect(isAddress(address))
    for attempt in [
      { try makeFolder(address) }, { try RegularFile.expectPlace(for: address) },
      { try OutputName.expectFolder(address) }, { _ = try PartialFolder(address) },
    ] as [() throws -> Void] {
      let error = #expect(throws: FileError.self) { try attempt() }
      #expect(error?.description.contains("\(address): it is an address: only files here") == true)
    }
    #expect(!exists(String(address.prefix { $0 != "/" })))
  }

  @Test(arguments: ["a/b", "", "://x", "3d://x", "a:b", "a b://c", "/s3://x", "x:/y", "c://x"])
  func `other words are paths`(path: String) { #expect(!isAddress(path)) }

  @Test func `a missing file under an address says that it is one`() {
    let error = #expect(throws: FileError.self) { try MappedFile("s3://bucket/x.pkl") }
    #expect(error?.description.hasSuffix("; it is an address: " + addressAdvice) == true)
  }

  @Test(arguments: [
    ("o.png", "png"), ("a/x.TAR", "tar"), ("x.tar.gz", "gz"), ("run.1", nil), (".zip", nil),
    ("a.zip/b", nil), ("x.", nil), ("split0", nil),
  ])
  func `the kind of a file is known by its suffix`(path: String, suffix: String?) {
    #expect(OutputName.knownSuffix(of: path) == suffix)
  }

  @Test func `a folder is not made under the name of a file, unless it is there`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/heart.png"
      let error = #expect(throws: FileError.self) { try OutputName.expectFolder(path) }
      #expect(error?.reason.contains("one of a .png file") == true)
      try OutputName.expectFolder(folder + "/hearts")
      try makeFolder(path)
      try OutputName.expectFolder(path)
      #expect(throws: FileError.self) { try OutputName.expectFolder("") }
      #expect(throws: FileError.self) { try makeFolder("") }
    }
  }

  @Test func `a file is not written under the name of another kind`() throws {
    let error = #expect(throws: FileError.self) { try OutputName.expectFile("m.tar", "zip") }
    #expect(error?.reason.contains("a .zip is written, and the name is one of a .tar") == true)
    for name in ["m.zip", "m.ZIP", "m", "m.v2"] { try OutputName.expectFile(name, "zip") }
  }
}
