import Datasets
import Foundation
import Images
import Parquet
import TestSupport
import Testing

/// `nifty pack`, `nifty import` and `nifty dataset` as a person runs them.
@Suite("Packing")
struct PackTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Pictures that take a while: noise in many colours.
  private func writePictures(_ count: Int, side: Int) throws {
    for number in 0..<count {
      var state = UInt64(number + 1)
      let pixels = (0..<side * side * 3).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
      }
      let image = RGBImage(width: side, height: side, pixels: pixels)
      try folder.write(image.encodedPNG(level: 0), to: "in/\(number).png")
      try folder.write(Array("picture \(number)\n".utf8), to: "in/\(number).txt")
    }
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: folder.file(name)))
  }

  private func arguments(_ dest: String) -> [String] {
    [
      "pack", "--source=in", "--dest=\(dest)", "--width=16", "--height=16",
      "--transform=center-crop", "--no-clip", "--batch=4", "--threads=1", "--checkpoint=0",
    ]
  }

  @Test func `killed at any moment, the same command ends with the same bytes`() throws {
    try writePictures(120, side: 64)
    #expect(try nifty(arguments("whole.zip"), in: folder.path).status == 0)
    var (kills, resumed) = (0, 0)
    var random = SystemRandomNumberGenerator()
    // Where the program ends sooner than the moment drawn, nothing is killed: on until enough were.
    for round in 0..<40 where round < 4 || kills <= 4 || resumed <= 4 {
      let dest = "out\(round).zip"
      for _ in 0..<6 {
        let process = Process()
        process.executableURL = URL(filePath: try program())
        process.arguments = arguments(dest)
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The program takes a while to load; then from before the first checkpoint to after the end.
        let workspace = folder.file(".\(dest).packing/journal")
        while process.isRunning && !FileManager.default.fileExists(atPath: workspace) {
          usleep(2000)
        }
        usleep(UInt32.random(in: 0...300_000, using: &random))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal { kills += 1 }
        if folder.contents.contains(".\(dest).packing") { resumed += 1 }
        #expect(try !folder.contents.contains(dest) || bytes(dest) == bytes("whole.zip"))
      }
      let last = try nifty(arguments(dest), in: folder.path)
      #expect(last.status == 0, "\(last.errors)")
      #expect(try bytes(dest) == bytes("whole.zip"))
      #expect(!folder.contents.contains(".\(dest).packing"))
    }
    print("packing: \(kills) kills, \(resumed) of them with work to go on from")
    #expect(kills > 4 && resumed > 4)
  }

  /// Runs the program where no file may have more than `blocks` blocks of 512 bytes.
  private func limited(_ blocks: Int, _ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    // Without the trap the system ends the process instead of refusing the bytes.
    let script = "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\""
    process.arguments = ["-c", script, try program()] + arguments
    process.currentDirectoryURL = URL(filePath: folder.path)
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let texts = [output, errors].map { pipe in
      String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
  }

  @Test func `a full disk is reported and nothing is lost`() throws {
    try writePictures(400, side: 16)
    #expect(try nifty(arguments("whole.zip"), in: folder.path).status == 0)
    let size = try bytes("whole.zip").count
    for part in [1, 2, 4] {
      let full = try limited(part * size / 5 / 512, arguments("out.zip"))
      #expect(full.status == 1)
      let lines = full.errors.split(separator: "\n")
      #expect(lines.last?.contains("cannot write") == true, "\(full.errors)")
      #expect(!folder.contents.contains("out.zip"))
      #expect(folder.contents.contains(".out.zip.packing"))
    }
    let rest = try nifty(arguments("out.zip"), in: folder.path)
    #expect(rest.status == 0, "\(rest.errors)")
    #expect(try bytes("out.zip") == bytes("whole.zip"))
    #expect(!folder.contents.contains(".out.zip.packing"))
  }

  @Test func `datasets are described, checked, merged, exported and drawn`() throws {
    try writePictures(5, side: 16)
    try folder.write(Array("no image".utf8), to: "in/9.png")
    let packed = try nifty(arguments("a.zip"), in: folder.path)
    #expect(packed.output.contains("a.zip: 5 images of 16², 5 captions, 1 left out"))
    #expect(packed.output.contains("left out: unknown format 1"))
    let list = String(decoding: try bytes("a.zip.left-out.tsv"), as: UTF8.self)
    #expect(list.contains("9.png\tunknown format\t"))

    func run(_ line: String) throws -> Outcome {
      try nifty(line.split(separator: " ").map(String.init), in: folder.path)
    }
    let info = try run("dataset info a.zip")
    #expect(info.output.contains("images     5 of 16×16") && info.output.contains("left out   1"))
    #expect(info.output.contains("captions   5"))
    #expect(try run("dataset verify a.zip").output.contains("a.zip: 5 images, all well"))
    #expect(try run("dataset merge a.zip a.zip --dest b.zip").status == 0)
    #expect(try PackedDataset(folder.file("b.zip"), requiresFeatures: false).count == 10)
    for dest in ["folder", "set.tar", "set.parquet"] {
      #expect(try run("dataset export b.zip --dest \(dest)").status == 0)
    }
    #expect(try run("dataset export b.zip --dest images.parquet --images").status == 0)
    let set = try PackedDataset(folder.file("b.zip"), requiresFeatures: false)
    let table = try ParquetReader(path: folder.file("images.parquet"), columns: ["image", "name"])
    let batch = try #require(try table.next())
    for row in 0..<10 {
      let image = String(decoding: try set.encodedImage(at: row), as: UTF8.self)
      #expect(batch["image"].string(row) == image && batch["name"].string(row) == set.name(at: row))
    }
    #expect(try run("dataset export b.zip --dest x.tar --images").errors.contains("--images"))
    // What was exported can be packed again: same pictures, same captions.
    for source in ["folder", "set.tar"] {
      let again = try run("pack --source=\(source) --dest=\(source).zip --no-clip")
      #expect(again.output.contains("10 images of 16², 10 captions, 0 left out"), "\(again)")
    }
    #expect(try run("dataset export b.zip --dest folder").errors.contains("is there already"))
    let grid = try run("dataset grid a.zip --count 3 --out grid.png")
    #expect(grid.status == 0 || grid.errors.contains("no installed font"))

    var damaged = try bytes("a.zip")
    damaged[200] ^= 0xff
    try damaged.write(to: URL(filePath: folder.file("bad.zip")))
    let bad = try run("dataset verify bad.zip")
    #expect(bad.status == 1 && bad.errors.contains("00000/img00000000.webp: its checksum differs"))
  }

  @Test func `sources that would become one zip are refused before anything is packed`() throws {
    for parent in ["a", "b"] {
      try writePictures(1, side: 16)
      try FileManager.default.createDirectory(
        atPath: folder.file(parent),
        withIntermediateDirectories: true
      )
      try FileManager.default.moveItem(
        atPath: folder.file("in"),
        toPath: folder.file("\(parent)/train")
      )
    }
    try folder.write([], to: "out/keep")
    func pack(_ sources: String...) throws -> Outcome {
      try nifty(
        ["pack", "--dest=out", "--no-clip"] + sources.map { "--source=\($0)" },
        in: folder.path
      )
    }
    let twice = try pack("a/train", "b/train")
    #expect(twice.status == 1 && twice.errors.split(separator: "\n").count == 1)
    #expect(twice.errors.contains("a/train and b/train would both become out/train.zip"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")) == ["keep"])
    #expect(try pack("a/train").status == 0)
    #expect(try pack("out/train.zip").errors.contains("would be overwritten by its own zip"))
  }

  @Test func `verify looks at every zip, whatever is wrong with the one before`() throws {
    try writePictures(2, side: 16)
    #expect(try nifty(arguments("good.zip"), in: folder.path).status == 0)
    try folder.write(Array("no zip".utf8), to: "bad.zip")
    let found = try nifty(["dataset", "verify", "bad.zip", "good.zip"], in: folder.path)
    #expect(found.status == 1 && found.output.contains("good.zip: 2 images, all well"))
    #expect(found.errors.contains("bad.zip is not a readable zip"))
    #expect(found.errors.contains("1 damaged dataset;"))
  }

  @Test func `a folder is renamed to its final name when complete, also after a killed run`()
    throws
  {
    try writePictures(3, side: 16)
    #expect(try nifty(arguments("a.zip"), in: folder.path).status == 0)
    // What a killed run leaves, and a file that does not belong there.
    try folder.write([1], to: ".out.partial/00000/img00000009.webp")
    let export = ["dataset", "export", "a.zip", "--dest", "out"]
    #expect(try nifty(export, in: folder.path).status == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("out/00000"))
    #expect(names.count == 6 && !names.contains("img00000009.webp"))
    #expect(folder.contents == ["a.zip", "in", "out"])
    // One that fails leaves no folder under the name.
    var damaged = try bytes("a.zip")
    damaged[damaged.count / 3] ^= 0xff
    try damaged.write(to: URL(filePath: folder.file("bad.zip")))
    let failed = try nifty(["dataset", "export", "bad.zip", "--dest", "bad"], in: folder.path)
    #expect(failed.status == 1 && !folder.contents.contains("bad"))
  }

  @Test func `all that an import misses is listed in a file, and some of it on the screen`() throws
  {
    try writePictures(1, side: 16)
    let images = (0..<30).map { #"{"id": \#($0), "file_name": "\#($0).png"}"# }
    let json =
      #"{"images": [\#(images.joined(separator: ","))], "annotations": ["#
      + #"{"image_id": 0, "caption": "zero"}, {"image_id": 99, "caption": "stray"}]}"#
    try folder.write(Array(json.utf8), to: "coco/annotations/captions_val2014.json")
    try FileManager.default.moveItem(atPath: folder.file("in"), toPath: folder.file("coco/val2014"))
    let line = ["import", "coco", "--root=coco", "--split=val", "--dest=out"]
    let refused = try nifty(line, in: folder.path)
    #expect(refused.errors.contains("29 files are missing, all listed in out.missing.txt"))
    #expect(refused.errors.components(separatedBy: "missing: ").count == 21)
    let list = String(decoding: try bytes("out.missing.txt"), as: UTF8.self)
    #expect(list.split(separator: "\n").count == 29 && list.contains("coco/val2014/29.png\n"))
    #expect(try nifty(line + ["--allow-missing"], in: folder.path).status == 0)
    let told = String(decoding: try bytes("out.left-out.tsv"), as: UTF8.self)
    #expect(told.contains("image 99\tcaption of an unknown image\tstray"))
    #expect(!folder.contents.contains(".out.partial"))
  }

  @Test func `an import compares its number of images with the published one`() throws {
    try writePictures(2, side: 16)
    let json = """
      {"images": [{"id": 0, "file_name": "0.png"}, {"id": 1, "file_name": "1.png"},
      {"id": 7, "file_name": "7.png"}], "annotations": [{"image_id": 0, "caption": "zero"}]}
      """
    try folder.write(Array(json.utf8), to: "coco/annotations/captions_val2014.json")
    try FileManager.default.moveItem(atPath: folder.file("in"), toPath: folder.file("coco/val2014"))
    let line = ["import", "coco", "--root", "coco", "--split", "val", "--dest"]
    let refused = try nifty(line + ["out"], in: folder.path)
    #expect(refused.status == 1)
    #expect(refused.errors.contains("missing: coco/val2014/7.png"))
    #expect(refused.errors.contains("2 images, 40504 were published, 1 file missing"))
    #expect(!folder.contents.contains("out"))
    #expect(try nifty(line + ["out", "--allow-missing"], in: folder.path).status == 0)
    #expect(try String(contentsOfFile: folder.file("out/0.txt"), encoding: .utf8) == "zero\n")
    let zip = try nifty(line + ["out.zip", "--allow-missing", "--no-clip"], in: folder.path)
    #expect(zip.output.contains("2 images of 16², 1 caption"), "\(zip.errors)")
  }

  @Test(arguments: [
    ("--no-clip --clip c", "--no-clip"), ("", "--no-clip"), ("--no-clip --quality=0", "--quality"),
    ("--no-clip --width=16 --height=8", "--height"),
    ("--no-clip --transform=center-crop", "--width"),
    ("--no-clip --transform=zoom", "center-crop"), ("--no-clip --threads=0", "--threads"),
    ("--no-clip --mirror-features", "--mirror-features"),
    ("--no-clip --transform=center-crop-wide --width=8 --height=16", "--height"),
  ])
  func `a wrong flag says what is allowed`(flags: String, expected: String) throws {
    let words = ["pack", "--source=s", "--dest=d"] + flags.split(separator: " ").map(String.init)
    let outcome = try nifty(words)
    #expect(outcome.status == 64 && outcome.errors.contains(expected), "\(outcome.errors)")
  }
}
