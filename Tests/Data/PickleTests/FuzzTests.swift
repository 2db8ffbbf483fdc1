import Foundation
import Pickle
import Testing

/// Mutations of the seeds in `Corpus`, each opened in every way there is.
///
/// Each part runs in a process of its own, so that a crash names its input and memory can be
/// measured. The environment variables NIFTY_FUZZ_ROUNDS and NIFTY_FUZZ_SEED make longer runs.
@Suite("Hostile pickles")
struct FuzzTests {
  /// Inputs of each of the four parts.
  private static let rounds = number("NIFTY_FUZZ_ROUNDS") ?? 26_000
  private static let seed = number("NIFTY_FUZZ_SEED") ?? 0

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  @Test(arguments: 0..<4)
  func `a hundred thousand broken pickles are read or refused, quickly and in little memory`(
    part: Int
  ) async throws {
    let first = UInt64(Self.seed) << 32 + UInt64(part) << 28
    let rounds = Self.rounds
    let result = try await #require(
      processExitsWith: .success,
      observing: [\.standardErrorContent]
    ) { [first = first as UInt64, rounds = rounds as Int] in
      let report = try Fuzz(seeds: corpus()).run(first..<first + UInt64(rounds))
      print("fuzz: \(report)", to: &standardError)
      // Some inputs must survive, or nothing but the first check would be tested.
      guard report.opened > rounds / 50, report.opened < rounds else { exit(2) }
      guard report.slowest < .seconds(2) else { exit(3) }
      // Measured: 9 MB, which is what the loader and the cycles that are never freed take.
      guard report.peakGrowth < 32 << 20 else { exit(4) }
    }
    let said = String(decoding: result.standardErrorContent, as: UTF8.self)
    print(said.split(separator: "\n").last { $0.hasPrefix("fuzz: ") } ?? "fuzz: nothing said")
  }
}

/// The seeds.
func corpus() throws -> [[UInt8]] {
  let folder = fixtures.deletingLastPathComponent().appending(path: "Corpus")
  return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    .filter { $0.hasSuffix(".pkl") || $0.hasSuffix(".pt") }
    .map { Array(try Data(contentsOf: folder.appending(path: $0))) }
}

private struct StandardError: TextOutputStream {
  func write(_ string: String) { FileHandle.standardError.write(Data(string.utf8)) }
}

private nonisolated(unsafe) var standardError = StandardError()
