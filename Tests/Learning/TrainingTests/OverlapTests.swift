import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Distributed
@testable import Training

/// Steps whose gradients are exchanged while they are computed.
@Suite("Overlapped exchange", .serialized)
struct OverlapTests {
  private static func configuration(rounds: Int) -> TrainerConfiguration {
    var result = tinyTrainer(seed: 3, batchSize: 12)
    result.discriminator.minibatchGroup = 2
    result.losses.mixingProb = 0.5
    result.rounds = rounds
    // Both regularisers in both steps.
    result.generatorRegularisationInterval = 1
    result.discriminatorRegularisationInterval = 1
    return result
  }

  /// The bytes of all weights after two steps, one list a rank.
  private static func weights(
    ranks count: Int,
    rounds: Int,
    bucketBytes: Int?,
    slow: Int? = nil
  ) async throws -> [[UInt8]] {
    let shape = configuration(rounds: rounds)
    return try await inRanks(count) { group in
      let ranks = Ranks(group)
      ranks.bucketBytes = bucketBytes
      let encode = tinyEncoder()
      let clip = ImageTower(side: 16) { image in
        if ranks.rank == slow { Thread.sleep(forTimeInterval: 0.2) }
        return encode(image)
      }
      let trainer = Trainer(try tinyInputs(shape, clip: clip, ranks: ranks))
      for step in 0..<2 {
        _ = trainer.step(tinyBatch(UInt64(step), size: 12).rows(of: ranks.slice))
      }
      try ranks.check()
      return [trainer.generator.state, trainer.discriminator.state, trainer.average.state]
        .flatMap { $0 }.flatMap(\.tensor.bytes)
    }
  }

  @Test(arguments: [1, 3], [1, 400, 1 << 20])
  func `overlapped exchange gives two ranks the bytes of one exchange`(
    rounds: Int,
    bucketBytes: Int
  ) async throws {
    let expected = try await Self.weights(ranks: 2, rounds: rounds, bucketBytes: nil)
    let own = try await Self.weights(ranks: 2, rounds: rounds, bucketBytes: bucketBytes)
    #expect(own == expected && own[0] == own[1] && !own[0].isEmpty)
  }

  @Test func `the bytes do not depend on the order of arrival`() async throws {
    let alike = try await Self.weights(ranks: 3, rounds: 2, bucketBytes: 400)
    for slow in [0, 2] {
      let own = try await Self.weights(ranks: 3, rounds: 2, bucketBytes: 400, slow: slow)
      #expect(own == alike && own[0] == own[2])
    }
  }

  @Test func `a single process has no exchange`() {
    let tensor = Tensor([Float(1)])
    tensor.requiresGradient = true
    #expect(Ranks.alone.exchange(of: [tensor], with: Tensor([Float(1)])) == nil)
  }
}
