import CLIP
import Foundation
import Images
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// `nifty convert … x.onnx` with the model that comes with nifty, painted by onnxruntime and by nifty.
@Suite("nifty convert to ONNX")
struct ExportCommandTests {
  private static let network = Repository.path("Models/emoji")
  private static let clip = Repository.path("Models/emoji/clip.safetensors")
  private static let prompts = ["red heart", "sun", "赤いハート"]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func succeed(_ arguments: [String]) throws -> String {
    let outcome = try nifty(arguments, in: folder.path)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(arguments): \(outcome.errors)")
    return outcome.output
  }

  @Test(
    .enabled(if: ONNXRuntime.isInstalled, ONNXRuntime.reason),
    .enabled(if: Repository.vocabulary != nil, "scripts/setup brings CLIP's vocabulary"),
    arguments: [false, true]
  )
  func `onnxruntime paints what nifty paints, from texts on`(half: Bool) throws {
    let flags = half ? ["--half"] : []
    let written = try succeed(["convert", Self.network, "emoji.onnx"] + flags)
    #expect(
      written == "wrote emoji.onnx, 24 kimg, \(half ? "12.9" : "25.4") MB, "
        + "from z, feature, truncation, noise\n"
    )
    let text = try succeed(["convert", Self.clip, "text.onnx"] + flags)
    #expect(
      text == "wrote text.onnx, the text tower with quick-gelu (stated in the file), "
        + "\(half ? "1.8" : "3.5") MB, from tokens\n"
    )
    let lines = try succeed(["clip", "tokens", Self.clip] + Self.prompts).split(separator: "\n")
    let ids = try lines.flatMap { try JSONDecoder().decode([Int64].self, from: Data($0.utf8)) }
    let tokens = Tensor(ids, shape: [3, 20])
    let features = try ONNXRuntime.run(folder.file("text.onnx"), [["tokens": tokens]])
    let feature = try #require(features.first?["feature"])
    let model = try ClipModel(path: Self.clip, towers: .texts)
    let own = try model.features(of: Self.prompts).normalized()
    expectClose(feature, own, rtol: 0, atol: 1e-6, "features")

    for batch in [1, 3] {
      let z = SeededRandom(seed: 1).normal([batch, 512])
      try compare(z: z, feature: feature.sliced(0, 0..<batch))
    }
  }

  private func compare(z: Tensor, feature: Tensor) throws {
    try SafeTensors.write([("z", z), ("fts", feature)], to: folder.file("latents.safetensors"))
    let settings: [(truncation: Double, mode: String)] = [
      (1, "const"), (1, "none"), (0.5, "const"), (0.5, "none"),
    ]
    let runs = settings.map { setting in
      [
        "z": z, "feature": feature, "truncation": Tensor(scalar: setting.truncation),
        "noise": Tensor(scalar: setting.mode == "const" ? 1 : 0),
      ]
    }
    let outputs = try ONNXRuntime.run(folder.file("emoji.onnx"), runs)
    for (setting, output) in zip(settings, outputs) {
      let words =
        "generate --latents latents.safetensors --out images.safetensors --threads 1 "
        + "--trunc \(setting.truncation) --noise_mode \(setting.mode) --network"
      try succeed(words.split(separator: " ").map(String.init) + [Self.network])
      let images = try #require(SafeTensors(path: folder.file("images.safetensors"))["img"])
      let painted = try #require(output["image"])
      #expect((images - images.mean()).squared().mean().item > 0.05)
      expectClose(painted, images, rtol: 0, atol: 1e-4, "\(setting)")
    }
  }

  @Test func `float16 as the type of computation is for graphs of generators`() throws {
    let refused = [
      (
        ["convert", Self.network, "a.safetensors", "--half-compute"], "--half-compute is for .onnx"
      ),
      (["convert", Self.clip, "a.onnx", "--half-compute"], "is a CLIP: give --half"),
      (["convert", Self.clip, "a.onnx", "--ema-only"], "--ema-only is for safetensors"),
    ]
    for (arguments, reason) in refused {
      let outcome = try nifty(arguments, in: folder.path)
      #expect(outcome.status != 0 && outcome.errors.contains(reason), "\(outcome.errors)")
    }
    #expect(folder.contents.isEmpty)
    try succeed(["convert", Self.network, "a.onnx", "--half-compute"])
    try succeed(["convert", Self.network, "b.onnx", "--half"])
    // Its weights came in float16, and no block of it runs in reduced precision.
    #expect(try bytes(of: folder.file("a.onnx")) == bytes(of: folder.file("b.onnx")))
  }

  @Test(
    .enabled(if: ONNXRuntime.isInstalled, ONNXRuntime.reason),
    arguments: ["network-snapshot-000012.pkl", "stylegan2-ada-labels.pkl"]
  )
  func `pickles of LAFITE and of StyleGAN2-ADA become graphs`(name: String) throws {
    let pickle = Repository.path("Tests/Model/SnapshotsTests/Fixtures/\(name)")
    try succeed(["convert", pickle, "x.onnx"])
    let generator = try NetworkSnapshot(path: pickle).averagedGenerator()
    let (shape, random) = (generator.configuration, SeededRandom(seed: 1))
    let z = random.normal([2, shape.zDimension])
    let feature = random.normal([2, max(shape.featureDimension, 1)]).normalized()
    let label = shape.labelDimension.map { random.uniform([2, $0]) }
    var inputs = ["z": z, "truncation": Tensor(scalar: 0.7), "noise": Tensor(scalar: 1)]
    inputs["label"] = label
    if shape.featureDimension > 0 { inputs["feature"] = feature }
    let expected = withoutGradients {
      generator(z, fts: feature, labels: label, truncation: 0.7, noiseMode: .constant)
    }
    let outputs = try ONNXRuntime.run(folder.file("x.onnx"), [inputs])
    expectClose(try #require(outputs.first?["image"]), expected, rtol: 1e-4, atol: 1e-4, name)
  }

  @Test(.enabled(if: ONNXRuntime.isInstalled, ONNXRuntime.reason))
  func `the metadata says what belongs together`() throws {
    try succeed(["convert", Self.network, "emoji.onnx"])
    try succeed(["convert", Self.clip, "text.onnx"])
    let script = """
      import onnx, sys
      for path in sys.argv[1:]:
          model = onnx.load(path)
          entries = {entry.key: entry.value for entry in model.metadata_props}
          print(model.producer_name, model.opset_import[0].version, entries["clip_sha256"][:8],
                entries["feature_width"], entries.get("resolution"), entries.get("kimg"),
                entries.get("network_sha256", "-")[:8], entries.get("vocabulary", "-")[:8])
      """
    let python = try #require(Repository.python)
    let files = [folder.file("emoji.onnx"), folder.file("text.onnx")]
    let result = try #require(try runProgram(python, ["-B", "-c", script] + files))
    #expect(
      result.output
        == "nifty 17 ec62e91c 512 64 24 52526001 -\nnifty 17 ec62e91c 512 None None - [0,1,2,3\n"
    )
  }

  @Test(
    .enabled(if: ONNXRuntime.isInstalled, ONNXRuntime.reason),
    .enabled(if: Repository.vocabulary != nil, "scripts/setup brings CLIP's vocabulary")
  )
  func `the example of the guide runs as it stands`() throws {
    let guide = try String(
      contentsOfFile: Repository.path("Documentation/guides/export.md"),
      encoding: .utf8
    )
    let fenced = try #require(guide.split(separator: "```").dropFirst().first)
    let example = fenced.dropFirst("python\n".count)
    let copy = folder.file("clip.safetensors")
    try FileManager.default.copyItem(atPath: Self.clip, toPath: copy)
    try succeed(["convert", Self.network, "emoji.onnx"])
    try succeed(["convert", copy, "clip-text.onnx"])
    let python = try #require(Repository.python)
    let tools = URL(filePath: try program()).deletingLastPathComponent().path
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let outcome = try nifty(
      ["-B", "-c", String(example)],
      in: folder.path,
      environment: ["PATH": "\(tools):\(path)"],
      program: python
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    let picture = try RGBImage(contentsOf: folder.file("painted.png"))
    #expect((picture.width, picture.height) == (192, 64))
    // A red heart's middle is red.
    let middle = picture.pixels[(32 * 192 + 28) * 3..<(32 * 192 + 28) * 3 + 3]
    #expect(middle.first.map { $0 > 180 } == true && middle.dropFirst().allSatisfy { $0 < 120 })
  }

  @Test func `what holds neither network nor CLIP is one clear error`() throws {
    try SafeTensors.write(
      [("visual.conv1.weight", Tensor([Float](repeating: 0, count: 12), shape: [1, 3, 2, 2]))],
      to: folder.file("image-tower.safetensors")
    )
    try NetworkSnapshot.write(
      to: folder.file("no-average.safetensors"),
      networks: [(.generator, smallGenerator())],
      generator: .small(styleWidth: 8),
      discriminator: nil,
      imagesSeen: 0
    )
    try folder.write(Array("text".utf8), to: "notes.txt")
    let whole = try Data(contentsOf: URL(filePath: Self.clip))
    try folder.write(Array(whole.dropLast(9)), to: "cut.safetensors")
    let before = folder.contents
    for (arguments, status, reason) in [
      (
        ["convert", "image-tower.safetensors", "x.onnx"], Int32(1),
        "holds neither a network (not a network snapshot (it describes no generator)) nor a CLIP "
          + "(no CLIP: it has no tensor text_projection)"
      ),
      (["convert", "notes.txt", "x.onnx"], 1, "notes.txt holds neither a network"),
      (
        ["convert", "cut.safetensors", "x.onnx"], 1,
        "cut.safetensors is not a valid safetensors file: it ends too early"
      ),
      (["convert", "no-average.safetensors", "x.onnx"], 1, "it holds no G_ema"),
      (["convert", "nothing.pkl", "x.onnx"], 1, "no snapshot, folder or model called nothing.pkl"),
      (["convert", Self.network, "nowhere/x.onnx"], 1, "No such file or directory"),
      (["convert", Self.network, "x.onxx"], 64, "must end in .pkl, .safetensors or .onnx"),
      (["convert", Self.network, "x.onnx", "--clip", "c"], 64, "--clip goes into a folder"),
      (["clip", "convert", Self.clip, "--out", "x.onnx"], 64, "nifty convert \(Self.clip) x.onnx"),
    ] {
      let outcome = try nifty(arguments, in: folder.path)
      #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(reason), "\(outcome.errors)")
      if status == 1 { #expect(outcome.errors.split(separator: "\n").count == 1) }
      #expect(outcome.output.isEmpty && folder.contents == before, "\(folder.contents)")
    }
  }

  @Test func `an existing file is replaced whole, and never a folder or the source`() throws {
    try folder.write(Array("old".utf8), to: "x.onnx")
    try folder.write([], to: "folder.onnx/inside")
    try succeed(["convert", Self.network, "x.onnx"])
    let size = try FileManager.default.attributesOfItem(atPath: folder.file("x.onnx"))[.size]
    #expect((size as? Int ?? 0) > 20_000_000)
    let refused = try nifty(["convert", Self.network, "folder.onnx"], in: folder.path)
    #expect(refused.status == 1 && refused.errors.contains("there is a folder of this name"))
    let source = folder.file("source.onnx")
    try FileManager.default.copyItem(atPath: Self.clip, toPath: source)
    let itself = try nifty(["convert", source, source], in: folder.path)
    #expect(itself.status == 1 && itself.errors.contains("it would replace what it is made from"))
    #expect(folder.contents == ["folder.onnx", "source.onnx", "x.onnx"])
  }

  @Test(.enabled(if: SmallDisk.isAvailable, SmallDisk.reason))
  func `a full disk is one line, and nothing is left`() throws {
    try #require(try SmallDisk.mount(folder.path, kilobytes: 8_000))
    defer { SmallDisk.unmount(folder.path) }
    let outcome = try nifty(["convert", Self.network, folder.file("x.onnx")])
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("No space left on device; free some space"))
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(folder.contents.isEmpty)
  }
}
