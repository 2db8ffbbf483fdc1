package import Foundation
package import Torch

/// The processes that train together, as one of them sees them.
///
/// All ranks call the same methods in the same order. The first call that fails is remembered, and
/// further ones give back this rank's own part: a step does not stop half-way, and `check` after it
/// says what happened before anything is written.
package final class Ranks {
  /// This process, from 0 on; 0 writes the files.
  package let rank: Int
  /// Number of processes.
  package let count: Int

  package let group: ProcessGroup?
  package var failure: TorchError?
  /// What this process does, and when it last got ahead.
  package let progress = HangDetector()
  private let bound: Double
  /// Tells the others that this process lives, and whether they do.
  package let heartbeat: Heartbeat?
  /// The least size of the parts in which gradients are exchanged while they are computed; `nil` has
  /// them exchanged at once afterwards.
  ///
  /// Small enough that what is left with the last gradients is soon done, large enough that a part's
  /// own cost does not count.
  package var partBytes: Int? = 4 << 20
  /// How often rank 0 had the others wait so far.
  package var waits = 0

  /// A process that trains alone.
  package static var alone: Ranks { Ranks(nil) }

  /// A process of a group, or alone without one.
  ///
  /// - Parameters:
  ///   - group: The group, whose calls fail after the same time.
  ///   - patience: How long another rank may be silent, in seconds.
  ///   - bound: How long another rank may get nowhere with what it does alone, in seconds.
  ///   - whenLost: Is told of a rank that is gone while rank 0 works alone; from another thread.
  package init(
    _ group: ProcessGroup?,
    patience: Double = 60,
    bound: Double = 60,
    whenLost: (@Sendable (String) -> Void)? = nil
  ) {
    self.group = group
    rank = group?.rank ?? 0
    count = group?.count ?? 1
    self.bound = bound
    let progress = progress
    heartbeat = group.map {
      Heartbeat(
        $0,
        progress,
        patience: patience,
        bound: bound,
        whenLost: $0.rank == 0 ? whenLost : nil
      )
    }
  }

  deinit { heartbeat?.stop() }

  /// This rank's share of a step.
  package var share: Share { Share(rank, of: count) }

  /// Whether others take part.
  package var isShared: Bool { count > 1 }

  /// Fails if the ranks have lost each other.
  ///
  /// What a device still computes is not known here: ask after its numbers have reached the host.
  package func check() throws {
    if let verdict = heartbeat?.verdict { throw RanksError(verdict) }
    attempt { group throws(TorchError) in try group.check() }
    guard let failure else { return }
    throw RanksError(explained(failure))
  }

  /// Does something that has time limits of its own and waits for other threads, as a download: it is
  /// never taken for a hang.
  ///
  /// - Parameter body: Does it.
  /// - Returns: What `body` gives.
  /// - Throws: What `body` throws.
  package func doingByItsOwnClock<Result>(_ body: () throws -> Result) throws -> Result {
    try progress.doing(nil, body)
  }

  /// The sum over all ranks, without gradient; equal on all of them.
  package func total(_ values: Tensor) -> Tensor {
    summed(carried(values).copy()).to(values.device)
  }

  private func summed(_ values: Tensor) -> Tensor {
    attempt { group throws(TorchError) in try group.sum(values) }
    return values
  }

  /// The rows of all ranks in the order of the step; only this rank's have their gradient.
  ///
  /// - Parameter rows: [n, …], of the same shape on every rank.
  /// - Returns: [n · count, …].
  package func gathered(_ rows: Tensor) -> Tensor {
    guard isShared else { return rows }
    var shares = gatheredInOrder(rows).map { $0.to(rows.device) }
    shares[rank] = rows
    return Share.joined(shares)
  }

  /// The tensors of all ranks in the order of the ranks, without gradient.
  ///
  /// - Parameter tensor: Of the same shape and type on every rank.
  /// - Returns: A tensor of each rank.
  package func gatheredInOrder(_ tensor: Tensor) -> [Tensor] {
    guard isShared else { return [tensor] }
    var all = [Tensor](repeating: tensor, count: count)
    attempt { group throws(TorchError) in
      all = try group.gathered(carried(tensor))
    }
    return all
  }

  /// A tensor's values where the exchange takes them from: NCCL from the device, Gloo from the host.
  private func carried(_ tensor: Tensor) -> Tensor {
    let values = tensor.detached()
    return (group?.usesNCCL(values) == true ? values : values.to(.cpu)).contiguous()
  }

  /// The means of tensors over all ranks, in one exchange; equal on all of them.
  ///
  /// - Parameter tensors: Of one type, on one device, of the same shapes on every rank.
  /// - Returns: Tensors of the same shapes, without gradient.
  package func means(_ tensors: [Tensor]) -> [Tensor] {
    guard isShared, !tensors.isEmpty else { return tensors }
    // Made here and now: it may be summed in its place.
    let own = Tensor.concatenated(tensors.map { $0.detached().reshaped(-1) })
    let flat = summed(carried(own)).to(own.device) / Double(count)
    var start = 0
    return tensors.map { tensor in
      let end = start + tensor.count
      defer { start = end }
      return flat.sliced(0, start..<end).reshaped(tensor.shape)
    }
  }

  /// Gives every rank the values that rank 0 has.
  package func copyFromFirst(_ tensors: [Tensor]) {
    guard isShared else { return }
    for tensor in tensors {
      let values = carried(tensor).copy()
      attempt { group throws(TorchError) in try group.broadcast(values) }
      withoutGradients { tensor.assign(values) }
    }
  }

  /// A value of the whole step that every rank computes with its own rows' gradient only: the same
  /// value, with the gradient that makes the mean over ranks that of the whole step.
  package func whole(_ value: Tensor) -> Tensor {
    guard isShared else { return value }
    return value.detached() + (value - value.detached()) * Double(count)
  }

  private func attempt(_ body: (ProcessGroup) throws(TorchError) -> Void) {
    guard let group, failure == nil else { return }
    do throws(TorchError) {
      try progress.doing(nil) { () throws(TorchError) in try body(group) }
    } catch { failure = error }
  }

  /// Does something that the others are told of if it hangs.
  ///
  /// - Parameters:
  ///   - task: What it is, as "reads the data".
  ///   - body: Does it.
  /// - Returns: What `body` gives.
  /// - Throws: What `body` throws.
  package func doing<Result>(_ task: String, _ body: () throws -> Result) throws -> Result {
    try progress.doing(task, body)
  }

  /// Does this rank's part of a run; why it fails is left for the others to read.
  package func explaining<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      publish("\(error)")
      // Whoever waits for this rank fails now. Rank 0 keeps the texts: it stays until they were read.
      group?.hangUp()
      if rank == 0, isShared { Thread.sleep(forTimeInterval: 1.5) }
      throw error
    }
  }

  /// Leaves this rank's reason to stop for the others.
  package func publish(_ reason: String) { leave(reason, under: "stopped-\(rank)") }

  /// Leaves a text for the others.
  package func leave(_ text: String, under key: String) {
    try? group?.publish(String(text.prefix(1000)), under: key)
  }

  /// What another rank left under a key; `nil` also where nobody answers, which the heartbeat notices.
  package func found(under key: String) -> String? { (try? group?.published(under: key)) ?? nil }

  /// What the others say of why they stopped, or who says nothing.
  private func explained(_ failure: TorchError) -> String {
    // Gloo ends with advice for its own readers.
    let reason = failure.description.components(separatedBy: ". This is typically")[0]
    guard let group else { return reason }
    publish(Self.lostTheOthers)
    var silent: [Int] = []
    for _ in 0..<20 {
      silent = []
      for other in 0..<count where other != rank {
        let found: String?
        // The texts are kept by rank 0.
        do { found = try group.published(under: "stopped-\(other)") } catch {
          return Self.lost("rank 0", reason, seenBy: rank)
        }
        guard let said = found else {
          silent.append(other)
          continue
        }
        if said != Self.lostTheOthers { return "rank \(other) stopped: \(said)" }
      }
      if silent.isEmpty { break }
      Thread.sleep(forTimeInterval: 0.1)
    }
    if silent.isEmpty { return reason }
    // Whoever hangs still has a heartbeat, and began to hang when the others began to wait, or before.
    let hang = silent.lazy.compactMap { [self] other in
      found(under: Heartbeat.key(other)).flatMap(HangDetector.Standing.init(beat:))?
        .hang(of: other, after: bound / 2)
    }.first
    return hang
      ?? Self.lost(
        silent.map { "rank \($0)" }.joined(separator: ", "),
        reason,
        seenBy: rank
      )
  }

  /// The reason of a rank that stops because of others.
  package static let lostTheOthers = "lost the others"

  /// What is said of a rank that does not answer.
  package static func lost(_ who: String, _ reason: String, seenBy rank: Int) -> String {
    "\(who) died or hangs, or the network is cut, seen by rank \(rank): \(reason)"
  }
}
