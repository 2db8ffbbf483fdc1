import CTorch

/// Several processes that compute together, over torch's own c10d (Gloo) and, for tensors on CUDA, NCCL.
///
/// Every rank calls the same methods in the same order. A call throws when another rank is gone or
/// does not answer in time; the group is of no more use then. One thread uses a group at a time.
/// What NCCL carries is only enqueued by a call: `check` throws what went wrong afterwards.
public final class ProcessGroup {
  /// This process among the others, from 0 on.
  public let rank: Int
  /// Number of processes.
  public let count: Int
  let handle: OpaquePointer

  /// Joins the others; returns when all are there.
  ///
  /// - Parameters:
  ///   - rendezvous: Who this process is, and where the others meet.
  ///   - timeout: How long to wait for another rank, here and in every call.
  /// - Throws: `TorchError` if the others do not come in time or the address cannot be reached.
  public init(_ rendezvous: Rendezvous, timeout: Duration = .seconds(60)) throws(TorchError) {
    rank = rendezvous.rank
    count = rendezvous.count
    let (seconds, attoseconds) = timeout.components
    var group: OpaquePointer?
    let status = ct_group_join(
      rendezvous.host,
      rendezvous.port,
      Int32(rank),
      Int32(count),
      Double(seconds) + Double(attoseconds) * 1e-18,
      &group
    )
    guard status == 0, let group else {
      throw TorchError.last(
        "rank \(rank) of \(count) cannot meet the others at \(rendezvous.host):\(rendezvous.port)"
      )
    }
    handle = group
  }

  deinit { ct_group_leave(handle) }

  /// Closes the connections to the other ranks, so that those who wait for this one fail.
  ///
  /// Texts can still be left and read, until rank 0 leaves.
  public func hangUp() { ct_group_hang_up(handle) }

  /// Lets NCCL carry the tensors of a device from now on.
  ///
  /// - Parameters:
  ///   - device: This rank's own device.
  ///   - library: The file or soname of NCCL.
  /// - Throws: `TorchError` on all ranks if one of them cannot; the group stays as it was.
  public func useNCCL(
    on device: Device,
    library: String = "libnccl.so.2"
  ) throws(TorchError) {
    try check(
      ct_group_use_nccl(handle, library, device.typeCode, device.index),
      "use NCCL"
    )
  }

  /// Whether NCCL carries tensors that are where this one is: no copy to the host is needed.
  public func usesNCCL(_ tensor: Tensor) -> Bool { ct_group_uses_nccl(handle, tensor.handle) }

  /// Throws if something that was enqueued failed, or was not done in time.
  public func check() throws(TorchError) { try check(ct_group_check(handle), "compute") }

  /// Replaces a contiguous tensor by its sum over all ranks.
  public func sum(_ tensor: Tensor) throws(TorchError) {
    try check(ct_group_sum(handle, tensor.handle), "sum")
  }

  /// Replaces a contiguous tensor by that of one rank.
  public func broadcast(_ tensor: Tensor, from root: Int = 0) throws(TorchError) {
    precondition((0..<count).contains(root), "no rank \(root) among \(count)")
    try check(ct_group_broadcast(handle, tensor.handle, Int32(root)), "broadcast")
  }

  /// The tensors of all ranks in order, without gradients.
  ///
  /// All must be of one shape and type.
  public func gathered(_ tensor: Tensor) throws(TorchError) -> [Tensor] {
    var results = [OpaquePointer?](repeating: nil, count: count)
    try check(ct_group_gather(handle, tensor.handle, &results), "gather")
    return results.map { result in
      guard let result else { torchFailure("gather") }
      return Tensor(owning: result)
    }
  }

  /// Leaves a text for the other ranks, as the reason why this one stops.
  public func publish(_ text: String, under key: String) throws(TorchError) {
    try check(ct_group_publish(handle, key, text), "publish")
  }

  /// What a rank left under a key, at most 4 kB; `nil` if nothing.
  public func published(under key: String) throws(TorchError) -> String? {
    var text = [CChar](repeating: 0, count: 4096)
    let found = ct_group_published(handle, key, &text, text.count)
    try check(found < 0 ? found : 0, "look up")
    return found == 1
      ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      : nil
  }

  private func check(_ status: Int32, _ what: String) throws(TorchError) {
    if status != 0 { throw lastError(what) }
  }

  /// This thread's last failure, as one of a call to all ranks.
  func lastError(_ what: String) -> TorchError {
    .last("rank \(rank) of \(count) cannot \(what) with the others")
  }
}
