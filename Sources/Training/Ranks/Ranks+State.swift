import Foundation
import Torch

extension Ranks {
  /// Gives the others the whole state of a trainer; called by rank 0.
  func sendState(of trainer: Trainer) {
    guard isShared else { return }
    command(.state)
    let progress = (try? JSONEncoder().encode(trainer.progress)) ?? Data()
    copyFromFirst([Tensor([Int64(progress.count)])])
    copyFromFirst([Tensor(progress.map { Int64($0) })])
    copyFromFirst(trainer.stateTensors.map(\.tensor))
  }

  /// Takes over the state that rank 0 sends.
  ///
  /// - Throws: `TrainingError` if rank 0 is gone or sends a state that does not fit.
  func receiveState(of trainer: Trainer) throws {
    let size = Tensor([Int64(0)])
    copyFromFirst([size])
    try check()
    let count = Int(size.values(Int64.self)[0])
    guard (1...(1 << 20)).contains(count) else {
      throw TrainingError.ranks("rank 0 sends a state of \(count) bytes")
    }
    let text = Tensor([Int64](repeating: 0, count: count))
    copyFromFirst([text])
    let received = trainer.stateTensors.map { (name: $0.name, tensor: $0.tensor.detached().copy()) }
    copyFromFirst(received.map(\.tensor))
    try check()
    let bytes = text.values(Int64.self).map { UInt8(truncatingIfNeeded: $0) }
    guard let progress = try? JSONDecoder().decode(TrainerProgress.self, from: Data(bytes)) else {
      throw TrainingError.ranks("rank 0 sends a state that rank \(rank) cannot read")
    }
    let tensors = Dictionary(uniqueKeysWithValues: received.map { ($0.name, $0.tensor) })
    try trainer.restore(progress) { tensors[$0] }
  }
}
