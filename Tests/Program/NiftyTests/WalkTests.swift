import Foundation
import Images
import TestSupport
import Testing

@Suite("nifty walk")
struct WalkCommandTests {
  private func run(
    _ words: [String],
    in folder: TemporaryFolder,
    path: String? = nil
  ) throws -> Outcome {
    let own = ["walk", "--network", "emoji", "--threads", "1"]
    return try nifty(own + words, in: folder.path, environment: path.map { ["PATH": $0] } ?? [:])
  }

  @Test func `the frames of a loop are a WebP that repeats for ever, as Pillow reads it`() throws {
    let folder = try TemporaryFolder()
    let words = ["sun", "pizza", "--seeds", "1,2", "--frames", "3", "--fps", "24", "--size", "48"]
    let outcome = try run(words + ["--out", "a.webp"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "wrote a.webp: 6 frames, 0.25 s\n")
    let script = """
      import sys
      from PIL import Image, ImageSequence
      image = Image.open(sys.argv[1])
      print(image.n_frames, image.size, image.info["loop"])
      frames = []
      for frame in ImageSequence.Iterator(image):
          frame.load(); frames.append((frame.info["duration"], frame.convert("RGB").tobytes()))
      print(sum(time for time, _ in frames), len({data for _, data in frames}))
      """
    let python = try #require(Repository.python, "run scripts/setup --tests")
    let read = try #require(
      try runProgram(python, ["-c", script, folder.file("a.webp")]),
      "run scripts/setup --tests"
    )
    // There and back: the second and the fifth frame are not the same point, as noise is the start's.
    #expect(read.output.hasPrefix("6 (48, 48) 0\n250 "), "\(read.output)")
  }

  @Test func `the stops equal the pictures of generate, and each frame stores its painting record`()
    throws
  {
    let folder = try TemporaryFolder()
    let stops = ["sun", "--seeds", "7", "--trunc", "1,0.5", "--frames", "2", "--once"]
    let outcome = try run(stops + ["--out", "frames"], in: folder)
    #expect(outcome.output == "wrote frames: 3 frames, 0.12 s\n", "\(outcome.errors)")
    for (truncation, frame) in [("1", "00000"), ("0.5", "00002")] {
      let words = ["generate", "--network", "emoji", "--threads", "1", "--seeds", "7", "sun"]
      _ = try nifty(
        words + ["--trunc", truncation, "--out", "still\(truncation)"],
        in: folder.path
      )
      let still = try RGBImage(contentsOf: folder.file("still\(truncation)/seed0007-sun.png"))
      #expect(try RGBImage(contentsOf: folder.file("frames/frame-\(frame).png")) == still)
    }
    let file = try [UInt8](Data(contentsOf: URL(filePath: folder.file("frames/frame-00001.png"))))
    let text = try #require(PNGText.texts(in: file).first?.text)
    for part in [#""to_truncation": 0.5"#, #""share": 0.5"#, #""to_prompt": "sun""#] {
      #expect(text.contains(part), "\(text)")
    }
  }

  /// A program called ffmpeg that keeps what it gets.
  private func stubbed(_ folder: TemporaryFolder, ending: String) throws -> String {
    let script = """
      #!/bin/sh
      echo "$@" > "\(folder.file("arguments"))"
      /bin/cat > "\(folder.file("received"))"
      \(ending)
      for last; do :; done
      echo film > "$last"
      """
    try folder.write(Array(script.utf8), to: "bin/ffmpeg")
    chmod(folder.file("bin/ffmpeg"), 0o755)
    return folder.file("bin")
  }

  @Test func `a film is what ffmpeg makes of the frames`() throws {
    let folder = try TemporaryFolder()
    let path = try stubbed(folder, ending: "")
    let words = ["sun", "--seeds", "1,2", "--frames", "2", "--fps", "12", "--out", "a.mp4"]
    let outcome = try run(words, in: folder, path: path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try String(contentsOfFile: folder.file("a.mp4"), encoding: .utf8) == "film\n")
    let received = try Data(contentsOf: URL(filePath: folder.file("received")))
    #expect(received.count == 4 * 64 * 64 * 3)
    let arguments = try String(contentsOfFile: folder.file("arguments"), encoding: .utf8)
    #expect(arguments.contains("-s 64x64 -r 12.0"), "\(arguments)")
  }

  @Test func `without ffmpeg, or where it fails, there is one line and no file`() throws {
    let folder = try TemporaryFolder()
    let words = ["sun", "--seeds", "1,2", "--frames", "2", "--out", "a.mp4"]
    let missing = try run(words, in: folder, path: "/nowhere")
    #expect(missing.status == 1 && missing.errors.contains("needs ffmpeg"), "\(missing.errors)")
    let path = try stubbed(folder, ending: "echo 'no such encoder' >&2; exit 3")
    let failed = try run(words, in: folder, path: path)
    #expect(failed.status == 1, "\(failed.errors)")
    #expect(failed.errors.hasSuffix("nifty: ffmpeg did not make a.mp4: no such encoder\n"))
    #expect(folder.contents.filter { $0.contains("mp4") }.isEmpty, "\(folder.contents)")
  }

  @Test(arguments: ["no/a.mp4", "no/a.webp"])
  func `a folder that is not there is known before anything is painted`(name: String) throws {
    let folder = try TemporaryFolder()
    let path = try stubbed(folder, ending: "")
    let words = ["sun", "--seeds", "1,2", "--frames", "1", "--out", name]
    let outcome = try run(words, in: folder, path: path)
    #expect(
      outcome.status == 1 && outcome.errors.contains("cannot create no/a"),
      "\(outcome.errors)"
    )
    #expect(!(outcome.output + outcome.errors).contains("frame 1"), "\(outcome)")
  }

  @Test(arguments: ["a.mp4", "a.webp"])
  func `a link that has the name is neither followed nor replaced`(name: String) throws {
    let folder = try TemporaryFolder()
    try folder.write([1], to: "other")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.file(name), withDestinationPath: "other")
    let path = try stubbed(folder, ending: "")
    let words = ["sun", "--seeds", "1,2", "--frames", "1", "--out", name]
    let outcome = try run(words, in: folder, path: path)
    #expect(outcome.status == 1 && outcome.errors.contains("there is a link"), "\(outcome.errors)")
    #expect(try files.destinationOfSymbolicLink(atPath: folder.file(name)) == "other")
    #expect(try Data(contentsOf: URL(filePath: folder.file("other"))) == Data([1]))
  }

  @Test(arguments: [
    (["sun", "--seeds", "3"], "a walk needs two stops"),
    (["sun", "moon", "star", "--seeds", "1,2"], "there are 3 stops, but 2 of --seeds"),
    (["sun", "moon", "--out", "a.gif"], "--out must end in .webp or .mp4, or name a folder"),
    (["sun", "moon", "--noise_mode", "random"], "random noise jumps"),
    (["sun", "moon", "--frames", "0"], "--frames"), (["sun", "moon", "--fps", "0"], "--fps"),
    (["sun", "--seeds", "0-9999", "--frames", "3"], "20000 are allowed"),
    (["sun", "moon", "--trunc", "1,x"], "--trunc"),
    (["sun", "moon", "--out", "frames", "--quality", "50"], "--quality is for a .webp"),
  ])
  func `an invalid walk is refused in one line`(words: [String], complaint: String) throws {
    let folder = try TemporaryFolder()
    let outcome = try run(words, in: folder)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(complaint), "\(outcome.errors)")
    #expect(folder.contents.isEmpty)
  }
}
