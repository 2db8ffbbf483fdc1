import Foundation
import Images
import Snapshots
import TestSupport
import Testing
import Torch

/// Class labels from packing to pictures, with the real program.
@Suite("Classes on the command line")
struct ClassCommandTests {
  private let fixture: TrainingFixture

  init() throws {
    fixture = try TrainingFixture()
    let labels = (0..<12).map { "[\"\($0).png\", \($0 % 3)]" }.joined(separator: ", ")
    try pack("labelled", labels: labels)
  }

  private func pack(_ name: String, labels: String) throws {
    try fixture.folder.write(Array("{\"labels\": [\(labels)]}".utf8), to: "pairs/dataset.json")
    _ = try succeed(
      "pack --source=pairs --dest=\(name).zip --width=16 --height=16 --clip clip.safetensors"
    )
  }

  @discardableResult
  private func succeed(_ line: String) throws -> Outcome {
    let outcome = try fixture.run(line)
    #expect(outcome.status == 0, "\(line): \(outcome.errors)")
    return outcome
  }

  private func refuse(_ line: String, _ expected: String, status: Int32 = 1) throws {
    let outcome = try fixture.run(line)
    #expect(outcome.status == status && outcome.errors.contains(expected), "\(outcome.errors)")
    if status == 1 { #expect(outcome.errors.split(separator: "\n").count == 1) }
  }

  private static let train =
    "train --clip=clip.safetensors --outdir=runs --batch=4 --channel-base=64 --channel-max=8 "
    + "--latent=8 --style-width=8 --map_num=2 --metrics=none --tick=0.004 --snap=1 "

  /// Trains on classes for two steps; returns the run's folder.
  private func trained(_ format: String = "safetensors") throws -> String {
    let line = Self.train + "--data=labelled.zip --cond=1 --kimg=0.008 --snapshot-format=\(format)"
    let outcome = try succeed(line)
    #expect(outcome.output.contains("class labels of 3 numbers"))
    let run = try fixture.only("runs")
    #expect(run.contains("-cond-"))
    return run
  }

  private func picture(_ path: String) throws -> RGBImage {
    try RGBImage(contentsOf: fixture.path(path))
  }

  @Test(arguments: ["safetensors", "pkl"])
  func `a run on classes paints them, is continued and starts another`(format: String) throws {
    let run = try trained(format)
    // Three rows of eight pictures of a class each.
    for name in ["reals.png", "fakes000000.png"] {
      let grid = try picture("\(run)/\(name)")
      #expect((grid.width, grid.height) == (8 * 16, 3 * 16), "\(name)")
    }
    let generate = "generate --network \(run) --threads 1 "
    _ = try succeed(generate + "--class 1 --seeds 5 --out one picture")
    let said = try succeed(generate + "--class 0-2 --seeds 5 --out all picture").output
    #expect(said == "3 images and sheet.png in all\n")
    let names = (0...2).map { "all/seed0005-class-\($0)-picture.png" }
    let pictures = try names.map(picture)
    #expect(pictures[0] != pictures[1] && pictures[1] != pictures[2])
    #expect(try picture("one/seed0005-class-1-picture.png") == pictures[1])
    let file = try Data(contentsOf: URL(filePath: fixture.path(names[1])))
    #expect(file.range(of: Data(#"{"prompt": "picture", "class": 1, "seed": 5"#.utf8)) != nil)
    // Another format holds the same.
    let other = format == "pkl" ? "copy.safetensors" : "copy.pkl"
    _ = try succeed("convert \(run) \(other)")
    _ = try succeed(
      "generate --network \(other) --clip clip.safetensors --threads 1 --class 1 --seeds 5 --out copy picture"
    )
    #expect(try picture("copy/seed0005-class-1-picture.png") == pictures[1])
    _ = try succeed("train --continue=\(run) --kimg=0.012")
    let snapshot = try #require(
      try FileManager.default.contentsOfDirectory(atPath: fixture.path(run))
        .first { $0.hasPrefix("network-snapshot-") }
    )
    let resume = "--resume=\(run)/\(snapshot) --kimg=0.004 --data=labelled.zip "
    _ = try succeed(Self.train.replacing("=runs", with: "=more") + resume + "--cond=1")
    try refuse(
      Self.train.replacing("=runs", with: "=none") + resume + "--cond=0",
      "takes class labels of 3 numbers, the run takes no class labels; train with --cond=1"
    )
    #expect(!FileManager.default.fileExists(atPath: fixture.path("none")))
    try refuse(
      "train --continue=\(run) --kimg=0.016 --cond=0",
      "training_set_kwargs.use_labels is true there, not false"
    )
  }

