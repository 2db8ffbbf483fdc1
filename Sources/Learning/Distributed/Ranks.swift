package import Foundation
package import Torch

/// The group of processes that train together, seen from one rank.
///
/// All ranks call the same methods in the same order. The first call that fails is remembered, and
/// later ones return this rank's own values: a step does not stop half-way, and `check` after it
/// throws before anything is written.
package final class Ranks {
  /// This process's rank; rank 0 writes the files.
  package let rank: Int
  /// The number of ranks.
  package let count: Int

  package let group: ProcessGroup?
  package var failure: TorchError?
  /// Notes the task and the progress of this process.
  package let hangDetector = HangDetector()
  private let bound: Double
  /// Publishes this rank's heartbeat and watches the others'; `nil` for a single process.
  package let heartbeat: Heartbeat?
  /// The least size of a gradient bucket in bytes; `nil` for one all-reduce after the backward pass.
  ///
  /// Small enough that the last bucket is soon summed, large enough that the overhead per bucket is
  /// negligible.
  package var bucketBytes: Int? = 4 << 20
  /// The number of waits so far, part of their keys in the store.
  package var waits = 0

  /// A single process.
  package static var alone: Ranks { Ranks(nil) }

  /// A rank of a group, or a single process without one.
  ///
  /// - Parameters:
  ///   - group: The group; its calls have a timeout of their own.
  ///   - patience: Seconds without a heartbeat after which another rank counts as lost.
  ///   - bound: Seconds without progress after which another rank counts as hanging.
  ///   - whenLost: Called on rank 0, from another thread, if a rank is lost while rank 0 works alone.
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
    let hangDetector = hangDetector
    heartbeat = group.map {
      Heartbeat(
        $0,
        hangDetector,
        patience: patience,
        bound: bound,
        whenLost: $0.rank == 0 ? whenLost : nil
      )
    }
  }

  deinit { heartbeat?.stop() }

  /// This rank's slice of a step.
  package var slice: BatchSlice { BatchSlice(rank, of: count) }

  /// Whether there is more than one rank.
  package var isShared: Bool { count > 1 }

  /// Throws if a collective call has failed or a watched rank is lost.
  ///
  /// Does not cover work that the device has not finished: call it after the values have reached the host.
  package func check() throws {
    if let verdict = heartbeat?.verdict { throw RanksError(verdict) }
    attempt { group throws(TorchError) in try group.check() }
    guard let failure else { return }
    throw RanksError(explained(failure))
  }

  /// Runs work with its own timeouts on other threads, as a download: it never counts as a hang.
  ///
  /// - Parameter body: The work.
  /// - Returns: The result of `body`.
  /// - Throws: The error of `body`.
  package func withoutHangDetection<Result>(_ body: () throws -> Result) throws -> Result {
    try hangDetector.doing(nil, body)
  }

  /// The sum over all ranks, without gradient; equal on all of them.
  package func allReduceSum(_ values: Tensor) -> Tensor {
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
    var slices = gatheredInOrder(rows).map { $0.to(rows.device) }
    slices[rank] = rows
    return BatchSlice.joined(slices)
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

  /// The values, contiguous, on the backend's side: on the device for NCCL, on the host for Gloo.
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
    // A fresh tensor, so it may be summed in place.
    let own = Tensor.concatenated(tensors.map { $0.detached().reshaped(-1) })
    let flat = summed(carried(own)).to(own.device) / Double(count)
    var start = 0
    return tensors.map { tensor in
      let end = start + tensor.count
      defer { start = end }
      return flat.sliced(0, start..<end).reshaped(tensor.shape)
    }
  }

  /// Broadcasts rank 0's values into the tensors of all ranks.
  package func broadcast(_ tensors: [Tensor]) {
    guard isShared else { return }
    for tensor in tensors {
      let values = carried(tensor).copy()
      attempt { group throws(TorchError) in try group.broadcast(values) }
      withoutGradients { tensor.assign(values) }
    }
  }

  /// Scales the gradient of a whole-step value, which each rank computes with the gradient of its own rows
  /// only, so that the mean over the ranks is the gradient of the whole step; the value stays.
  package func whole(_ value: Tensor) -> Tensor {
    guard isShared else { return value }
    return value.detached() + (value - value.detached()) * Double(count)
  }

  private func attempt(_ body: (ProcessGroup) throws(TorchError) -> Void) {
    guard let group, failure == nil else { return }
    do throws(TorchError) {
      try hangDetector.doing(nil) { () throws(TorchError) in try body(group) }
    } catch { failure = error }
  }

  /// Runs a named task; the heartbeat reports it if it hangs.
  ///
  /// - Parameters:
  ///   - task: The name, as "reads the data".
  ///   - body: The work.
  /// - Returns: The result of `body`.
  /// - Throws: The error of `body`.
  package func doing<Result>(_ task: String, _ body: () throws -> Result) throws -> Result {
    try hangDetector.doing(task, body)
  }

  /// Runs a rank's whole run; publishes its error for the others.
  package func explaining<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      publish("\(error)")
      // Ranks that wait for this one fail now. Rank 0 hosts the store: it stays until they have read it.
      group?.hangUp()
      if rank == 0, isShared { Thread.sleep(forTimeInterval: 1.5) }
      throw error
    }
  }

  /// Publishes this rank's reason to stop.
  package func publish(_ reason: String) { leave(reason, under: "stopped-\(rank)") }

  /// Publishes a text in the store.
  package func leave(_ text: String, under key: String) {
    try? group?.publish(String(text.prefix(1000)), under: key)
  }

  /// Reads a text from the store; `nil` also if the store does not answer, which the heartbeat detects.
  package func found(under key: String) -> String? { (try? group?.published(under: key)) ?? nil }

  /// The reason that another rank published, else a message naming the silent ranks.
  private func explained(_ failure: TorchError) -> String {
    // Gloo appends advice to its messages.
    let reason = failure.description.components(separatedBy: ". This is typically")[0]
    guard let group else { return reason }
    publish(Self.lostPeers)
    var silent: [Int] = []
    for _ in 0..<20 {
      silent = []
      for other in 0..<count where other != rank {
        let found: String?
        // Rank 0 hosts the store.
        do { found = try group.published(under: "stopped-\(other)") } catch {
          return Self.lost("rank 0", reason, seenBy: rank)
        }
        guard let said = found else {
          silent.append(other)
          continue
        }
        if said != Self.lostPeers { return "rank \(other) stopped: \(said)" }
      }
      if silent.isEmpty { break }
      Thread.sleep(forTimeInterval: 0.1)
    }
    if silent.isEmpty { return reason }
    // A rank that hangs still has a heartbeat; it hung before the others began to wait.
    let hang = silent.lazy.compactMap { [self] other in
      found(under: Heartbeat.key(other)).flatMap(HangDetector.Status.init(beat:))?
        .hang(of: other, after: bound / 2)
    }.first
    return hang
      ?? Self.lost(
        silent.map { "rank \($0)" }.joined(separator: ", "),
        reason,
        seenBy: rank
      )
  }

  /// The published reason of a rank that stops because others are gone.
  package static let lostPeers = "lost the others"

  /// The message about a silent rank.
  package static func lost(_ who: String, _ reason: String, seenBy rank: Int) -> String {
    "\(who) died or hangs, or the network is cut, seen by rank \(rank): \(reason)"
  }
}
