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
