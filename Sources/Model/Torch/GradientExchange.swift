import CTorch

/// Gradients of a network that are averaged over the ranks of a group while the rest of them is still
/// being computed.
///
/// The tensors are split into buckets, whose boundaries depend on their sizes alone. A backward pass comes
/// to the last layers first: a bucket is on its way to the other ranks as soon as it is complete and those
/// before it have been begun, so that all ranks exchange the same buckets in the same order. Sums are
/// those of one exchange of all tensors: bit for bit with two ranks, while with more of them Gloo adds
/// up in an order that depends on a tensor's offset within its bucket.
public final class GradientExchange {
  private let group: ProcessGroup
  private let handle: OpaquePointer
  private let count: Int

  /// An exchange for the passes of one network.
  ///
  /// - Parameters:
  ///   - group: The ranks.
  ///   - parameters: What is differentiated, in the order in which the network computes with it; of one
  ///     type, on one device, the same on all ranks.
  ///   - companion: Averaged with the gradients, as it is when a pass begins.
  ///   - bucketBytes: A bucket has at least so many bytes.
  public init(
    _ group: ProcessGroup,
    parameters: [Tensor],
    companion: Tensor,
    bucketBytes: Int
  ) {
    precondition(!parameters.isEmpty, "an exchange of nothing")
    self.group = group
    let tensors = parameters + [companion.detached()]
    count = tensors.count
    let sizes = tensors.map { $0.count * $0.dtype.byteCount }
    let buckets = Self.buckets(sizes, atLeast: bucketBytes)
    // The handles do not keep their tensors.
    let made = withExtendedLifetime(tensors) { [count] in
      ct_exchange_create(
        group.handle,
        tensors.map(\.handle),
        buckets.map(Int32.init),
        count,
        Int32((buckets.max() ?? 0) + 1)
      )
    }
    guard let made else { torchFailure("an exchange of \(count) gradients") }
    handle = made
  }

  deinit { ct_exchange_free(handle) }

  /// Which bucket each tensor belongs to; the last parameters come first, the companion with the bucket of
  /// the first ones.
  static func buckets(_ sizes: [Int], atLeast least: Int) -> [Int] {
    var result = [Int](repeating: 0, count: sizes.count)
    var (bucket, filled) = (0, 0)
    for index in sizes.indices.dropLast().reversed() {
      if filled >= least { (bucket, filled) = (bucket + 1, 0) }
      result[index] = bucket
      filled += sizes[index]
    }
    result[sizes.count - 1] = bucket
    return result
  }

  /// Differentiates a scalar by the parameters, and begins the exchange meanwhile.
  ///
  /// - Parameters:
  ///   - output: A scalar.
  ///   - within: Gradients to add to this pass's, one a parameter; `nil` adds nothing.
  ///   - before: The sums of earlier rounds, to which both are added; empty in the first.
  ///   - rounds: What is exchanged is divided by it.
  ///   - isCutOff: Exchanges nothing: the ranks have lost each other before, which `finish` repeats.
  public func begin(
    gradientsOf output: Tensor,
    within: [Tensor?],
    before: [Tensor],
    rounds: Int,
    isCutOff: Bool = false
  ) {
    let added: [OpaquePointer?] = within.map { $0?.handle } + [nil]
    let sums: [OpaquePointer?] = before.map(\.handle) + [nil]
    precondition(
      added.count == count && (before.isEmpty || sums.count == count),
      "\(within.count) and \(before.count) gradients for \(count - 1) parameters"
    )
    let status = withExtendedLifetime((within, before)) {
      ct_exchange_grad(
        handle,
        output.handle,
        added,
        before.isEmpty ? nil : sums,
        Double(rounds),
        isCutOff
      )
    }
    if status != 0 { torchFailure("gradients to exchange") }
  }

  /// How many buckets of the last pass were on their way before its last gradient had come.
  var earlyBuckets: Int { Int(ct_exchange_early(handle)) }

  /// Waits for what has been begun.
  ///
  /// - Returns: The means over all ranks, the companion's last; this rank's own values, and what went
  ///   wrong, if another rank is gone or does not answer.
  public func finish() -> (means: [Tensor], failure: TorchError?) {
    var results = [OpaquePointer?](repeating: nil, count: count)
    let status = ct_exchange_finish(handle, &results)
    let failure = status == 0 ? nil : group.lastError("sum")
    let means = results.map { result in
      guard let result else { torchFailure("exchanged gradients") }
      return Tensor(owning: result)
    }
    return (means, failure)
  }
}
