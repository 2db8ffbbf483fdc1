import TestSupport
import Testing

@testable import Datasets

/// Results of the original's dataset, sampler and grid code.
@Suite("Golden dataset semantics") struct LafiteSemanticsTests {
  struct Fixture: Decodable {
    struct Sampler: Decodable {
      let N: Int
      let seed: UInt32
      let rank: Int
      let num_replicas: Int
      let window_size: Double
      let shuffle: Bool
      let first: [Int]
    }
    struct Subset: Decodable {
      let N: Int
      let max_size: Int?
      let random_seed: UInt32
      let xflip: Bool
      let raw_idx: [Int]
      let xflip_flags: [Int]
      let len: Int
    }
    struct Ratio: Decodable {
      let N: Int
      let ratio: Double
      let max_size: Int?
      let xflip: Bool
      let pseudo_indices: [Int]
    }
    struct Types: Decodable { let pseudo_norm: Double }
    struct Grid: Decodable {
      let grid: [Int]
      let image_indices: [Int]
    }
    let infinite_sampler: [Sampler]
    let subset: [Subset]
    let ratio: [Ratio]
    let types: Types
    let snapshot_grid: [String: Grid]
  }

  let golden: Fixture
  let folder: TemporaryFolder
  let twenty: PackedDataset

  init() throws {
    golden = try recorded("dataset_semantics.json", as: Fixture.self)
    folder = try TemporaryFolder()
    twenty = try PackedDataset(packNoise(folder.file("20.zip"), count: 20, captions: { _ in 1 }))
  }

  @Test func `the sampler visits images in the original's order`() {
    #expect(golden.infinite_sampler.count == 10)
    for expected in golden.infinite_sampler {
      var sampler = InfiniteSampler(
        count: expected.N,
        seed: expected.seed,
        windowSize: expected.window_size,
        shuffles: expected.shuffle
      )
      let positions = expected.first.indices.map { expected.rank + $0 * expected.num_replicas }
      #expect(positions.map { sampler.index(at: $0) } == expected.first, "\(expected)")
      // The same from anywhere, in any order.
      for index in [59, 0, 31, 30, 45] {
        #expect(sampler.index(at: positions[index]) == expected.first[index])
      }
    }
  }

  @Test func `without a window of one's own the original's is used`() throws {
    // The original's InfiniteSampler has `window_size=0.5`.
    let halves = golden.infinite_sampler.filter { $0.window_size == 0.5 && $0.shuffle }
    #expect(!halves.isEmpty)
    for expected in halves {
      var sampler = InfiniteSampler(count: expected.N, seed: expected.seed)
      let positions = expected.first.indices.map { expected.rank + $0 * expected.num_replicas }
      #expect(positions.map { sampler.index(at: $0) } == expected.first, "\(expected)")
    }
  }

  @Test func `walking and jumping visit the same images`() {
    var walking = InfiniteSampler(count: 37, seed: 9)
    let order = (0..<500).map { _ in walking.next() }
    #expect(walking.position == 500)
    var jumping = InfiniteSampler(count: 37, seed: 9)
    for position in [499, 3, 250, 251, 0] {
      #expect(jumping.index(at: position) == order[position])
    }
  }

  @Test func `subset and mirror list the original's images`() throws {
    #expect(golden.subset.count == 6)
    for expected in golden.subset {
      let set = try TrainingSet(
        [twenty],
        options: .init(
          subset: expected.max_size,
          mirror: expected.xflip,
          seed: expected.random_seed
        )
      )
      #expect(set.count == expected.len)
      #expect((0..<set.count).map(set.rawIndex) == expected.raw_idx)
      #expect((0..<set.count).map { set.isFlipped(at: $0) ? 1 : 0 } == expected.xflip_flags)
    }
  }

  @Test func `ratio takes the captions from the original's images`() throws {
    #expect(golden.ratio.count == 6)
    for expected in golden.ratio {
      let set = try TrainingSet(
        [twenty],
        options: .init(subset: expected.max_size, mirror: expected.xflip, ratio: expected.ratio)
      )
      #expect((0..<set.count).filter(set.isLanguageFree) == expected.pseudo_indices)
      for index in 0..<set.count {
        let feature = set.textFeature(at: index, seed: 1, position: index)
        if expected.pseudo_indices.contains(index) {
          let norm = feature.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
          #expect(abs(norm - golden.types.pseudo_norm) < 1e-6)
        } else {
          #expect(feature == twenty.textFeature(image: set.rawIndex(at: index), caption: 0))
        }
      }
    }
  }

  @Test func `sample grids show the original's images`() throws {
    for (name, count) in [("N20", 20), ("N3", 3)] {
      let expected = try #require(golden.snapshot_grid[name])
      let tiles = expected.grid.reduce(1, *)
      #expect(TrainingSet.gridIndices(tiles, of: count) == expected.image_indices)
    }
    #expect(try TrainingSet([twenty]).gridIndices(3) == [18, 1, 19])
  }
}
