import Files
import Foundation
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Training

/// A checkpoint is written from tensors that training goes on with.
@Suite("Lending the state to a checkpoint")
struct StateLoanTests {
  @Test func `lent tensors are read where they are, and copied before they change`() throws {
    let large = Tensor((0..<100).map { Float($0) }, shape: [10, 10])
    let transposed = Tensor((0..<100).map { Float($0) }, shape: [10, 10]).transposed(0, 1)
    let small = Tensor([1, 2] as [Float])
    let buffer = Tensor((0..<100).map { Float(-$0) })
    let tensors: [(name: String, tensor: Tensor, isBuffer: Bool)] = [
      ("large", large, false), ("transposed", transposed, false), ("small", small, false),
      ("buffer", buffer, true),
    ]
    let before = tensors.map { $0.tensor.bytes }
    let loan = StateLoan(tensors, lending: 64, partSize: 96)
    // Only what is lent changes with the live tensor.
    for tensor in tensors { tensor.tensor.fill(7) }
    let read = Self.bytes(loan)
    #expect(read[0] == [UInt8](large.bytes))
    #expect(read[1] == before[1] && read[2] == before[2] && read[3] == before[3])

    for tensor in tensors { tensor.tensor.assign(Tensor(scalar: 3)) }
    let values = tensors.map { $0.tensor.bytes }
    let settled = StateLoan(tensors, lending: 64, partSize: 96)
    settled.settle()
    for tensor in tensors { tensor.tensor.fill(8) }
    #expect(Self.bytes(settled) == values)
    #expect(settled.takeStall() > 0 && settled.takeStall() == 0)
  }

  @Test(arguments: 0...5)
  func `settled in the middle of a tensor, the rest of it is the copy`(parts: Int) throws {
    let tensor = Tensor((0..<100).map { Float($0) })
    let before = tensor.bytes
    let loan = StateLoan([("large", tensor, false)], lending: 0, partSize: 96)
    var count = 0
    let read = Self.bytes(loan, 0) {
      if count == parts {
        loan.settle()
        tensor.fill(-1)
      }
      count += 1
    }
    #expect(read == before && count == 5)
  }

  @Test(arguments: [false, true])
  func `a checkpoint that is written steps later holds the state of its own step`(
    isRestored: Bool
  ) throws {
    let trainer = Trainer(try tinyInputs(tinyTrainer(seed: 3)))
    _ = trainer.step(tinyBatch(1))
    let expected = trainer.stateTensors.map { ($0.name, $0.tensor.bytes) }
    let copies = Dictionary(
      uniqueKeysWithValues: trainer.stateTensors.map { ($0.name, $0.tensor.detached().copy() + 1) }
    )
    let loan = trainer.lendState(smallest: 0)
    if isRestored {
      try trainer.restore(trainer.progress) { copies[$0] }
    } else {
      for seed in 2..<4 { _ = trainer.step(tinyBatch(UInt64(seed))) }
    }
    let read = Self.bytes(loan)
    for (index, (name, bytes)) in expected.enumerated() {
      #expect(read[index] == bytes, "\(name)")
    }
    let changed = zip(expected, trainer.stateTensors).count { $0.1 != $1.tensor.bytes }
    #expect(changed > expected.count / 2)
  }

  @Test func `whoever changes a part of the state settles the loan before`() throws {
    let trainer = Trainer(try tinyInputs(tinyTrainer(seed: 3)))
    // Read in another thread while steps are taken, each time at other moments.
    for round in 0..<8 {
      let expected = trainer.stateTensors.map { $0.tensor.bytes }
      let loan = trainer.lendState(smallest: 0, partSize: 16 << round)
      let read = Handover { Self.bytes(loan) }
      _ = trainer.step(tinyBatch(UInt64(round)))
      #expect(read.wait() == expected, "round \(round)")
    }
  }

  private static func bytes(_ loan: StateLoan) -> [[UInt8]] {
    loan.entries.indices.map { bytes(loan, $0) {} }
  }

  /// The bytes of a tensor; `body` is called after each part.
  private static func bytes(_ loan: StateLoan, _ index: Int, after body: () -> Void) -> [UInt8] {
    var result: [UInt8] = []
    while true {
      let part = loan.next(of: index)
      if part.isEmpty { return result }
      result += part
      body()
    }
  }
}

/// The value of a body that runs on a thread of its own.
private final class Handover<Value: Sendable>: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private let value = Mutex<Value?>(nil)

  init(_ body: @escaping @Sendable () -> Value) {
    Thread.detachNewThread { [self] in
      let own = body()
      value.withLock { $0 = own }
      done.signal()
    }
  }

  func wait() -> Value? {
    done.wait()
    return value.withLock { $0 }
  }
}
