import Archives
import Files
import TestSupport
import Testing

@Suite struct TarTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [(1 << 33) - 1, 1 << 33, 5 << 40])
  func `entries of a tar may have any size`(size: Int) throws {
    let header = Tar.header("a.bin", size: size)
    var reader = TarReader(MappedStream(MappedBytes(copying: header)))
    #expect(try reader.member()?.size == size)
    try folder.write(header, to: "header")
    let script =
      "import sys, tarfile; b = open(sys.argv[1], 'rb').read(); "
      + "print(tarfile.TarInfo.frombuf(b, 'utf-8', 'strict').size)"
    #expect(try Python.run(script, folder.file("header")) == "\(size)\n")
  }
}
