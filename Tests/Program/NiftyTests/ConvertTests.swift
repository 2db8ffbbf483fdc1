import Foundation
import TestSupport
import Testing

@Suite("nifty convert")
struct ConvertTests {
  private static let snapshot: String = {
    Repository.path("Tests/Model/SnapshotsTests/Fixtures/network-snapshot-000012.pkl")
  }()

  @Test func `a pickle becomes a folder, and the folder a pickle again`() throws {
    let folder = try TemporaryFolder()
    let there = try nifty(["convert", Self.snapshot, folder.file("model")])
    #expect(there.status == 0, "\(there.errors)")
    #expect(there.output == "wrote \(folder.file("model"))/model.safetensors, 12 kimg\n")
    // The fixture has a setting that only Python can hold.
    #expect(there.errors == "nifty: args.device is an object of Python and is left out\n")
    let back = try nifty(["convert", folder.file("model"), folder.file("back.pkl")])
    #expect(back.status == 0 && back.errors.isEmpty, "\(back.errors)")
    let again = try nifty(["convert", folder.file("back.pkl"), folder.file("again.safetensors")])
    #expect(again.status == 0, "\(again.errors)")
    let files = ["model/model.safetensors", "again.safetensors"]
    let bytes = try files.map { try Data(contentsOf: URL(filePath: folder.file($0))) }
    #expect(bytes[0] == bytes[1])
    #expect(folder.contents == ["again.safetensors", "back.pkl", "config.json", "model"])
  }

  @Test(arguments: [
    ("x.bin", [], Int32(64), "must end in .pkl, .safetensors or .onnx"),
    ("x.pkl", ["--ema-only"], 64, "the original needs G, D and G_ema"),
    ("nowhere/x.pkl", [], 1, "No such file or directory"),
  ])
  func `a wrong target is one clear error`(
    target: String,
    flags: [String],
    status: Int32,
    reason: String
  ) throws {
    let folder = try TemporaryFolder()
    let outcome = try nifty(["convert", Self.snapshot, folder.file(target)] + flags)
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(folder.contents.isEmpty)
  }

  @Test func `a card says what is not known, and replaces none that is there`() throws {
    let folder = try TemporaryFolder()
    let command = ["convert", Self.snapshot, folder.file("coco"), "--ema-only", "--card"]
    let outcome = try nifty(command)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.contains(
        "coco/README.md; it does not know the licence (--license), how it was"
      )
    )
    let path = folder.file("coco/README.md")
    #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("---\nlicense: other\n"))
    try "mine".write(toFile: path, atomically: true, encoding: .utf8)
    let again = try nifty(command)
    #expect(again.status == 1 && again.errors.contains("it is there already"), "\(again.errors)")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    mkdir(folder.file("linked"), 0o755)
    symlink("nowhere", folder.file("linked/README.md"))
    let linked = try nifty(["convert", Self.snapshot, folder.file("linked"), "--card"])
    #expect(linked.status == 1 && linked.errors.contains("a link of this name"), "\(linked.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("linked")) == ["README.md"]
    )
    for (flags, reason) in [
      (["--card", "--license", "a b"], "--license is an identifier"),
      (["--license", "mit"], "--license is for --card"),
    ] {
      let refused = try nifty(["convert", Self.snapshot, folder.file("other")] + flags)
      #expect(refused.status == 64 && refused.errors.contains(reason), "\(refused.errors)")
    }
    let file = try nifty(["convert", Self.snapshot, folder.file("x.safetensors"), "--card"])
    #expect(
      file.status == 64 && file.errors.contains("--card goes into a folder"),
      "\(file.errors)"
    )
  }

  @Test func `a snapshot does not replace itself`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("network-snapshot-000012.pkl")
    try FileManager.default.copyItem(atPath: Self.snapshot, toPath: path)
    let outcome = try nifty(["convert", folder.path, path])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("would replace what it is made from"), "\(outcome.errors)")
  }
}
