package import Distributed
import Foundation
import Torch

extension Ranks {
  /// Broadcasts the whole state of a trainer; called by rank 0.
  func sendState(of trainer: Trainer) {
    guard isShared else { return }
    command(.state)
    send((try? JSONEncoder().encode(trainer.progress)) ?? Data())
    broadcast(trainer.stateTensors.map(\.tensor))
  }

  /// Receives the state from rank 0.
  ///
  /// - Throws: `TrainingError` if rank 0 is gone or sends a state that does not fit.
  func receiveState(of trainer: Trainer) throws {
    let bytes = try received(atMost: 1 << 20)
    let received = trainer.stateTensors.map { (name: $0.name, tensor: $0.tensor.detached().copy()) }
    broadcast(received.map(\.tensor))
    try check()
    guard let progress = try? JSONDecoder().decode(TrainerCounters.self, from: bytes) else {
      throw RanksError("rank 0 sends a state that rank \(rank) cannot read")
    }
    let tensors = Dictionary(uniqueKeysWithValues: received.map { ($0.name, $0.tensor) })
    try trainer.restore(progress) { tensors[$0] }
  }

  /// Broadcasts a text of rank 0.
  ///
  /// - Parameter text: Makes the text; called by rank 0 only.
  /// - Returns: The text.
  /// - Throws: The error of `text`; `RanksError` if rank 0 is gone.
  package func fromFirst(_ text: () throws -> String) throws -> String {
    if rank > 0 { return String(decoding: try received(atMost: 16 << 20), as: UTF8.self) }
    let own = try text()
    send(Data(own.utf8))
    try check()
    return own
  }

  private func send(_ bytes: Data) {
    broadcast([Tensor([Int64(bytes.count)])])
    if !bytes.isEmpty { broadcast([Tensor(bytes.map { Int64($0) })]) }
  }

  private func received(atMost limit: Int) throws -> Data {
    let size = Tensor([Int64(0)])
    broadcast([size])
    try check()
    let count = Int(size.values(Int64.self)[0])
    guard (0...limit).contains(count) else {
      throw RanksError("rank 0 sends a text of \(count) bytes")
    }
    if count == 0 { return Data() }
    let bytes = Tensor([Int64](repeating: 0, count: count))
    broadcast([bytes])
    try check()
    return Data(bytes.values(Int64.self).map { UInt8(truncatingIfNeeded: $0) })
  }
}
