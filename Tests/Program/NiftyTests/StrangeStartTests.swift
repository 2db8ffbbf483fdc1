import Console
import Foundation
import TestSupport
import Testing

@testable import CommandLine
@testable import Console

/// Processes that are started with less than usual, and words and names that are none.
@Suite("Strange starts")
struct StrangeStartTests {
  /// Whether an account without rights can run the program; in /root it cannot.
  static let othersMayRunIt: Bool = {
    guard let path = try? program() else { return false }
    let words = ["--reuid=64000", "--clear-groups", "/usr/bin/test", "-x", path]
    return ((try? runProgram("/usr/bin/setpriv", words)) ?? nil)?.status == 0
  }()

  private func shell(_ line: String, in folder: TemporaryFolder) throws -> Outcome {
    try nifty(
      ["-c", line],
      in: folder.path,
      environment: ["N": try program()],
      program: "/bin/bash"
    )
  }

  /// Else the file that is opened next has the number, and lines for people are written into it.
  @Test(arguments: ["2>&-", "1>&- 2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-"])
  func `closed standard descriptors are no place for files`(closing: String) throws {
    let folder = try TemporaryFolder()
    let zip = try OutputLostTests.zip(in: folder)
    for (name, streams) in [("usual", ""), ("closed", closing)] {
      _ = try shell("\"$N\" dataset export \(zip) --dest \(name).tar \(streams)", in: folder)
    }
    let files = try ["usual", "closed"].map {
      try Data(contentsOf: URL(filePath: folder.file("\($0).tar")))
    }
    #expect(files[0] == files[1])
    let left = try shell("ls -l /proc/self/fd \(closing); \"$N\" --version 2>&-", in: folder)
    #expect(left.status == 0)
  }

  @Test func `a download under a limit on memory says so instead of dying in a thread pool`() throws
  {
    let folder = try TemporaryFolder()
    try folder.write(Array("url,caption\nhttp://127.0.0.1:1/a.png,a\n".utf8), to: "m.csv")
    let outcome = try shell(
      "ulimit -v 1000000; \"$N\" laion --metadata m.csv --out o --allow-private-addresses",
      in: folder
    )
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("threads at once"), "\(outcome.errors)")
    #expect(outcome.errors.contains("ulimit -v"))
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  @Test(
    .enabled(
      if: getuid() == 0 && othersMayRunIt,
      "takes root, and folders above the program that others may enter"
    ),
    arguments: [1, 3, 5, 60]
  )
  func `a limit on processes is told, by every verb`(most: Int) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array("url,caption\nhttp://127.0.0.1:1/a.png,a\n".utf8), to: "m.csv")
    // An account of its own: the limit counts all processes of one.
    let limited = "setpriv --reuid=\(64_000 + most) --clear-groups prlimit --nproc=\(most) \"$N\""
    let verbs =
      ["laion --metadata m.csv --out o --allow-private-addresses"]
      + (most < 20 ? ["dataset info none.zip", "generate --network emoji sun"] : [])
    for verb in verbs {
      let outcome = try shell("chmod 777 .; timeout 60 \(limited) \(verb)", in: folder)
      #expect(outcome.status == 1, "\(verb): \(outcome.errors)")
      #expect(outcome.errors.contains("threads at once"), "\(verb): \(outcome.errors)")
      #expect(outcome.errors.contains("ulimit -u"), "\(verb): \(outcome.errors)")
    }
  }

  @Test func `a current folder that was removed is told before libraries stumble over it`() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell("mkdir gone; cd gone; rmdir ../gone; \"$N\" runs /tmp", in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("nifty: there is no current folder"), "\(outcome.errors)")
  }

  @Test func `words that are not UTF-8 are refused, not replaced`() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell("\"$N\" dataset info $'caf\\xe9.zip'", in: folder)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("word 3 of the command line is not UTF-8: caf"))
  }

  @Test func `control characters of strangers do not reach the terminal`() throws {
    #expect(
      Console.printable("a\u{1B}]0;x\u{7}b\rc\u{85}\u{202E}d\n\té😀")
        == "a\\x1B]0;x\\x07b\\x0Dc\\x85\\u{202E}d\n\té😀"
    )
    let folder = try TemporaryFolder()
    try folder.write(Array("\u{1B}[31mred,b\n".utf8), to: "m.csv")
    let outcome = try shell("\"$N\" laion --metadata m.csv --out o", in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("\\x1B[31mred") && !outcome.errors.contains("\u{1B}"))
  }

  @Test func `errors of Foundation are one line with the system's reason and the file`() throws {
    let error = #expect(throws: (any Error).self) {
      try String(contentsOfFile: "/nowhere/at/all", encoding: .utf8)
    }
    let words = Program.words(of: try #require(error))
    #expect(words == "cannot use /nowhere/at/all: The file doesn’t exist.")
  }

  @Test(arguments: [
    (["dataset", "grid", "set.zip", "--out", "x.jpg"], Int32(64), "--out must end in .png"),
    (["dataset", "grid", "set.zip", "--out", "no/x.png"], 1, "make its folder first"),
    (["dataset", "export", "set.zip", "--dest", "x.tar.gz"], 64, "a .gz is not written"),
    (["dataset", "export", "set.zip", "--dest", ""], 64, "--dest is empty"),
    (
      ["clip", "train", "--data", "pairs", "--out", "no/c.safetensors"], 1, "make its folder first"
    ),
    (["clip", "train", "--data", "pairs", "--out", ""], 1, "without a name"),
    (["clip", "mapper", "--data", "set.zip", "--out", "no/m"], 1, "make its folder first"),
    (
      ["metrics", "--network", "x.pkl", "--metrics", "fd_lite0", "--figures", "no/f.json"], 1,
      "make its folder first"
    ),
    (["metrics", "--network", "x.pkl", "--metrics", "fd_lite0,fd_lite0"], 64, "fd_lite0 twice"),
    (["clip", "convert", "c.safetensors", "--out", "./c.safetensors"], 1, "made from"),
  ])
  func `a place for the result is looked at before the work`(
    arguments: [String],
    status: Int32,
    reason: String
  ) throws {
    let folder = try TemporaryFolder()
    _ = try OutputLostTests.zip(in: folder)
    let outcome = try nifty(arguments, in: folder.path)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [
    ("<!DOCTYPE html><html></html>", "an HTML or XML page"), ("", "an empty file"),
    ("PK\u{3}\u{4}abcdefgh", "a PyTorch archive without networks"), ("hello", "something else"),
  ])
  func `what is no snapshot is named by what it is`(content: String, kind: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(content.utf8), to: "n.pkl")
    let outcome = try nifty(["convert", "n.pkl", "m.safetensors"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("n.pkl: no network snapshot: it looks like \(kind)"))
  }
}
