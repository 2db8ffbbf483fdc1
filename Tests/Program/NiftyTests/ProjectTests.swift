import Foundation
import Images
import TestSupport
import Testing

@Suite("nifty project")
struct ProjectCommandTests {
  private func run(_ words: [String], in folder: TemporaryFolder) throws -> Outcome {
    let own = ["--network", "emoji", "--threads", "1"]
    return try nifty([words[0]] + own + words.dropFirst(), in: folder.path)
  }

  /// A picture that the generator itself paints.
  private func painted(in folder: TemporaryFolder) throws -> String {
    let words = ["generate", "--seeds", "5", "red heart", "--out", "own"]
    #expect(try run(words, in: folder).status == 0)
    return "own/seed0005-red-heart.png"
  }

  @Test func `a painted picture is found, painted again from its styles, and a stop of a walk`()
    throws
  {
    let folder = try TemporaryFolder()
    let picture = try painted(in: folder)
    let outcome = try run(["project", picture, "--steps", "60"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let stem = "projected/seed0005-red-heart"
    #expect(outcome.output.hasPrefix("wrote \(stem).png, \(stem).safetensors and \(stem).webp; "))
    let found = try RGBImage(contentsOf: folder.file("\(stem).png"))
    let target = try RGBImage(contentsOf: folder.file(picture))
    func distance(_ left: RGBImage, _ right: RGBImage) -> Double {
      let squares = zip(left.pixels, right.pixels).map { pow(Double($0) - Double($1), 2) }
      return squares.reduce(0, +) / Double(squares.count)
    }
    let grey = RGBImage(width: target.width, height: target.height, filledWith: .white)
    #expect(distance(found, target) < distance(grey, target) / 10)

    let again = ["generate", "--latents", "\(stem).safetensors", "--out", "again"]
    #expect(try run(again, in: folder).status == 0)
    let repainted = try RGBImage(
      contentsOf: folder.file("again/row0000-seed0005-red-heart-safetensors.png")
    )
    #expect(repainted == found)

    // A second search of the same picture keeps the first.
    let second = try run(["project", picture, "--steps", "3", "--space", "w"], in: folder)
    #expect(second.output.contains("\(stem)-2.png"), "\(second.output)\(second.errors)")
    let stops = ["--latents", "\(stem).safetensors", "--latents", "\(stem)-2.safetensors"]
    let walk = try run(["walk", "--frames", "2", "--once", "--out", "frames"] + stops, in: folder)
    #expect(walk.output.hasPrefix("wrote frames: 3 frames"), "\(walk.errors)")
    #expect(try RGBImage(contentsOf: folder.file("frames/frame-00000.png")) == found)
    let file = try [UInt8](Data(contentsOf: URL(filePath: folder.file("frames/frame-00001.png"))))
    let text = try #require(PNGText.texts(in: file).first?.text)
    for part in [
      #""latents": "seed0005-red-heart.safetensors""#, #""to_row": 0"#, #""share": 0.5"#,
    ] {
      #expect(text.contains(part), "\(text)")
    }
  }

  @Test(arguments: [
    (["project", "missing.png"], "missing.png"),
    (["project", "text.png"], "text.png"),
    (["project", "text.png", "--steps", "0"], "--steps must be between 1 and 100000 steps, not 0"),
    (["project", "text.png", "--space", "z"], "'w' and 'w+'"),
    (["project", "text.png", "--feature-weight", "0", "--pixel-weight", "0"], "both 0"),
    (["project", "text.png", "--noise_mode", "none"], "--noise_mode const"),
    (["walk", "sun", "--latents", "a.safetensors"], "not both"),
    (["walk", "--latents", "a.safetensors", "--seeds", "1,2"], "leave --seeds"),
    (["walk", "--latents", "a.safetensors", "--latents", "b.safetensors"], "a.safetensors"),
    (["generate", "--latents", "z.safetensors"], "z.safetensors"),
  ])
  func `wrong use is one line`(words: [String], part: String) throws {
    let folder = try TemporaryFolder()
    try Data("no picture".utf8).write(to: URL(filePath: folder.file("text.png")))
    let outcome = try run(words, in: folder)
    #expect([1, 64].contains(outcome.status))
    #expect(outcome.errors.contains(part), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("projected")))
  }
}
