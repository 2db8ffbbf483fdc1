import Foundation
import Testing
import TorchTestSupport

@testable import Torch

/// Ranks as threads of one process: the group does not know the difference.
@Suite("Exchange of gradients", .serialized)
struct GradientExchangeTests {
  /// Six parameters, of which the last one takes no part in `loss`, and a companion.
  private static func parameters() -> [Tensor] {
    let random = SeededRandom(seed: 1)
    let tensors = [[3, 5], [7], [5, 4], [4], [4, 2], [9]].map { random.normal($0) }
    for tensor in tensors { tensor.requiresGradient = true }
    return tensors
  }

  /// A chain in the order of the parameters; `deep` uses all of it, else only the first three.
  private static func loss(_ p: [Tensor], rank: Int, round: Int = 0, deep: Bool = true) -> Tensor {
    let x = SeededRandom(seed: UInt64(10 + rank + 100 * round)).normal([6, 3])
    let y = (x.matmul(p[0]).tanh() * p[1].sum()).matmul(p[2])
    return deep ? ((y + p[3]).tanh().matmul(p[4])).squared().mean() : y.squared().mean()
  }

  private static func all(_ loss: Tensor, _ parameters: [Tensor]) -> [Tensor?] {
    gradients(of: [loss], withRespectTo: parameters, retainGraph: true)
  }

  /// The means of all tensors after one exchange of everything, as it is without overlap.
  private static func flat(_ tensors: [Tensor], _ group: ProcessGroup) throws -> [[Float]] {
    let own = Tensor.concatenated(tensors.map { $0.detached().reshaped(-1) })
    try group.sum(own)
    let means = (own / Double(group.count)).floats
    var start = 0
    return tensors.map { tensor in
      defer { start += tensor.count }
      return Array(means[start..<start + tensor.count])
    }
  }

  @Test(arguments: [2, 3], [1, 80, 1 << 20])
  func `means do not depend on the bucket size`(
    count: Int,
    bucketBytes: Int
  ) async throws {
    let results = try await inRanks(count) { group -> [[[Float]]] in
      let parameters = Self.parameters()
      let companion = SeededRandom(seed: UInt64(group.rank)).normal([11])
      let exchange = GradientExchange(
        group,
        parameters: parameters,
        companion: companion,
        bucketBytes: bucketBytes
      )
      var results: [[[Float]]] = []
      // Every pass begins anew, whatever the one before left.
      for deep in [true, false, true] {
        let loss = Self.loss(parameters, rank: group.rank, deep: deep)
        let own = zip(Self.all(loss, parameters), parameters).map { $0 ?? .zeros(like: $1) }
        results.append(try Self.flat(own + [companion], group))
        exchange.begin(
          gradientsOf: loss,
          within: [Tensor?](repeating: nil, count: parameters.count),
          before: [],
          rounds: 1
        )
        let (means, failure) = exchange.finish()
        #expect(failure == nil)
        #expect(means.map(\.shape) == (parameters + [companion]).map(\.shape))
        results.append(means.map(\.floats))
      }
      return results
    }
    for result in results {
      #expect(result == results[0])
      for (expected, own) in [(0, 1), (2, 3), (4, 5)] {
        if count == 2 {
          #expect(result[own] == result[expected])
        } else {
          for (a, b) in zip(result[own].joined(), result[expected].joined()) {
            expectClose(Double(a), Double(b), rtol: 1e-6, atol: 1e-7)
          }
        }
      }
      #expect(result[1][5] == [Float](repeating: 0, count: 9))
      #expect(result[1] == result[5] && result[1] != result[3])
    }
  }

  private static func exchange(_ group: ProcessGroup, _ parameters: [Tensor]) -> GradientExchange {
    GradientExchange(
      group,
      parameters: parameters,
      companion: Tensor([Float(3)]),
      bucketBytes: 1
    )
  }

  @Test func `the gradients of other losses and of earlier rounds are added first`() async throws {
    let results = try await inRanks(2) { group -> [[[Float]]] in
      let parameters = Self.parameters()
      let companion = Tensor([Float(group.rank)])
      let exchange = GradientExchange(
        group,
        parameters: parameters,
        companion: companion,
        bucketBytes: 40
      )
      let (first, other, last) = (
        Self.loss(parameters, rank: group.rank),
        Self.loss(parameters, rank: group.rank, round: 1, deep: false),
        Self.loss(parameters, rank: group.rank, round: 2)
      )
      let before = zip(Self.all(first, parameters), parameters).map { $0 ?? .zeros(like: $1) }
      let within = Self.all(other, parameters)
      // As the step adds them up: within the round, then to the rounds before.
      let expected = zip(zip(before, within), Self.all(last, parameters)).map { added, own in
        let round = added.1.map { value in own.map { value + $0 } ?? value } ?? own
        return (round.map { added.0 + $0 } ?? added.0) / 2.0
      }
      exchange.begin(gradientsOf: last, within: within, before: before, rounds: 2)
      let (means, failure) = exchange.finish()
      #expect(failure == nil)
      return [try Self.flat(expected + [companion], group), means.map(\.floats)]
    }
    for result in results {
      #expect(result[1] == result[0])
      #expect(result[1][6] == [0.5])
    }
  }

