import Foundation
import TestSupport
import Testing

@testable import DataCommands

@Suite("Two programs")
struct TwoProgramsTests {
  @Test func `only the program that computes is linked to libtorch`() throws {
    let light = try nifty([program()], program: "/usr/bin/ldd")
    #expect(light.status == 0 && light.output.contains("libarrow"))
    #expect(!light.output.contains("torch") && !light.output.contains("libc10"))
    let whole = try nifty([program() + "-compute"], program: "/usr/bin/ldd")
    #expect(whole.output.contains("libtorch_cpu"))
  }

  @Test func `without the program that computes, data verbs work and others say what is missing`()
    throws
  {
    let folder = try TemporaryFolder()
    let alone = folder.file("nifty")
    try FileManager.default.copyItem(atPath: program(), toPath: alone)
    let help = try nifty(["dataset", "info", "--help"], program: alone)
    #expect(help.status == 0 && help.output.contains("USAGE: nifty dataset info"))
    let train = try nifty(["train", "--outdir", "x"], program: alone)
    #expect(train.status == 1)
    #expect(train.errors.split(separator: "\n").count == 1)
    #expect(train.errors.contains("\(folder.path)/nifty-compute is missing; build both"))
    let overview = try nifty(["--help"], program: alone)
    #expect(overview.status == 0 && overview.output.contains("laion"))
    #expect(!overview.output.contains("  train"))
    // It is there, but no program.
    try folder.write([1, 2, 3], to: "nifty-compute")
    let broken = try nifty(["pack"], program: alone)
    #expect(broken.status == 1 && broken.errors.contains("does not start (Permission denied)"))
  }

  @Test func `too small a limit on address space is an error that names it; data verbs still run`()
    throws
  {
    func limited(_ words: String...) throws -> Outcome {
      let script = "ulimit -v 900000; exec \"$0\" \"$@\""
      return try nifty(["-c", script, program()] + words, program: "/bin/bash")
    }
    let train = try limited("train", "--data", "x.zip")
    #expect(train.status == 1)
    #expect(train.errors.split(separator: "\n").count == 1)
    #expect(train.errors.contains("the limit on address space is 878 MiB"))
    #expect(train.errors.contains("ulimit -v unlimited"))
    #expect(try limited("dataset", "info", "--help").status == 0)
  }

  @Test func `too small a stack is an error that names it; data verbs still run`() throws {
    func limited(_ words: String...) throws -> Outcome {
      let script = "ulimit -s 128; exec \"$0\" \"$@\""
      return try nifty(["-c", script, program()] + words, program: "/bin/bash")
    }
    let train = try limited("train", "--data", "x.zip")
    #expect(train.status == 1)
    #expect(
      train.errors
        == "nifty: the limit on the stack is 128 KiB, and libtorch needs 1024 KiB to compute; "
        + "raise it (ulimit -s 8192)\n"
    )
    #expect(try limited("dataset", "info", "--help").status == 0)
  }

  @Test func `threads that wait for each other sleep soon, unless the user says how they wait`()
    throws
  {
    func spinCount(_ settings: String...) throws -> String? {
      let words = try ["OMP_DISPLAY_ENV=VERBOSE"] + settings + [program(), "generate", "--help"]
      let outcome = try nifty(words, program: "/usr/bin/env")
      #expect(outcome.status == 0)
      return outcome.errors.split(separator: "\n").first { $0.contains("GOMP_SPINCOUNT") }
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(try spinCount() == "GOMP_SPINCOUNT = '3000'")
    #expect(try spinCount("GOMP_SPINCOUNT=7") == "GOMP_SPINCOUNT = '7'")
    let active = try spinCount("OMP_WAIT_POLICY=ACTIVE")
    #expect(active != nil && active != "GOMP_SPINCOUNT = '3000'")
  }

  @Test(arguments: ["laion", "dataset", "fetch"])
  func `the program that computes has the data verbs as well`(verb: String) throws {
    let light = try nifty([verb, "--help"], program: program())
    let whole = try nifty([verb, "--help"], program: program() + "-compute")
    #expect(light.status == 0 && whole.status == 0)
    #expect(light.output == whole.output && light.output.contains("USAGE: nifty \(verb)"))
  }

  @Test func `the first argument decides which of the two programs runs`() {
    #expect(DataVerbs.include(["laion", "--help"]))
    #expect(!DataVerbs.include(["train", "laion"]))
    #expect(!DataVerbs.include(["--help"]) && !DataVerbs.include([String]()))
  }
}
