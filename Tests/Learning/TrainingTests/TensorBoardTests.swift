import Foundation
import Protobuf
import TestSupport
import Testing

@testable import Distributed
@testable import Training

/// Event files beside the real TensorBoard, which scripts/setup --tests installs.
@Suite("TensorBoard")
struct TensorBoardTests {
  private static let python = Repository.python

  /// Runs a script; gives what it printed.
  private func run(_ script: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: try #require(Self.python, "run scripts/setup --tests"))
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: text, as: UTF8.self)
  }

  private static let reader = """
    import json, sys
    from tensorboard.backend.event_processing import event_accumulator as e
    a = e.EventAccumulator(sys.argv[1], size_guidance={e.SCALARS: 0, e.IMAGES: 0, e.TENSORS: 0})
    a.Reload()
    scalars = {t: [[v.step, v.value] for v in a.Scalars(t)] for t in a.Tags()["scalars"]}
    images = {t: [[v.step, v.width, v.height, len(v.encoded_image_string)] for v in a.Images(t)]
      for t in a.Tags()["images"]}
    print(json.dumps({"scalars": scalars, "images": images}))
    """

  private struct Read: Decodable {
    var scalars: [String: [[Double]]]
    var images: [String: [[Int]]]
  }

  /// The means that a line of statistics holds.
  ///
  /// JSONSerialization, which would be shorter, rounds most numbers of double precision to a neighbour.
  private struct Line: Decodable {
    var means: [String: Double] = [:]

    private struct Name: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Name.self)
      for name in values.allKeys {
        let summary = try? values.decode([String: Double].self, forKey: name)
        means[name.stringValue] = summary?["mean"]
      }
    }
  }

  @Test func `TensorBoard reads scalars and grids of a continued run without duplicates`()
    throws
  {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [5, 9])
    let read = try JSONDecoder().decode(Read.self, from: Data(run(Self.reader, folder).utf8))
    let lines = try String(contentsOfFile: folder + "/stats.jsonl", encoding: .utf8)
      .split(separator: "\n")
      .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).means }
    #expect(lines.count == 4)
    for name in ["Loss/G/loss", "Loss/D/loss", "Progress/augment", "Loss/r1_penalty"] {
      let expected = lines.compactMap { line -> [Double]? in
        guard let mean = line[name], let kimg = line["Progress/kimg"] else { return nil }
        return [(kimg * 1000).rounded(), Double(Float(mean))]
      }
      #expect(!expected.isEmpty && read.scalars[name] == expected, "\(name)")
    }
    #expect(read.scalars["Metrics/brightness"]?.map { $0[0] } == [4, 60, 84])
    // Tick 0, tick 2 and the last one; eight pictures of 16² in a row with gaps between them.
    let grid = try Data(contentsOf: URL(filePath: folder + "/fakes000000.png")).count
    #expect(read.images["fakes"]?.map { $0[0] } == [4, 60, 84])
    #expect(read.images["fakes"]?.last?.last == grid)
    #expect(read.images["reals"]?.count == 1 && read.images["reals"]?.first?[0] == 0)
    let width = try #require(read.images["reals"]?.first?[1])
    #expect(width >= 128 && width < 160)
  }

  @Test func `a record is length, checksum, data, checksum, as TensorFlow writes it`() {
    let record = EventFile.record(Array("abc".utf8))
    #expect(record.count == 8 + 4 + 3 + 4)
    #expect(Array(record[..<8]) == [3, 0, 0, 0, 0, 0, 0, 0])
    // CRC-32C of "abc" is 0x364B3FB7: rotated right by 15 bits, plus 0xA282EAD8.
    let rotated = (0x364B_3FB7 as UInt32) >> 15 | (0x364B_3FB7 as UInt32) << 17
    let masked = rotated &+ 0xA282_EAD8
    #expect(
      Array(record.suffix(4)) == (0..<4).map { UInt8(truncatingIfNeeded: masked >> (8 * $0)) }
    )
  }

  @Test func `numbers are written as protocol buffers have them`() {
    var message = ProtobufMessage()
    message.add(1, 150)
    message.add(2, "testing")
    message.add(3, -1)
    message.add(4, Float(1))
    // The first two from the encoding guide's own examples.
    #expect(
      message.bytes == [0x08, 0x96, 0x01, 0x12, 7] + Array("testing".utf8)
        + [0x18] + [UInt8](repeating: 0xFF, count: 9) + [0x01, 0x25, 0, 0, 0x80, 0x3F]
    )
  }
}
