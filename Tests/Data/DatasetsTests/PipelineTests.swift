import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datasets

@Suite struct PipelineTests {
  @Test(arguments: [(1, 1), (2, 1), (3, 4), (8, 100)])
  func `results come in order and end`(threads: Int, capacity: Int) {
    let pipeline = OrderedPipeline<Int, Int>(
      threads: threads,
      capacity: capacity,
      claim: { $0 < 300 ? $0 : nil },
      work: { number in
        if number % 7 == 0 { Thread.sleep(forTimeInterval: 0.0005) }
        return number * number
      }
    )
    var results: [Int] = []
    while let result = pipeline.next() { results.append(result) }
    #expect(results == (0..<300).map { $0 * $0 })
    #expect(pipeline.next() == nil)
  }

  @Test func `read-ahead never exceeds the capacity`() {
    let begun = Atomic<Int>(0)
    let pipeline = OrderedPipeline<Int, Int>(
      threads: 4,
      capacity: 5,
      claim: { $0 },
      work: { number in
        begun.add(1, ordering: .relaxed)
        return number
      }
    )
    for taken in 0..<50 {
      #expect(pipeline.next() == taken)
      // At most five begun beyond those taken.
      #expect(begun.load(ordering: .relaxed) <= taken + 1 + 5)
    }
    Thread.sleep(forTimeInterval: 0.05)
    #expect(begun.load(ordering: .relaxed) == 55)
  }

  @Test func `threads end when the pipeline is released`() {
    weak var witness: Witness?
    do {
      let held = Witness()
      witness = held
      let pipeline = OrderedPipeline<Int, Int>(
        threads: 3,
        capacity: 3,
        claim: { $0 },
        work: { number in
          withExtendedLifetime(held) { number }
        }
      )
      #expect(pipeline.next() == 0)
    }
    for _ in 0..<200 where witness != nil { Thread.sleep(forTimeInterval: 0.01) }
    #expect(witness == nil)
  }

  private final class Witness: Sendable {}

  @Test(arguments: [(1, 1), (3, 8)])
  func `images of a sequence are those of the set, in its order`(threads: Int, ahead: Int) throws {
    let folder = try TemporaryFolder()
    let set = try TrainingSet([PackedDataset(packNoise(folder.file("a.zip"), count: 9))])
    let order = [3, 0, 8, 8, 1, 5]
    let sequence = ImageSequence(set, threads: threads, ahead: ahead) {
      $0 < order.count ? order[$0] : nil
    }
    for index in order { #expect(try sequence.next() == set.image(at: index)) }
    #expect(try sequence.next() == nil)
  }
}