  @Test func `classes that are missing, unknown or needless are refused in one line`() throws {
    let run = try trained()
    let network = "\(run)/network-snapshot-000000.safetensors"
    try refuse(
      "generate --network \(run) --out none picture",
      "\(network) paints classes 0 to 2; choose one by --class"
    )
    try refuse(
      "generate --network \(run) --class 1,3 --out none picture",
      "--class 1,3: \(network) paints classes 0 to 2"
    )
    for bad in ["x", "2-1", "1+", "1+1", "-1", "0-99999"] {
      try refuse(
        "generate --network \(run) --class=\(bad) --out none picture",
        "The value '\(bad)' is invalid for '--class <class>'",
        status: 64
      )
    }
    try refuse(
      "generate --network emoji --class 0 --out none sun",
      "has no classes; leave --class out"
    )
    try refuse("studio --network \(run) --port 0", "paint with nifty generate --class")
    #expect(!FileManager.default.fileExists(atPath: fixture.path("none")))
    try refuse(
      Self.train + "--data=data.zip --cond=1 --kimg=0.004",
      "--cond=1: data.zip has no class labels; pack its source with labels in dataset.json"
    )
    try pack(
      "uneven",
      labels: (0..<12).map { "[\"\($0).png\", [1\($0 == 7 ? "" : ", 0")]]" }.joined(separator: ", ")
    )
    try refuse(
      Self.train + "--data=uneven.zip --cond=1 --kimg=0.004",
      "has a list of 1 number as its label, uneven.zip: "
    )
  }

  @Test func `without a text a picture has its seed's own feature, and it is said`() throws {
    let run = try trained()
    let line = "generate --network \(run) --threads 1 --class 2 --seeds 3 --out"
    for folder in ["a", "b"] {
      let outcome = try succeed("\(line) \(folder)")
      #expect(outcome.errors == "no text is given: each seed has a random feature in its place\n")
    }
    #expect(try picture("a/seed0003-class-2.png") == picture("b/seed0003-class-2.png"))
    try refuse(
      "\(line) c --clip clip.safetensors",
      "--clip reads texts and pictures: give one",
      status: 64
    )
  }

  @Test func `lists of conditions train, and several hold at once`() throws {
    try pack(
      "multi",
      labels: (0..<12).map { "[\"\($0).png\", [\($0 % 2), 0.5, \($0 % 3)]]" }
        .joined(separator: ", ")
    )
    _ = try succeed(Self.train + "--data=multi.zip --cond=1 --kimg=0.004")
    let run = try fixture.only("runs")
    _ = try succeed("generate --network \(run) --threads 1 --class 0,0+2 --seeds 1 --out m picture")
    let names = ["m/seed0001-class-0-picture.png", "m/seed0001-class-0-2-picture.png"]
    #expect(try picture(names[0]) != picture(names[1]))
    let file = try Data(contentsOf: URL(filePath: fixture.path(names[1])))
    #expect(file.range(of: Data(#""class": [0, 2]"#.utf8)) != nil)
  }

  @Test func `metrics take each image's class from the data, which must have it`() throws {
    let run = try trained()
    let metrics =
      "metrics --network=\(run) --metrics=clip_score --images=8 --judge=clip.safetensors "
    let own = try succeed(metrics + "--data=labelled.zip").output
    try pack(
      "turned",
      labels: (0..<12).map { "[\"\($0).png\", \(2 - $0 % 3)]" }.joined(separator: ", ")
    )
    let other = try succeed(metrics + "--data=turned.zip").output
    let score = { (text: String) in text.split(separator: "\n").last { $0.hasPrefix("clip_score ") }
    }
    // The same captions, latents and noise under other classes.
    let line = { (text: String) in text.firstMatch(of: /"clip_score": ([-0-9.e]+)/)?.1 }
    #expect(score(own) != nil && line(own) != nil && line(own) != line(other))
    try refuse(metrics + "--data=data.zip", "paints classes: data.zip has no class labels")
    _ = try succeed(
      "walk --network \(run) --threads 1 picture --class 0-2 --frames 2 --once --out walk"
    )
    let frames = try FileManager.default.contentsOfDirectory(atPath: fixture.path("walk"))
    #expect(frames.count == 5, "\(frames)")
  }

  @Test func `a StyleGAN2-ADA network paints its classes without a text`() throws {
    let path = Repository.root.appending(
      path: "Tests/Model/SnapshotsTests/Fixtures/stylegan2-ada-labels.pkl"
    ).path
    let outcome = try succeed(
      "generate --network \(path) --threads 1 --class 0-2 --seeds 1 --out ada"
    )
    #expect(outcome.output == "3 images and sheet.png in ada\n" && outcome.errors.isEmpty)
    #expect(try picture("ada/seed0001-class-2.png").width == 8)
    // Its untrained classes differ by less than a level of a picture.
    _ = try succeed(
      "generate --network \(path) --threads 1 --class 0-2 --seeds 1 --out ada.safetensors"
    )
    let images = try #require(SafeTensors(path: fixture.path("ada.safetensors"))["img"])
    let rows = (0...2).map { images.selected(0, $0).floats }
    #expect(rows[0] != rows[1] && rows[1] != rows[2])
    try refuse(
      "generate --network \(path) --class 0 --out none sun",
      "paints without texts, as StyleGAN2-ADA's networks do"
    )
    try refuse("generate --network \(path) --seeds 1 --out none", "choose one by --class")
  }
}