  @Test func `all buckets but the last are sent before the backward pass ends`() async throws {
    _ = try await inRanks(2) { group in
      let parameters = Self.parameters()
      for (bucketBytes, early) in [(1, 5), (80, 2), (1 << 20, 0)] {
        let exchange = GradientExchange(
          group,
          parameters: parameters,
          companion: Tensor([Float(3)]),
          bucketBytes: bucketBytes
        )
        exchange.begin(
          gradientsOf: Self.loss(parameters, rank: group.rank),
          within: parameters.map { _ in nil },
          before: [],
          rounds: 1
        )
        #expect(exchange.earlyBuckets == early)
        #expect(exchange.finish().failure == nil)
      }
    }
  }

  /// The order in which gradients come is not the same for all: what is summed with what must be.
  @Test func `ranks whose gradients come in another order still sum the same buckets`() async throws
  {
    let results = try await inRanks(2) { group -> [[Float]] in
      let random = SeededRandom(seed: 1)
      let parameters = (0..<2).map { _ in random.normal([4, 4]) }
      for parameter in parameters { parameter.requiresGradient = true }
      let exchange = Self.exchange(group, parameters)
      // The last one that is used has its gradient first.
      let used = group.rank == 0 ? parameters : parameters.reversed()
      let x = random.normal([6, 4])
      let loss = x.matmul(used[0]).tanh().matmul(used[1]).squared().mean()
      let own = Self.all(loss, parameters).compactMap(\.self)
      let expected = try Self.flat(own, group)
      #expect(expected[0] != expected[1])
      exchange.begin(gradientsOf: loss, within: [nil, nil], before: [], rounds: 1)
      let (means, failure) = exchange.finish()
      #expect(failure == nil)
      #expect(means.dropLast().map(\.floats) == expected)
      return means.map(\.floats)
    }
    #expect(results[0] == results[1])
  }

  @Test func `buckets go from the last parameters to the first`() {
    #expect(GradientExchange.buckets([4, 4, 4, 4, 1], atLeast: 8) == [1, 1, 0, 0, 1])
    #expect(GradientExchange.buckets([4, 4, 20, 4, 1], atLeast: 8) == [1, 1, 0, 0, 1])
    #expect(GradientExchange.buckets([4, 4, 20, 8, 1], atLeast: 8) == [2, 2, 1, 0, 2])
    #expect(GradientExchange.buckets([4, 4, 4, 1], atLeast: 1) == [2, 1, 0, 2])
    #expect(GradientExchange.buckets([4, 1], atLeast: 100) == [0, 0])
  }

  @Test func `a dead rank leaves the others their local values and the reason`() async throws {
    let said = try await inRanks(2, timeout: .seconds(4)) { group -> String in
      let parameters = Self.parameters()
      let exchange = Self.exchange(group, parameters)
      try group.sum(Tensor([Float(1)]))
      if group.rank == 1 { return "" }
      let loss = Self.loss(parameters, rank: 0)
      let own = Self.all(loss, parameters)
      exchange.begin(gradientsOf: loss, within: own.map { _ in nil }, before: [], rounds: 1)
      let (means, failure) = exchange.finish()
      for (mean, gradient) in zip(means, own) {
        #expect(mean.floats == gradient?.floats ?? [Float](repeating: 0, count: mean.count))
      }
      #expect(means[6].floats == [3])
      // What was lost is not tried again.
      exchange.begin(
        gradientsOf: Self.loss(parameters, rank: 0),
        within: own.map { _ in nil },
        before: [],
        rounds: 1,
        isCutOff: true
      )
      #expect(exchange.finish().failure?.description.contains("lost before") == true)
      return failure?.description ?? "nothing noticed"
    }
    #expect(said[0].hasPrefix("rank 0 of 2 cannot sum with the others: "))
  }

  @Test func `a hanging rank is noticed after the group's timeout`() async throws {
    let seconds = try await inRanks(2, timeout: .seconds(2)) { group -> Double in
      let parameters = Self.parameters()
      let exchange = Self.exchange(group, parameters)
      try group.sum(Tensor([Float(1)]))
      let start = ContinuousClock.now
      if group.rank == 1 {
        Thread.sleep(forTimeInterval: 5)
        return 0
      }
      exchange.begin(
        gradientsOf: Self.loss(parameters, rank: 0),
        within: parameters.map { _ in nil },
        before: [],
        rounds: 1
      )
      #expect(exchange.finish().failure != nil)
      group.hangUp()
      return start.duration(to: .now) / .seconds(1)
    }
    #expect(seconds[0] < 4, "\(seconds[0])")
  }

  @Test func `NCCL gives the same sums`() async throws {
    let library = try StandInNCCL.library.get()
    let results = try await inRanks(2) { group -> [[[Float]]] in
      try group.useNCCL(on: .cpu, library: library)
      let parameters = Self.parameters()
      let companion = Tensor([Float(group.rank)])
      let exchange = GradientExchange(
        group,
        parameters: parameters,
        companion: companion,
        bucketBytes: 1
      )
      let loss = Self.loss(parameters, rank: group.rank)
      let own = zip(Self.all(loss, parameters), parameters).map { $0 ?? .zeros(like: $1) }
      let expected = try Self.flat(own + [companion], group)
      exchange.begin(
        gradientsOf: loss,
        within: parameters.map { _ in nil },
        before: [],
        rounds: 1
      )
      let (means, failure) = exchange.finish()
      #expect(failure == nil)
      return [expected, means.map(\.floats)]
    }
    for result in results { #expect(result[0] == result[1]) }
  }
}
