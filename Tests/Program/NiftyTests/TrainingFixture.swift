import Foundation
import Images
import Networks
import TestSupport
import Testing
import Torch

@testable import CLIP

/// A folder with packed data and a CLIP, small enough to train on in a second.
struct TrainingFixture {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let configuration = CLIPConfiguration(
      embedDimension: 16,
      imageResolution: 16,
      vision: .convolutional(channels: [4, 8, 8]),
      contextLength: 12,
      textWidth: 8,
      textHeads: 1,
      textLayers: 1
    )
    try CLIP(configuration, random: SeededRandom(seed: 1))
      .save(to: folder.file("clip.safetensors"))
    for number in 0..<12 {
      let pixels = (0..<16 * 16 * 3).map { UInt8(($0 * (number + 3)) % 251) }
      let image = RGBImage(width: 16, height: 16, pixels: pixels)
      try folder.write(try image.encodedPNG(), to: "pairs/\(number).png")
      try folder.write(Array("picture \(number)\nnumber \(number)".utf8), to: "pairs/\(number).txt")
    }
    _ = try run(
      "pack --source=pairs --dest=data.zip --width=16 --height=16 --clip clip.safetensors"
    )
  }

  /// Where a file of the folder is.
  func path(_ name: String) -> String { folder.file(name) }

  /// The one folder in a folder of runs, from the fixture's folder.
  func only(_ runs: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: path(runs))
    return "\(runs)/\(try #require(names.first))"
  }

  /// A small run's command, without its length.
  static let train =
    "train --data=data.zip --clip=clip.safetensors --outdir=runs --batch=4 --mirror=1 --aug=ada "
    + "--channel-base=64 --channel-max=8 --latent=8 --style-width=8 --map_num=2 --mixing_prob=0.5 "
    + "--snapshot-format=safetensors --metrics=none --checkpoint-minutes=0.001"

  func run(_ line: String) throws -> Outcome {
    let outcome = try nifty(line.split(separator: " ").map(String.init), in: folder.path)
    if outcome.status != 0 { print("\(line): \(outcome.errors)") }
    return outcome
  }

  /// Expects a command to be refused before it makes a run.
  func expectRefusal(of line: String, status: Int32, _ expected: String) throws {
    let outcome = try nifty(line.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == status && outcome.errors.contains(expected), "\(outcome.errors)")
  }

  /// Starts the program without waiting for it; what it prints goes to a file.
  func start(
    _ line: String,
    variables: [String: String] = [:],
    in directory: String = ".",
    output: String = "output.txt"
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: try program())
    process.arguments = line.split(separator: " ").map(String.init)
    process.currentDirectoryURL = URL(filePath: folder.file(directory))
    process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
    _ = FileManager.default.createFile(atPath: folder.file(output), contents: nil)
    let handle = try FileHandle(forWritingTo: URL(filePath: folder.file(output)))
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    return process
  }
}

/// What a file that a process still writes says so far, for tests that wait for a line in it.
///
/// - Parameter path: The file; it says nothing while it is not there.
/// - Returns: Its text.
func contents(of path: String) -> String {
  guard FileManager.default.fileExists(atPath: path) else { return "" }
  do { return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) } catch {
    Issue.record("the test waits for a line in \(path), which cannot be read: \(error)")
    return ""
  }
}

/// What of the machine only some tests need.
enum Tools {
  static let hasMPI = FileManager.default.isExecutableFile(atPath: "/usr/bin/mpirun")

  /// Whether two network namespaces with a cable can be made here: a container without the right to make
  /// networks, or a chroot, has none.
  static let makesNetworks: Bool = {
    let (one, other) = ("nifty-probe-a\(getpid())", "nifty-probe-b\(getpid())")
    func ip(_ line: String) -> Bool {
      let words = line.split(separator: " ").map(String.init)
      return (try? runProgram("/usr/sbin/ip", words))?.status == 0
    }
    guard getuid() == 0 else { return false }
    defer { for name in [one, other] { _ = ip("netns del \(name)") } }
    return ip("netns add \(one)") && ip("netns exec \(one) true") && ip("netns add \(other)")
      && ip("link add vpa netns \(one) type veth peer name vpb netns \(other)")
  }()
}
