import Networks
import Testing
import Torch
import TorchTestSupport

@Suite("Pseudo text by retrieval")
struct TextRetrievalTests {
  /// A collection of unit vectors, with other images to contrast with.
  private func retrieval(
    noise: Double = 0,
    steps: Int = 0,
    captions: Int = 40,
    rowsAtATime: Int = 65_536,
    type: DType = .float32
  ) -> TextRetrieval {
    let random = SeededRandom(seed: 4)
    return TextRetrieval(
      captions: random.normal([captions, 16]).normalized().to(type),
      others: random.normal([12, 16]).normalized().to(type),
      .init(noise: noise, steps: steps),
      rowsAtATime: rowsAtATime
    )
  }

  private func images(_ count: Int, seed: UInt64 = 5) -> Tensor {
    SeededRandom(seed: seed).normal([count, 16]).normalized()
  }

  @Test func `the caption of the largest cosine is found, in parts of any size`() {
    let captions = Tensor([1, 0, 0, 1, -1, 0, 0.6, 0.8] as [Float], shape: [4, 2])
    let queries = Tensor([0.9, 0.1, 0, 2, -3, 1, 0.5, 0.5] as [Float], shape: [4, 2])
    for size in 1...5 {
      let retrieval = TextRetrieval(
        captions: captions,
        others: captions,
        .init(noise: 0, steps: 0),
        rowsAtATime: size
      )
      // Products by hand: 0.9 0.1 -0.9 0.62; 0 2 0 1.6; -3 1 3 -1; 0.5 0.5 -0.5 0.7.
      #expect(retrieval.nearest(to: queries).values(Int64.self) == [0, 1, 2, 3], "\(size)")
    }
  }

  @Test func `without noise and steps pseudo text is the nearest caption as it is`() {
    let h = images(6)
    let captions = SeededRandom(seed: 4).normal([40, 16]).normalized()
    let rows = retrieval().nearest(to: h)
    let made = retrieval()(h, noise: SeededRandom(seed: 6).normal([6, 16]))
    #expect(made.floats == captions.gathered(0, rows).floats)
  }

  @Test func `with noise an image meets several captions, the nearer ones more often`() {
    let h = images(1)
    let searched = retrieval(noise: 0.5)
    let captions = SeededRandom(seed: 4).normal([40, 16]).normalized()
    let order = h.matmul(captions.transposed()).sorted(1, descending: true).1.values(Int64.self)
    var counts = [Int](repeating: 0, count: 40)
    for seed in 0..<300 {
      let made = searched(h, noise: SeededRandom(seed: UInt64(seed)).normal([1, 16]))
      let row = Int(searched.nearest(to: made).values(Int64.self)[0])
      counts[row] += 1
    }
    let byRank = order.map { counts[Int($0)] }
    #expect(byRank.count { $0 > 0 } >= 3, "\(byRank)")
    #expect(byRank[0] == byRank.max(), "\(byRank)")
    #expect(byRank[20...].reduce(0, +) < 30, "\(byRank)")
  }

  @Test func `a step goes along the gradient of the contrast`() throws {
    let h = images(3).to(.float64)
    let noise = Tensor.ones([3, 16]).to(.float64)
    let start = retrieval(type: .float64)(h, noise: noise)
    let others = {
      let random = SeededRandom(seed: 4)
      _ = random.normal([40, 16])
      return random.normal([12, 16]).normalized().to(.float64)
    }()
    let t = start.copy()
    t.requiresGradient = true
    let own = (t * h).sum(1, keeping: true)
    let logits = Tensor.concatenated([own, t.matmul(others.transposed())], 1) / 0.1
    let contrast = logits.logSoftmax(1).sliced(1, 0..<1).sum()
    let gradient = try #require(gradients(of: [contrast], withRespectTo: [t]).first ?? nil)
    let expected = (t.detached() + gradient * (0.1 * 0.1)).normalized()
    expectClose(
      retrieval(steps: 1, type: .float64)(h, noise: noise),
      expected,
      rtol: 1e-10,
      atol: 1e-12
    )
  }

  @Test func `steps draw captions to their images, and keep their length`() {
    let h = images(8)
    let noise = Tensor.ones([8, 16])
    let cosines = [0, 1, 5, 20].map { steps in
      let made = retrieval(steps: steps)(h, noise: noise)
      expectClose(made.norm(1), .ones([8]), rtol: 1e-5, atol: 1e-6)
      return (made * h).sum(1).mean().item
    }
    #expect(cosines == cosines.sorted() && cosines[3] > cosines[0] + 0.15, "\(cosines)")
  }

  @Test func `a row does not depend on the others of its batch`() {
    let (h, noise) = (images(5), SeededRandom(seed: 8).normal([5, 16]))
    let whole = retrieval(noise: 0.3, steps: 3)(h, noise: noise)
    for row in 0..<5 {
      let alone = retrieval(noise: 0.3, steps: 3)(
        h.sliced(0, row..<row + 1),
        noise: noise.sliced(0, row..<row + 1)
      )
      expectClose(alone, whole.sliced(0, row..<row + 1), rtol: 1e-5, atol: 1e-6)
    }
  }
}
