import Foundation
import Images
import TestSupport
import Testing

@Suite("Animate")
struct AnimateTests {
  private func run(_ line: String, in folder: TemporaryFolder) throws -> Outcome {
    try nifty(line.split(separator: " ").map(String.init), in: folder.path)
  }

  /// One colour, so that a lossy frame is that colour.
  private func grid(_ level: UInt8, side: Int = 40) throws -> [UInt8] {
    try RGBImage(
      width: side + 8,
      height: side,
      pixels: [UInt8](repeating: level, count: (side + 8) * side * 3)
    ).encodedPNG()
  }

  @Test func `the grids of a run become frames in their order, as Pillow reads them`() throws {
    let folder = try TemporaryFolder()
    for (number, name) in ["000000", "000004", "000012", "1000000"].enumerated() {
      try folder.write(try grid(UInt8(40 * number)), to: "run/fakes\(name).png")
    }
    try folder.write([1, 2, 3], to: "run/fakes-other.png")
    let outcome = try run("animate run --out a.webp --fps 5 --quality 100", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "wrote a.webp: 4 pictures of 48×40\n")
    let script = """
      import sys
      from PIL import Image, ImageSequence
      image = Image.open(sys.argv[1])
      print(image.n_frames, image.size, image.info["loop"])
      for frame in ImageSequence.Iterator(image):
          frame.load(); print(frame.info["duration"], frame.convert("RGB").getpixel((20, 20))[0])
      """
    let python = try #require(Repository.python, "run scripts/setup --tests")
    let read = try #require(
      try runProgram(python, ["-c", script, folder.file("a.webp")]),
      "run scripts/setup --tests"
    )
    #expect(read.output == "4 (48, 40) 0\n200 0\n200 40\n200 80\n1600 120\n")

    let thin = try run("animate run --out b.webp --every 3", in: folder)
    #expect(thin.output == "wrote b.webp: 2 pictures of 48×40\n")
  }

  @Test func `what is wrong is one line`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "empty/log.txt")
    try folder.write(try grid(1), to: "mixed/fakes000000.png")
    try folder.write(try grid(1, side: 20), to: "mixed/fakes000001.png")
    try folder.write([0x89, 0x50], to: "cut/fakes000000.png")
    for (line, expected) in [
      ("animate empty --out a.webp", "empty holds no pictures as fakes000012.png"),
      ("animate mixed --out a.webp", "mixed/fakes000001.png is 28×20, fakes000000.png is 48×40"),
      ("animate cut --out a.webp", "cut/fakes000000.png"),
    ] {
      let outcome = try run(line, in: folder)
      #expect(outcome.status == 1 && outcome.errors.contains(expected), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
    let wrong = try run("animate mixed --out a.gif", in: folder)
    #expect(wrong.status == 64 && wrong.errors.contains("--out must end in .webp"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("a.webp")))
  }
}
