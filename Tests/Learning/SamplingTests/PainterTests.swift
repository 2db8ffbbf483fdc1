import Images
import Networks
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Sampling

@Suite("Painters")
struct PainterTests {
  private let generator = smallGenerator()
  private let features = SeededRandom(seed: 5).normal([1, 6])

  private func painter(
    _ noise: Painter.Noise = .const,
    truncation: Double = 1,
    cutoff: Int? = nil
  ) -> Painter {
    Painter(generator: generator, truncation: truncation, truncationCutoff: cutoff, noise: noise)
  }

  private func png(_ image: Tensor) throws -> [UInt8] {
    let pixels = (image.permuted(1, 2, 0) * 127.5 + 128).floats.map {
      UInt8(min(max($0, 0), 255))
    }
    return try RGBImage(width: 16, height: 16, pixels: pixels).encodedPNG()
  }

  /// One image of a batch, [3, R, R].
  private func image(_ number: Int, of images: Tensor) -> Tensor {
    images.sliced(0, number..<number + 1).reshaped(3, 16, 16)
  }

  @Test func `a latent is a row of numbers that only its seed decides`() {
    let latents = painter().latents([3, .max, 3])
    #expect(latents.shape == [3, 8])
    #expect(latents.sliced(0, 0..<1).floats == latents.sliced(0, 2..<3).floats)
    #expect(latents.sliced(0, 1..<2).floats == painter().latents([.max]).floats)
    #expect(latents.sliced(0, 0..<1).floats != latents.sliced(0, 1..<2).floats)
  }

  @Test func `latents are standard normal`() {
    let numbers = painter().latents((0..<2000).map { $0 }).floats.map(Double.init)
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let variance = numbers.reduce(0) { $0 + $1 * $1 } / Double(numbers.count)
    // Standard errors 0.008 and 0.011: five of them.
    #expect(abs(mean) < 0.04 && abs(variance - 1) < 0.06, "\(mean), \(variance)")
  }

  @Test(arguments: Painter.Noise.allCases)
  func `a row is an image a seed, in single precision, and the same again to the byte`(
    noise: Painter.Noise
  ) throws {
    let row = painter(noise).row(fts: features, seeds: [1, 2, 1])
    #expect(row.shape == [3, 3, 16, 16] && row.dtype == .float32)
    let again = painter(noise).row(fts: features, seeds: [1, 2, 1])
    for number in 0..<3 {
      #expect(try png(image(number, of: row)) == png(image(number, of: again)))
    }
    expectClose(image(0, of: row), image(2, of: row), rtol: 0, atol: 1e-6)
    #expect(try png(image(0, of: row)) != png(image(1, of: row)), "seeds differ")
  }

  @Test(arguments: Painter.Noise.allCases)
  func `an image does not change with what is painted beside it`(noise: Painter.Noise) {
    // More than are painted at once, and a rest.
    let seeds = (0..<37).map { UInt64($0 * $0) }
    let row = painter(noise).row(fts: features, seeds: seeds)
    #expect(row.shape == [37, 3, 16, 16])
    for number in [0, 15, 16, 31, 32, 36] {
      let alone = painter(noise).row(fts: features, seeds: [seeds[number]])
      expectClose(
        image(number, of: row),
        image(0, of: alone),
        rtol: 1e-5,
        atol: 1e-5,
        "image \(number)"
      )
    }
  }

  @Test func `images of own latents and features are those of the generator`() {
    let z = painter().latents([4, 5])
    let fts = SeededRandom(seed: 6).normal([2, 6])
    let images = painter(.none).images(z: z, fts: fts, seeds: [4, 5])
    let expected = withoutGradients { generator(z, fts: fts, noiseMode: .none) }
    expectClose(images, expected, rtol: 1e-5, atol: 1e-5)
  }

