import Datasets
import Foundation
import Images
import TestSupport
import Testing

@Suite("Standard output is gone")
struct OutputLostTests {
  @Test func `a verb whose reader has ended ends quietly, as by SIGPIPE`() throws {
    let folder = try TemporaryFolder()
    let zip = try Self.zip(in: folder)
    let outcome = try shell("exec 3>&1; { \"$N\" dataset info \(zip) 2>&3; echo $? >&3; } | true")
    #expect(outcome.output == "141\n")
  }

  @Test func `a verb that cannot write its results says why in one line`() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell("\"$N\" dataset info \(try Self.zip(in: folder)) > /dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "nifty: cannot write standard output: No space left on device\n")
  }

  @Test func `a verb goes on when its standard error is gone`() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      "\"$N\" dataset info \(folder.file("none.zip")) \(try Self.zip(in: folder)) 2> /dev/full"
    )
    #expect(outcome.status == 1)
  }

  @Test func `a file beyond the limit on sizes is an error that names it`() throws {
    let folder = try TemporaryFolder()
    let zip = try Self.zip(in: folder)
    let outcome = try shell(
      "cd \(folder.path); ulimit -f 1; \"$N\" dataset export \(zip) --dest e.tar"
    )
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("raise the limit on file sizes (ulimit -f)"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left.filter { $0.contains("partial") } == [])
  }
}

extension OutputLostTests {
  /// A packed set of three noisy pictures.
  static func zip(in folder: TemporaryFolder) throws -> String {
    let source = folder.file("pairs")
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
    for number in 0..<3 {
      try Self.noise(number).write(png: "\(source)/\(number).png")
    }
    let path = folder.file("set.zip")
    let packed = try nifty(["pack", "--source=\(source)", "--dest=\(path)", "--no-clip"])
    try #require(packed.status == 0, "\(packed.errors)")
    return path
  }

  private static func noise(_ number: Int) -> RGBImage {
    RGBImage(
      width: 64,
      height: 64,
      pixels: (0..<64 * 64 * 3).map {
        UInt8(truncatingIfNeeded: ($0 &+ number &* 7919) &* 40503 >> 7)
      }
    )
  }

  /// Runs a line of the shell in which `$N` is the program.
  private func shell(_ line: String) throws -> Outcome {
    try nifty(["-c", line], environment: ["N": try program()], program: "/bin/bash")
  }
}
