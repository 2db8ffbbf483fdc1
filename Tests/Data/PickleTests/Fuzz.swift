import Files
import Foundation
import Pickle
import TestSupport

/// One run over a range of inputs.
struct Fuzz {
  struct Report {
    var inputs = 0
    var opened = 0
    var tensors = 0
    var slowest = Duration.zero
    var slowestInput: UInt64 = 0
    /// Growth of the most memory in use, in bytes.
    var peakGrowth = 0
  }

  let mutator: Mutator

  init(seeds: [[UInt8]]) { mutator = Mutator(seeds: seeds) }

  func run(_ numbers: Range<UInt64>) throws -> Report {
    var report = Report()
    let before = ProcessMemory.peak
    // What is being opened when the process dies.
    let trace = FileHandle.standardError
    for number in numbers {
      var generator = SeededGenerator(state: number)
      let bytes = mutator.input(&generator)
      if ProcessInfo.processInfo.environment["NIFTY_FUZZ_TRACE"] != nil {
        trace.write(Data("input \(number)\n".utf8))
      }
      let start = ContinuousClock.now
      let tensors = open(bytes)
      let time = ContinuousClock.now - start
      report.inputs += 1
      if let tensors {
        report.opened += 1
        report.tensors += tensors
      }
      if time > report.slowest { (report.slowest, report.slowestInput) = (time, number) }
    }
    report.peakGrowth = ProcessMemory.peak - before
    return report
  }

  /// Opens bytes as a pickle of modules, as a torch file, and writes again what was read.
  ///
  /// - Returns: Number of tensors, or `nil` if nothing could be opened.
  func open(_ bytes: [UInt8]) -> Int? {
    let buffer = MappedBytes(copying: bytes)
    var tensors: [TorchTensor] = []
    var isOpen = false
    if let pickle = try? Pickle(buffer) {
      isOpen = true
      for value in [pickle.root] + (pickle.root.entries ?? []).map(\.value) {
        if let module = try? ModuleState(value) { tensors += module.tensors.map(\.tensor) }
        _ = (value.int, value.double, value.bool, value.items?.count, value["args"]?.string)
      }
      if let again = try? PickleWriter.bytes(of: pickle.root) {
        precondition(
          (try? Pickle(MappedBytes(copying: again))) != nil,
          "what was written does not open"
        )
      }
    }
    if let archive = try? TorchArchive(buffer) {
      isOpen = true
      tensors += archive.tensors.map(\.tensor)
    }
    for tensor in tensors where tensor.count < 10_000 {
      precondition(tensor.contiguousFloats().count == tensor.count, "a tensor of the wrong size")
    }
    return isOpen ? tensors.count : nil
  }
}
