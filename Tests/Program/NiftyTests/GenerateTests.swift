import Foundation
import Images
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// `nifty generate` beside the generator that it drives.
@Suite("Generate")
struct GenerateTests {
  private let folder: TemporaryFolder
  private let generator: Generator

  init() throws {
    folder = try TemporaryFolder()
    generator = smallGenerator()
    try NetworkSnapshot.write(
      to: path("network-snapshot-000002.safetensors"),
      networks: [(.average, generator)],
      generator: generator.configuration,
      discriminator: nil,
      imagesSeen: 2_000
    )
  }

  private func path(_ name: String) -> String { folder.path + "/" + name }

  private func writeLatents(z: [Int], fts: [Int], to name: String) throws -> (Tensor, Tensor) {
    let random = SeededRandom(seed: 2)
    let (z, fts) = (random.normal(z), random.normal(fts))
    try SafeTensors.write([("z", z), ("fts", fts)], to: path(name))
    return (z, fts)
  }

  private func succeed(_ line: String) throws -> String {
    let outcome = try nifty(line.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 0, "\(line): \(outcome.errors)")
    return outcome.output
  }

  @Test(arguments: ["const", "none"])
  func `recorded latents give the generator's own images, whatever the batch`(mode: String) throws {
    let (z, fts) = try writeLatents(z: [19, 8], fts: [19, 6], to: "latents.safetensors")
    _ = try succeed(
      "generate --network . --latents latents.safetensors --noise_mode \(mode) "
        + "--out images.safetensors --threads 1"
    )
    let images = try #require(SafeTensors(path: path("images.safetensors"))["img"])
    let expected = withoutGradients {
      generator(z, fts: fts, noiseMode: mode == "const" ? .constant : .none)
    }
    expectClose(images, expected, rtol: 1e-5, atol: 1e-5, mode)
  }

  @Test func `random noise belongs to the seed, truncation 0 is one image`() throws {
    _ = try writeLatents(z: [3, 8], fts: [3, 6], to: "three.safetensors")
    let command = "generate --network . --latents three.safetensors --threads 1"
    _ = try succeed(command + " --noise_mode random --out first.safetensors")
    _ = try succeed(command + " --noise_mode random --out again.safetensors")
    let first = try #require(SafeTensors(path: path("first.safetensors"))["img"])
    let again = try #require(SafeTensors(path: path("again.safetensors"))["img"])
    expectClose(first, again, rtol: 0, atol: 0)
    let (z, _) = try writeLatents(z: [2, 8], fts: [2, 6], to: "two.safetensors")
    let same = Tensor([Float](repeating: 1, count: 12), shape: [2, 6])
    try SafeTensors.write([("z", z), ("fts", same)], to: path("same.safetensors"))
    _ = try succeed(
      "generate --network . --latents same.safetensors --trunc 0 --noise_mode none "
        + "--out mean.safetensors"
    )
    let mean = try #require(SafeTensors(path: path("mean.safetensors"))["img"])
    expectClose(mean.sliced(0, 0..<1), mean.sliced(0, 1..<2), rtol: 1e-6, atol: 1e-6)
  }

  @Test func `latents may become pictures too`() throws {
    _ = try writeLatents(z: [2, 8], fts: [2, 6], to: "two.safetensors")
    let said = try succeed("generate --network . --latents two.safetensors --out pictures")
    #expect(said == "2 images and sheet.png in pictures\n")
    let names = try FileManager.default.contentsOfDirectory(atPath: path("pictures")).sorted()
    #expect(names == ["row0000-two-safetensors.png", "row0001-two-safetensors.png", "sheet.png"])
    #expect(try RGBImage(contentsOf: path("pictures/row0001-two-safetensors.png")).width == 16)
  }

