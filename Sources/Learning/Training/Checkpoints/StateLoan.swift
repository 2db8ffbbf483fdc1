import Synchronization
package import Torch

/// The tensors of a state while a checkpoint of them is written: the live ones, until training changes them.
///
/// A copy of the whole state is a sixth of a run's memory at 256². Between two steps of an optimiser nothing changes
/// the large tensors, so the checkpoint is written from them while the next gradients are computed. Whoever is
/// about to change one settles the loan first, which copies what was not read yet.
package final class StateLoan: Sendable {
  /// What a checkpoint says of a tensor.
  struct Entry: Sendable {
    let name: String
    let dtype: DType
    let shape: [Int]
  }

  /// The bytes of a tensor that were not read yet.
  ///
  /// `@unchecked`: the lock guards it, and the tensor, an alias of the live one, keeps the memory.
  private struct Rest: @unchecked Sendable {
    var live: (tensor: Tensor, bytes: UnsafeRawBufferPointer)?
    var copy: [UInt8] = []
    /// Bytes of the live tensor, or of the copy, that were read.
    var read = 0

    init(_ tensor: Tensor, lending smallest: Int) {
      let alias = tensor.detached()
      if let bytes = alias.rowMajorMemory, bytes.count >= smallest {
        live = (alias, bytes)
      } else {
        copy = alias.bytes
      }
    }

    mutating func next(_ count: Int) -> [UInt8] {
      let part =
        if let live {
          [UInt8](UnsafeRawBufferPointer(rebasing: live.bytes.dropFirst(read).prefix(count)))
        } else {
          Array(copy.dropFirst(read).prefix(count))
        }
      read += part.count
      if part.isEmpty { copy = [] }
      return part
    }

    mutating func settle() {
      guard let lent = live else { return }
      live = nil
      copy = [UInt8](UnsafeRawBufferPointer(rebasing: lent.bytes.dropFirst(read)))
      read = 0
    }
  }

  /// The tensors in the order of the checkpoint.
  let entries: [Entry]
  private let rests: Mutex<[Rest]>
  private let stall = Mutex(Duration.zero)
  private let partSize: Int
  /// Bytes of the smallest tensor that is lent unless told otherwise: smaller ones have a few megabytes together.
  static let smallest = 1 << 16

  /// Lends tensors.
  ///
  /// Buffers, small tensors and those on a GPU or in another order of memory are copied.
  ///
  /// - Parameters:
  ///   - tensors: Tensors by name, in the order of the checkpoint.
  ///   - smallest: Bytes of the smallest tensor that is lent.
  ///   - partSize: Bytes that are read at once; the lock is held while they are copied.
  init(
    _ tensors: [(name: String, tensor: Tensor, isBuffer: Bool)],
    lending smallest: Int = smallest,
    partSize: Int = 1 << 20
  ) {
    self.partSize = partSize
    entries = tensors.map { Entry(name: $0.name, dtype: $0.tensor.dtype, shape: $0.tensor.shape) }
    rests = Mutex(tensors.map { Rest($0.tensor, lending: $0.isBuffer ? .max : smallest) })
  }

  /// The tensors to be written, each once.
  package var drafts: [SafeTensors.Draft] {
    entries.enumerated().map { index, entry in
      SafeTensors.Draft(name: entry.name, dtype: entry.dtype, shape: entry.shape) { [self] write in
        while true {
          let part = next(of: index)
          if part.isEmpty { return }
          try write(part)
        }
      }
    }
  }

  /// The next bytes of a tensor; none at its end.
  func next(of index: Int) -> [UInt8] { rests.withLock { $0[index].next(partSize) } }

  /// Copies what was not read: afterwards the tensors may change.
  package func settle() {
    let start = ContinuousClock.now
    rests.withLock { rests in for index in rests.indices { rests[index].settle() } }
    stall.withLock { $0 += ContinuousClock.now - start }
  }

  /// Forgets what was not read, because nobody will read it.
  func end() { rests.withLock { $0 = [] } }

  /// The seconds that `settle` took since the last call.
  func takeStall() -> Double {
    stall.withLock { stall in
      defer { stall = .zero }
      return stall / .seconds(1)
    }
  }
}
