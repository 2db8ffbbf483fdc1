import Files
import Foundation
import Pickle
import TestSupport
import Testing

/// The folder of the fixtures beside this file.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

/// The bytes of a fixture.
func fixture(_ name: String) throws -> [UInt8] {
  Array(try Data(contentsOf: fixtures.appending(path: name)))
}

/// A folder that is removed after the body.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = try TemporaryFolder()
  return try body(URL(filePath: folder.path))
}

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Reads a pickle written as text, with escapes where needed.
func pickle(_ bytes: [UInt8]) throws(PickleError) -> Pickle {
  try Pickle(MappedBytes(copying: bytes))
}

/// The bytes of ASCII text.
func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The Python of `.deps`, which has PyTorch.
let torchPython = Repository.python

/// What a program prints; it must end with success.
func run(_ program: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: program)
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  #expect(process.terminationStatus == 0)
  return String(decoding: output, as: UTF8.self)
}
