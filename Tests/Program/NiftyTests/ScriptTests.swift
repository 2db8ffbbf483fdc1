import Foundation
import TestSupport
import Testing

/// The scripts of the repository, as a developer calls them.
@Suite("Scripts")
struct ScriptTests {
  @Test(arguments: [
    ("bench download --imags 3", "unknown argument '--imags'"),
    ("bench download --images", "--images takes a whole number from 1, not ''"),
    ("bench soak --hosts 0", "--hosts takes a whole number from 1, not '0'"),
    ("bench sample 3", "unknown argument '3'"), ("bench start --rounds -1", "not '-1'"),
    ("bench train --steps two", "--steps takes a whole number from 1, not 'two'"),
    ("bench pack /nowhere", "there is no folder /nowhere"),
    ("bench pack --clip x", "unknown argument 'x'"), ("bench open abc", "COUNT takes"),
    ("bench open 10 many", "GIGABYTES must be a number above 0, not 'many'"),
    ("bench loader 0", "RATE must be a number above 0, not '0'"),
    ("bench nothing", "no measurement 'nothing'"), ("check --symbol", "unknown argument"),
    ("setup --test", "unknown argument"), ("package --out", "--out takes a value"),
    ("bench soak --hosts 2 --hosts=3", "--hosts is given twice"),
    ("demo --out a --seed 1 --out=b", "--out is given twice"),
    ("package --checks --checks", "--checks is given twice"),
    ("package --torch /nowhere", "--torch /nowhere holds no lib/libtorch.so"),
  ])
  func `a wrong argument is refused before anything is built`(
    command: String,
    message: String
  ) throws {
    let process = Process()
    let words = command.split(separator: " ").map(String.init)
    process.executableURL = URL(filePath: Repository.path("scripts/\(words[0])"))
    process.arguments = Array(words.dropFirst())
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    let start = ContinuousClock.now
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1, "\(output)")
    #expect(output.contains("error: ") && output.contains(message), "\(output)")
    #expect(output.split(separator: "\n").count == 1, "\(output)")
    #expect(start.duration(to: .now) < .seconds(10))
  }
}
