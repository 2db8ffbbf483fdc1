import Foundation

/// Damaged copies of valid files, each a function of its number, for readers of files from outside.
///
/// `NIFTY_FUZZ` sets how many of them a test reads; without it each test has a number of its own, so
/// that all of them together take seconds.
package struct DamagedInputs: Sendable {
  private let seeds: [[UInt8]]
  private let alphabet: [UInt8]

  /// What a run over many inputs saw.
  package struct Report {
    /// Inputs read.
    package var inputs = 0
    /// Inputs that ended in an error.
    package var refused = 0
    /// The longest that one input took.
    package var slowest = Duration.zero
    /// The number of that input.
    package var slowestInput = 0
    /// Growth of the most memory that the process had in use, in bytes.
    package var peakGrowth = 0
  }

  /// Takes valid files.
  ///
  /// - Parameters:
  ///   - seeds: The files, none of them empty.
  ///   - alphabet: What changed bytes become; by default edges of the range, which find unchecked
  ///     lengths sooner than random bytes, and now and then any byte.
  package init(_ seeds: [[UInt8]], alphabet: [UInt8] = []) {
    precondition(!seeds.isEmpty && seeds.allSatisfy { !$0.isEmpty }, "an empty seed")
    self.seeds = seeds
    self.alphabet = alphabet
  }

  /// A copy of a seed with one to four changes.
  ///
  /// Most changes are of one byte. Besides, pieces are doubled, cut out or put elsewhere, ends cut off,
  /// and words overwritten with lengths that break careless arithmetic.
  package func input(_ number: Int) -> [UInt8] {
    var random = SeededGenerator(state: UInt64(number))
    var bytes = seeds[number % seeds.count]
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      change(&bytes, &random)
    }
    return bytes
  }

  private func change(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let offset = Int.random(in: 0..<bytes.count, using: &random)
    let piece = offset..<min(bytes.count, offset + Int.random(in: 1...64, using: &random))
    switch Int.random(in: 0..<16, using: &random) {
    case 0: bytes.removeSubrange(offset...)
    case 1: bytes.removeSubrange(piece)
    case 2: bytes.insert(contentsOf: bytes[piece], at: offset)
    case 3:
      bytes.insert(contentsOf: bytes[piece], at: Int.random(in: 0..<bytes.count, using: &random))
    case 4, 5: overwriteLength(&bytes, at: offset, &random)
    case 6: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    default:
      let edges: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0xff, .random(in: 0...255, using: &random)]
      bytes[offset] = (alphabet.isEmpty ? edges : alphabet).randomElement(using: &random) ?? 0
    }
  }

  private func overwriteLength(
    _ bytes: inout [UInt8],
    at offset: Int,
    _ random: inout SeededGenerator
  ) {
    let edges: [UInt64] = [
      0, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40, .max >> 1, .max - 1, .max,
      UInt64(bytes.count), UInt64(bytes.count - offset),
    ]
    let value = edges.randomElement(using: &random) ?? 0
    let width = [2, 4, 8].randomElement(using: &random) ?? 4
    for index in 0..<min(width, bytes.count - offset) {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
    }
  }

  /// Reads the inputs in order.
  ///
  /// With `NIFTY_FUZZ_TRACE` the number of each is said beforehand, to find the one that ends the
  /// process.
  /// - Parameters:
  ///   - few: How many, unless `NIFTY_FUZZ` says it.
  ///   - body: Reads one; a thrown error is a refusal.
  /// - Returns: What was seen.
  package func read(_ few: Int, _ body: ([UInt8]) throws -> Void) -> Report {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["NIFTY_FUZZ"].flatMap { Int($0) } ?? few
    let isTraced = environment["NIFTY_FUZZ_TRACE"] != nil
    var report = Report()
    let before = ProcessMemory.peak
    for number in 0..<count {
      let bytes = input(number)
      if isTraced { FileHandle.standardError.write(Data("input \(number)\n".utf8)) }
      let start = ContinuousClock.now
      do { try body(bytes) } catch { report.refused += 1 }
      let time = ContinuousClock.now - start
      if time > report.slowest { (report.slowest, report.slowestInput) = (time, number) }
    }
    report.inputs = count
    report.peakGrowth = ProcessMemory.peak - before
    return report
  }
}
