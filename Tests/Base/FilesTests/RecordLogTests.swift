import Foundation
import TestSupport
import Testing

@testable import Files

@Suite("Logs of records")
struct RecordLogTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func contents(_ path: String, _ checksum: RecordLog.Checksum) throws -> [String] {
    var reader = try RecordReader(path, checksum)
    var found: [String] = []
    while let (content, _) = reader.next() { found.append(String(content)) }
    return found
  }

  @Test(arguments: [RecordLog.Checksum.fnv, .crc32])
  func `appended records are read back, also by the next process`(
    checksum: RecordLog.Checksum
  ) throws {
    let path = folder.file("log")
    for round in 0..<2 {
      let log = try RecordLog(path, checksum, to: "write")
      try log.append(["\(round)\tä", "\(round) second"])
    }
    #expect(try contents(path, checksum) == ["0\tä", "0 second", "1\tä", "1 second"])
  }

  @Test func `the checksums are those that older files carry`() {
    #expect(RecordLog.Checksum.fnv.sealed("") == "\tcbf29ce484222325\n")
    #expect(RecordLog.Checksum.fnv.sealed("a") == "a\taf63dc4c8601ec8c\n")
    #expect(RecordLog.Checksum.crc32.sealed("123456789") == "123456789\tcbf43926\n")
  }

  @Test func `reading stops at a torn or changed record`() throws {
    let path = folder.file("log")
    try RecordLog(path, .fnv, to: "write").append(["one", "two", "three"])
    let whole = try Data(contentsOf: URL(filePath: path))
    for length in 0...whole.count {
      try whole.prefix(length).write(to: URL(filePath: path))
      let lines = whole.prefix(length).filter { $0 == 0x0A }.count
      #expect(try contents(path, .fnv) == Array(["one", "two", "three"].prefix(lines)))
    }
    var changed = whole
    changed[changed.startIndex + 1] ^= 1
    try changed.write(to: URL(filePath: path))
    #expect(try contents(path, .fnv) == [])
  }

  @Test func `a log that another process has open is refused with its PID`() throws {
    let path = folder.file("log")
    let first = try RecordLog(path, .fnv, to: "download into")
    let error = #expect(throws: FileError.self) { try RecordLog(path, .fnv, to: "download into") }
    #expect(error?.code == EWOULDBLOCK)
    #expect(
      error?.description.contains("cannot download into \(path): process \(getpid())") == true
    )
    withExtendedLifetime(first) {}
  }

  @Test func `the log is unlocked when its owner is released`() throws {
    let path = folder.file("log")
    for _ in 0..<3 { try RecordLog(path, .fnv, to: "write").append(["x"]) }
    #expect(try contents(path, .fnv) == ["x", "x", "x"])
  }

  @Test func `a partially written record is truncated away`() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 10, rlim_max: 10)
      #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let folder = try TemporaryFolder()
      let path = folder.file("log")
      let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      try appendRecord(Array("whole\n".utf8), to: descriptor, path: path)
      let error = #expect(throws: FileError.self) {
        try appendRecord(Array("longer\n".utf8), to: descriptor, path: path)
      }
      #expect(error?.code == EFBIG)
      #expect(lseek(descriptor, 0, SEEK_END) == 6)
    }
  }

  @Test(arguments: [
    (ENOLCK, true), (EOPNOTSUPP, true), (ENOSYS, true), (EWOULDBLOCK, false), (EBADF, false),
  ])
  func `work continues unlocked only where the file system has no locks`(code: Int32, isSo: Bool) {
    #expect(FileLock.isUnsupported(code) == isSo)
  }

  @Test func `a lock that fails otherwise is an error of its own`() {
    let error = #expect(throws: FileError.self) { try FileLock.take(-1, on: "x", to: "pack into") }
    #expect(error?.code == EBADF && error?.operation == "lock")
  }

  @Test func `a folder is made with those above it, and says what is in the way`() throws {
    let deep = folder.file("a/b/c")
    try makeFolder(deep)
    try makeFolder(deep + "/")
    #expect(isFolder(deep))
    try Data().write(to: URL(filePath: folder.file("file")))
    let error = #expect(throws: FileError.self) { try makeFolder(folder.file("file/x")) }
    #expect(error?.description.contains("\(folder.file("file")): a file is in the way") == true)
  }
}