  @Test func `random noise differs from seed to seed, constant noise does not`() {
    let z = painter().latents([4]).expanded(2, -1)
    let fts = features.expanded(2, -1)
    func difference(_ noise: Painter.Noise) -> Float {
      let images = painter(noise).images(z: z, fts: fts, seeds: [1, 2])
      return zip(image(0, of: images).floats, image(1, of: images).floats)
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
    #expect(difference(.random) > 0.01)
    #expect(difference(.const) < 1e-5 && difference(.none) < 1e-5)
  }

  @Test
  func `at truncation 0 all seeds give one image, before the cutoff only the first layers do`() {
    func spread(_ painter: Painter) -> Float {
      let row = painter.row(fts: features, seeds: [1, 2])
      return zip(image(0, of: row).floats, image(1, of: row).floats)
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
    #expect(spread(painter(.none, truncation: 0)) < 1e-5)
    #expect(spread(painter(.none, truncation: 0, cutoff: 1)) > 1e-4)
    #expect(spread(painter(.none)) > 1e-4)
  }

  @Test func `mixing in no layer changes nothing, in all layers gives the other seed's image`() {
    let plain = painter(.none)
    func mixed(_ layers: ClosedRange<Int>) -> Tensor {
      plain.mixedRow(fts: features, seed: 1, mixing: .init(seeds: [2, 3], layers: layers))
    }
    let own = plain.row(fts: features, seeds: [1, 2, 3])
    let all = mixed(0...1000)
    #expect(all.shape == [3, 3, 16, 16])
    expectClose(all, own, rtol: 1e-5, atol: 1e-5, "all layers")
    let none = mixed(1000...Int.max)
    for number in 0..<3 {
      expectClose(image(number, of: none), image(0, of: own), rtol: 1e-5, atol: 1e-5, "no layer")
    }
    let some = mixed(0...1)
    expectClose(image(0, of: some), image(0, of: own), rtol: 1e-5, atol: 1e-5, "unmixed")
    #expect(image(1, of: some).floats != image(0, of: own).floats)
    #expect(image(1, of: some).floats != image(1, of: own).floats)
  }
}

extension PainterTests {
  @Test func `pictures that are no numbers are an error, not black`() throws {
    let images = painter().row(fts: features, seeds: [1])
    #expect(try finitePictures(images).count == 1)
    for odd in [Double.nan, .infinity] {
      let error = #expect(throws: SamplingError.self) { try finitePictures(images * odd) }
      #expect("\(try #require(error))".contains("NaN or infinity"))
    }
    // The last two are no numbers of 32 bits: libtorch itself stops at them.
    for truncation in [1e38, 1e39, -1e308] {
      let far = painter(truncation: truncation).row(fts: features, seeds: [1])
      #expect(throws: SamplingError.self) { try finitePictures(far) }
    }
  }

  @Test func `files that hold no prompts are named by what they are`() throws {
    let folder = try TemporaryFolder()
    try folder.write([0x89, 0x50, 0x4e, 0x47], to: "a.txt")
    try folder.write(Array("\u{FEFF}one\r\n\n two \n".utf8), to: "b.txt")
    let error = #expect(throws: SamplingError.self) {
      try Prompts.lines(of: folder.file("a.txt"))
    }
    #expect("\(try #require(error))".contains("it looks like PNG"))
    #expect(try Prompts.lines(of: folder.file("b.txt")) == ["one", "two"])
  }

  @Test(arguments: [
    ("<!DOCTYPE html>\n<p>not found", "an HTML or XML page"),
    ("{\"prompts\": [\"a\"]}", "JSON"), ("[\n\"a\",\n\"b\"]\n", "JSON"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
  ])
  func `texts of other kinds are no prompts`(text: String, kind: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(text.utf8), to: "a.txt")
    let error = #expect(throws: SamplingError.self) {
      try Prompts.lines(of: folder.file("a.txt"))
    }
    #expect("\(try #require(error))".contains("one a line: it looks like \(kind)"))
  }

  @Test func `prompts may begin with brackets`() throws {
    let folder = try TemporaryFolder()
    let lines = ["[red] heart", "{a} star", "<new> sun"]
    try folder.write(Array(lines.joined(separator: "\n").utf8), to: "a.txt")
    #expect(try Prompts.lines(of: folder.file("a.txt")) == lines)
  }
}
