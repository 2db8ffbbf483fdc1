import Foundation
import Images
import Parquet
import TestSupport
import Testing

@testable import CLIP
@testable import Distributed

/// The stages one after the other on the command line, tiny but real.
@Suite("Stages")
struct StageTests {
  private static let colours: [(name: String, pixel: [UInt8])] = [
    ("red", [220, 30, 30]), ("green", [30, 180, 40]), ("blue", [30, 60, 220]),
    ("yellow", [240, 220, 40]), ("black", [10, 10, 10]), ("grey", [130, 130, 130]),
    ("pink", [250, 150, 190]), ("brown", [120, 70, 20]),
  ]
  private static let sizes = ["tiny", "small", "large"]

  /// A square of one colour on white: the caption names both.
  private static func picture(_ number: Int) throws -> (caption: String, png: [UInt8]) {
    let (colour, size) = (colours[number / sizes.count], number % sizes.count)
    let side = 32
    let inset = 12 - size * 5
    var pixels = [UInt8](repeating: 255, count: side * side * 3)
    for y in inset..<side - inset {
      for x in inset..<side - inset {
        let offset = (y * side + x) * 3
        pixels.replaceSubrange(offset..<offset + 3, with: colour.pixel)
      }
    }
    let png = try RGBImage(width: side, height: side, pixels: pixels).encodedPNG()
    return ("\(sizes[size]) \(colour.name) square\n\(colour.name)", png)
  }

  private static var count: Int { colours.count * sizes.count }

  private static func writeMetadata(to folder: String, url: (String) -> String) throws {
    try FileManager.default.createDirectory(
      atPath: folder,
      withIntermediateDirectories: true
    )
    let writer = try ParquetWriter(
      path: folder + "/part-00000-test.parquet",
      columns: [("SAMPLE_ID", .int64), ("URL", .string), ("TEXT", .string)]
    )
    for number in 0..<count {
      try writer.append([
        .int64(Int64(number)), .string(url("/\(number)")),
        .string(try picture(number).caption),
      ])
    }
    try writer.append([.int64(99), .string(url("/missing")), .string("nothing")])
    try writer.finish()
  }

  private func run(
    _ line: String,
    in folder: String,
    environment: [String: String] = [:]
  ) async throws -> Outcome {
    try await niftyAside(
      line.split(separator: " ").map(String.init),
      in: folder,
      environment: environment
    )
  }

  private func succeed(_ line: String, in folder: String) async throws -> String {
    let outcome = try await run(line, in: folder)
    #expect(outcome.status == 0, "\(line): \(outcome.errors)")
    return outcome.output
  }