  @Test func `a picture's name has its seed and text, and earlier pictures stay`() throws {
    let command = "generate --network emoji --threads 1 --out kept heart "
    _ = try succeed(command + "--seeds 7")
    let first = try Data(contentsOf: URL(filePath: path("kept/seed0007-heart.png")))
    _ = try succeed(command + "--seeds 8")
    #expect(try succeed(command + "--seeds 7 --trunc 0") == "1 image and sheet-3.png in kept\n")
    let names = try FileManager.default.contentsOfDirectory(atPath: path("kept")).sorted()
    #expect(
      names == [
        "seed0007-heart-2.png", "seed0007-heart.png", "seed0008-heart.png", "sheet-2.png",
        "sheet-3.png", "sheet.png",
      ]
    )
    #expect(try Data(contentsOf: URL(filePath: path("kept/seed0007-heart.png"))) == first)
    _ = try succeed(command + "--seeds 7 --trunc 0 --overwrite")
    #expect(try Data(contentsOf: URL(filePath: path("kept/seed0007-heart.png"))) != first)
  }

  /// What is asked for, and what the one line says.
  static let mistakes: [(arguments: String, expected: String)] = [
    ("--network . --latents missing.safetensors", "missing.safetensors"),
    ("--network . --latents narrow.safetensors", "z is [2, 7], not [N, 8]"),
    ("--network . --latents uneven.safetensors", "2 rows of z, but 3 of fts"),
    ("--network . --latents other.safetensors", "holds no z"),
    ("--network nothing-like-that a", "no snapshot, folder or model called nothing-like-that"),
    ("--network empty a", "empty holds neither"),
    ("--network . a", "--clip FILE is needed"),
    (
      "--network emoji --mix-seeds 5 --mix-layers 0-99 a",
      "--mix-layers 0-99: the generator has layers 0 to 9"
    ),
    (
      "--network emoji --trunc 0.5 --trunc-cutoff 11 a",
      "--trunc-cutoff 11: the generator has 10 layers; 0 to 10 is allowed"
    ),
  ]

  @Test(arguments: ["0-9999999999999", "5-3", "0-18446744073709551615", "1,", "-1", "0-10000"])
  func `invalid or too many seeds are refused and named`(seeds: String) throws {
    for option in ["--seeds", "--mix-seeds"] {
      let words = ["generate", "--network", ".", "\(option)=\(seeds)", "a"]
      let outcome = try nifty(words, in: folder.path)
      #expect(outcome.status == 64)
      let line = try #require(outcome.errors.split(separator: "\n").first)
      #expect(
        line == "Error: The value '\(seeds)' is invalid for '\(option) <\(option.dropFirst(2))>'"
      )
    }
  }

  @Test func `prompts that are longer than CLIP reads are counted, once`() throws {
    let long = String(repeating: "red heart ", count: 50)
    try folder.write(Array("sun\n\(long)\n\(long)\n".utf8), to: "prompts.txt")
    let line = "generate --network emoji --prompts prompts.txt --seeds 1 --threads 1 --out p"
    let outcome = try nifty(line.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors == "prompts longer than the 20 tokens that CLIP reads, "
        + "whose ends are left out: 2 of 3\n"
    )
  }

  @Test func `layers to mix without seeds to mix are refused`() throws {
    let outcome = try nifty(["generate", "--network", "emoji", "--mix-layers", "0-3", "a"])
    #expect(outcome.status == 64)
    #expect(outcome.errors.hasPrefix("Error: --mix-layers says where --mix-seeds are mixed in"))
  }

  @Test func `the model that comes with nifty paints a red heart red`() throws {
    _ = try succeed("generate --network emoji heart --samples 2 --threads 1 --out hearts")
    let image = try RGBImage(contentsOf: path("hearts/seed0000-heart.png"))
    #expect((image.width, image.height) == (64, 64))
    let centre = 3 * (32 * 64 + 32)
    let (red, green, blue) = (
      image.pixels[centre], image.pixels[centre + 1], image.pixels[centre + 2]
    )
    #expect(red > 180 && green < 110 && blue < 110, "\(red) \(green) \(blue)")
  }

  @Test(arguments: mistakes)
  func `what cannot be painted is one line`(arguments: String, expected: String) throws {
    _ = try writeLatents(z: [2, 7], fts: [2, 6], to: "narrow.safetensors")
    _ = try writeLatents(z: [2, 8], fts: [3, 6], to: "uneven.safetensors")
    try SafeTensors.write([("x", .zeros([1]))], to: path("other.safetensors"))
    try FileManager.default.createDirectory(
      atPath: path("empty"),
      withIntermediateDirectories: true
    )
    let outcome = try nifty(
      ["generate"] + arguments.split(separator: " ").map(String.init) + ["--out", "none"],
      in: folder.path
    )
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("nifty: ") && outcome.errors.contains(expected))
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: path("none")))
  }
}
