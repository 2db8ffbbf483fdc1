import Synchronization
import Testing
import Torch
import TorchTestSupport

@Suite("Tensor")
struct TensorTests {
  @Test func `values come back in row-major order, converted`() {
    let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(x.shape == [2, 3] && x.count == 6 && x.rank == 2 && x.dtype == .float32)
    #expect(x.transposed().floats == [1, 4, 2, 5, 3, 6])
    #expect(x.transposed().values(Int64.self) == [1, 4, 2, 5, 3, 6])
    #expect(x.selected(0, 1).floats == [4, 5, 6])
    #expect(x.sliced(1, 1..<3).floats == [2, 3, 5, 6])
    #expect(x.strided(1, step: 2).floats == [1, 3, 4, 6])
    #expect(x.gathered(1, [2, 0]).floats == [3, 1, 6, 4])
    #expect(Tensor([258 as Int32]).bytes == [2, 1, 0, 0])
  }

  @Test func `memory order does not change values`() {
    let x = formulaTensor("layout", [2, 3, 4, 5])
    expectClose(x.laidOut(.channelsLast), x, rtol: 0, atol: 0)
    #expect(x.laidOut(.channelsLast).bytes == x.bytes)
  }

  @Test func `scalars, shapes of no elements and broadcasting`() {
    #expect(Tensor(scalar: 2.5).shape == [] && Tensor(scalar: 2.5).item == 2.5)
    #expect(Tensor([Float](), shape: [0, 3]).floats.isEmpty)
    let sum = Tensor([1, 2] as [Float], shape: [2, 1]) + Tensor([10, 20] as [Float])
    #expect(sum.floats == [11, 21, 12, 22])
  }

  @Test func `arithmetic with numbers keeps the operand's side`() {
    let x = Tensor([1, 4] as [Float])
    #expect((3 - x).floats == [2, -1])
    #expect((x - 3).floats == [-2, 1])
    #expect((-x).floats == [-1, -4])
    #expect((x / 2).floats == [0.5, 2])
    #expect(x.exponent(ofBase: 2).floats == [2, 16])
    #expect(x.squareRoot().floats == [1, 2])
    #expect(x.clamped(from: 2).floats == [2, 4] && x.clamped(to: 2).floats == [1, 2])
  }

  @Test func `replacing takes the other where the condition holds`() {
    let x = Tensor([1, 2, 3] as [Float])
    #expect(x.replacing(with: .zeros(like: x), where: x .> 1.5).floats == [1, 0, 0])
  }

  @Test func `reductions by hand`() {
    let x = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    #expect(x.sum().item == 10 && x.mean().item == 2.5)
    #expect(x.sum(0).floats == [4, 6] && x.mean(1, keeping: true).shape == [2, 1])
    #expect(x.variance(1).floats == [0.5, 0.5])
    #expect(x.norm(1).floats == [Float(5).squareRoot(), 5])
    #expect(x.indexOfLargest(1).values(Int64.self) == [1, 1])
    #expect(x.kthSmallest(2, 1).floats == [2, 4])
    expectClose(x.distances(to: x).selected(0, 1).selected(0, 0).item, 8.0.squareRoot(), rtol: 1e-6)
    #expect(x.isFinite && !(x / 0).isFinite)
  }

  @Test func `attention is the softmax of scaled products`() {
    let q = formulaTensor("q", [1, 1, 3, 4])
    let (k, v) = (formulaTensor("k", [1, 1, 3, 4]), formulaTensor("v", [1, 1, 3, 4]))
    let weights = (q.matmul(k.transposed()) * 0.5).softmax(-1)
    let direct = weights.matmul(v)
    expectClose(Tensor.attention(query: q, key: k, value: v), direct, rtol: 1e-5, atol: 1e-6)
    let causal = Tensor.attention(query: q, key: k, value: v, causal: true)
    expectClose(causal.selected(2, 0), v.selected(2, 0), rtol: 1e-5, atol: 1e-6)
  }

  @Test func `the border is replicated or padded with zeros`() {
    let x = Tensor.ones([1, 1, 4, 4])
    let theta = Tensor([1, 0, 1, 0, 1, 0] as [Float], shape: [1, 2, 3])
    let grid = Tensor.affineGrid(theta, shape: x.shape)
    #expect(x.sampled(at: grid).sum().item == 8)
    #expect(x.sampled(at: grid, extendingBorder: true).sum().item == 16)
  }

  @Test func `wrong sizes stop the program with both sides`() async {
    let result = await #expect(
      processExitsWith: .failure,
      observing: [\.standardErrorContent]
    ) {
      _ = Tensor([1, 2, 3] as [Float], shape: [2, 2])
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("3 values do not fill shape [2, 2]"))
  }

  @Test func `a wrong product stops the program with libtorch's words`() async {
    let result = await #expect(
      processExitsWith: .failure,
      observing: [\.standardErrorContent]
    ) {
      _ = Tensor.ones([2, 3]).matmul(.ones([2, 3]))
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("aten::matmul") && message.contains("2x3"))
  }

  @Test func `out of memory ends with one line and exit status 1`() async throws {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent])
    {
      _ = Tensor.zeros([1 << 40, 1 << 10])
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(said.contains("nifty: out of memory") && said.contains("--batch-gpu"), "\(said)")
  }

  @Test func `any other failure in a run says how to continue`() async throws {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent])
    {
      Runtime.failureNote.withLock { $0 = "go on with: nifty train --continue RUN" }
      _ = Tensor.zeros([2, 3]).matmul(.zeros([2, 3]))
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(said.contains("nifty: ") && said.hasSuffix("--continue RUN\n"), "\(said)")
  }
}