  @Test func `metadata becomes pairs, a CLIP, a zip, a generator, scores and pictures`()
    async throws
  {
    let temporary = try TemporaryFolder()
    let folder = temporary.path
    var routes: [String: LoopbackServer.Answer] = [:]
    for number in 0..<Self.count { routes["/\(number)"] = .bytes(try Self.picture(number).png) }
    try await LoopbackServer.run(routes) { server in
      try Self.writeMetadata(to: folder + "/meta") { server.url($0) }
      let refused = try await run("laion --metadata meta --out none", in: folder)
      #expect(refused.status == 1 && refused.errors.contains("--allow-private-addresses"))
      let said = try await succeed(
        "laion --metadata meta --out laion --allow-private-addresses",
        in: folder
      )
      #expect(said.contains("split0: \(Self.count) pairs; failed: HTTP 404 1"))
    }
    let clip = try await succeed(
      "clip train --data laion/split0 --side 16 --kimg 0.5 --batch 8 --out clip.safetensors",
      in: folder
    )
    #expect(clip.contains("r1_en"))
    _ = try await succeed(
      "pack --source=laion/split0 --dest=data.zip --width=16 --height=16 --clip clip.safetensors",
      in: folder
    )
    let network =
      "--channel-base=64 --channel-max=8 --latent=16 --style-width=16 --map_num=2 --batch=4"
    let train =
      "train --data=data.zip --clip=clip.safetensors --kimg=0.02 --tick=0.008 --snap=1 \(network)"
    _ = try await succeed(
      train + " --outdir=pre --mixing_prob=1.0 --metrics=fd_lite0 --metric-images=8",
      in: folder
    )
    let runName = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder + "/pre").first
    )
    let snapshot = "pre/\(runName)/network-snapshot-000000.pkl"
    for name in [
      "training_options.json", "log.txt", "stats.jsonl", "reals.png", "fakes000000.png",
      "metric-fd_lite0.jsonl",
    ] {
      #expect(
        FileManager.default.fileExists(atPath: "\(folder)/pre/\(runName)/\(name)"),
        "\(name)"
      )
    }
    _ = try await succeed(
      train + " --outdir=fine --mixing_prob=0.0 --subset=10 --d_lr=0.001 --resume=\(snapshot) "
        + "--aug=ada --augpipe=bg --freezed=1 --snapshot-format=safetensors",
      in: folder
    )
    try await checkOptions(of: runName, train, in: folder)
    let scores = try await succeed(
      "metrics --network \(snapshot) --metrics judge_top1,clip_score,r_precision,clip_fid "
        + "--images 20 --captions 8 --judge clip.safetensors",
      in: folder
    )
    #expect(scores.contains("judge_chance 0.1250"))
    // Of eight real pictures.
    let real = try #require(scores.firstMatch(of: /judge_top1_real (\d\.\d+)/)?.1)
    let share = try #require(Double(real))
    #expect((0...1).contains(share) && (share * 8).truncatingRemainder(dividingBy: 1) == 0)
    for name in ["clip_score", "r_precision", "clip_fid"] {
      #expect(scores.contains(#"{"results": {"\#(name)": "#), "\(name): \(scores)")
      #expect(
        FileManager.default.fileExists(atPath: "\(folder)/pre/\(runName)/metric-\(name).jsonl")
      )
    }
    _ = try await succeed(
      "generate --network \(snapshot) --clip clip.safetensors --samples 2 --out out red 青",
      in: folder
    )
    let pictures = try FileManager.default.contentsOfDirectory(atPath: folder + "/out").sorted()
    #expect(
      pictures == [
        "seed0000-red.png", "seed0000-青.png", "seed0001-red.png", "seed0001-青.png", "sheet.png",
      ]
    )
    #expect(try RGBImage(contentsOf: folder + "/out/seed0000-red.png").width == 16)
    try await paintFromModel(made: "fine", in: folder)
    try await resumeFromWeb("\(folder)/\(snapshot)", train, in: folder)
  }

  /// A snapshot on a server is fetched once and resumed from like a file.
  private func resumeFromWeb(_ snapshot: String, _ train: String, in folder: String) async throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: snapshot)))
    let caches = ["NIFTY_CACHE": folder + "/cache"]
    try await LoopbackServer.run(["/a/network-snapshot-000000.pkl": .ranged(bytes)]) { server in
      let address = server.url("/a/network-snapshot-000000.pkl")
      for runs in ["web", "web-again"] {
        let outcome = try await run(
          train + " --outdir=\(runs) --resume=\(address)",
          in: folder,
          environment: caches
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      #expect(server.count("/a/network-snapshot-000000.pkl") == 1)
      let missing = try await run(
        train + " --outdir=nowhere --resume=" + server.url("/b.pkl"),
        in: folder,
        environment: caches
      )
      #expect(missing.status == 1 && missing.errors.contains("404"), "\(missing.errors)")
      #expect(missing.errors.split(separator: "\n").count == 1, "\(missing.errors)")
    }
    _ = try await succeed(train + " --outdir=file --resume=\(snapshot)", in: folder)
    let pictures = try ["web", "web-again", "file"].map { runs in
      let run = try only("\(folder)/\(runs)")
      #expect(run.hasSuffix("-resumecustom"))
      return try Data(contentsOf: URL(filePath: "\(folder)/\(runs)/\(run)/fakes000000.png"))
    }
    #expect(pictures[0] == pictures[1] && pictures[1] == pictures[2])
    #expect(!FileManager.default.fileExists(atPath: folder + "/nowhere"))
  }

  /// A run and its CLIP in one folder, in half precision: what is handed to others.
  private func paintFromModel(made runs: String, in folder: String) async throws {
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(runs)").first
    )
    let refused = try await run(
      "convert \(runs)/\(name) model.pkl --clip clip.safetensors",
      in: folder
    )
    #expect(refused.status == 64 && refused.errors.contains("--clip goes into a folder"))
    _ = try await succeed(
      "convert \(runs)/\(name) Models/tiny --ema-only --half --clip clip.safetensors",
      in: folder
    )
    let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/Models/tiny")
    #expect(files.sorted() == ["clip.safetensors", "config.json", "model.safetensors"])
    _ = try await succeed("generate --network tiny --samples 1 --out named red", in: folder)
    #expect(try RGBImage(contentsOf: folder + "/named/seed0000-red.png").width == 16)
    let unknown = try await run("generate --network small red", in: folder)
    #expect(unknown.errors.contains("models that come with nifty: "))
    #expect(unknown.errors.contains("tiny"))
  }

  /// A run from the options of another is that run again, and a learned mapper can be trained with.
  private func checkOptions(of run: String, _ train: String, in folder: String) async throws {
    let fine = try only("\(folder)/fine")
    #expect(fine.contains("-subset10-") && fine.hasSuffix("-ada-bg-resumecustom-freezed1"))
    let statistics = try String(
      contentsOfFile: "\(folder)/fine/\(fine)/stats.jsonl",
      encoding: .utf8
    )
    #expect(statistics.contains("\"Progress/augment\""))
    #expect(
      FileManager.default.fileExists(
        atPath: "\(folder)/fine/\(fine)/network-snapshot-000000.safetensors"
      )
    )
    _ = try await succeed(
      "train --options=pre/\(run)/training_options.json --outdir=again --metrics=none",
      in: folder
    )
    #expect(try only("\(folder)/again") == run)
    let pictures = try ["pre", "again"].map {
      try Data(contentsOf: URL(filePath: "\(folder)/\($0)/\(run)/fakes000000.png"))
    }
    #expect(pictures[0] == pictures[1])
    let learned = try await succeed(
      "clip mapper --data data.zip --steps 20 --batch 8 --out mapper.safetensors",
      in: folder
    )
    #expect(learned.contains("cosine_gaussian"))
    _ = try await succeed(
      train + " --outdir=mapped --mixing_prob=1.0 --text-mapper=mapper.safetensors",
      in: folder
    )
    let mapped = try Data(
      contentsOf: URL(filePath: "\(folder)/mapped/\(try only("\(folder)/mapped"))/fakes000000.png")
    )
    #expect(mapped != pictures[0])
    try Data("a red heart\n赤いハート\na dog\n".utf8).write(to: URL(filePath: "\(folder)/names.txt"))
    let retrieved = try await succeed(
      train + " --outdir=retrieved --mixing_prob=1.0 --text-corpus=names.txt --text-corpus-steps=2",
      in: folder
    )
    #expect(retrieved.contains("pseudo text is retrieved from 3 captions of names.txt"))
    let path = "\(folder)/retrieved/\(try only("\(folder)/retrieved"))/fakes000000.png"
    #expect(try Data(contentsOf: URL(filePath: path)) != pictures[0])
  }

  private func only(_ folder: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(names.count == 1)
    return try #require(names.first)
  }
}
