import Foundation
import TestSupport
import Testing
import Training

/// `nifty train --dry-run` beside the original's.
@Suite("Golden train options")
struct TrainOptionsTests {
  private static let goldens: String = {
    if let named = ProcessInfo.processInfo.environment["NIFTY_GOLDENS"] { return named }
    return Repository.goldens.path
  }()

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("datasets"),
      withIntermediateDirectories: true
    )
    try FileManager.default.copyItem(
      atPath: Self.goldens + "/dataset/shapes64.zip",
      toPath: folder.file("datasets/shapes64.zip")
    )
  }

  private func dryRun(_ arguments: String) throws -> [String: Any] {
    let words = arguments.split(separator: " ").map(String.init)
    let outcome = try nifty(["train"] + words + ["--dry-run"], in: folder.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(json as? [String: Any])
  }

  private static let data =
    "--outdir=training-runs --data=datasets/shapes64.zip --test_data=datasets/shapes64.zip "
    + "--clip=clip.safetensors"

  @Test func `every option of the recorded dry run is there with its value`() throws {
    let text = try String(
      contentsOfFile: Self.goldens + "/train_dry_run.txt",
      encoding: .utf8
    )
    let start = try #require(text.range(of: "{\n")?.lowerBound)
    let end = try #require(text.range(of: "\n}\n")?.upperBound)
    let recorded = try JSONSerialization.jsonObject(with: Data(text[start..<end].utf8))
    let own = try dryRun(
      Self.data + " --itd=5 --gamma=10 --kimg=1 --batch=8 --subset=20 --mirror=true --fp32=1 "
        + "--workers=1"
    )
    let expected = try #require(recorded as? [String: Any])
    for (key, value) in expected where key != "metrics" {
      expectContains(own[key], value, key)
    }
    #expect(own["run_dir"] as? String == expected["run_dir"] as? String)
    #expect(!FileManager.default.fileExists(atPath: folder.file("training-runs")))
  }

  /// Expects every key of an object with its value; further keys are ours.
  private func expectContains(_ own: Any?, _ expected: Any, _ path: String) {
    if let members = expected as? [String: Any] {
      let object = own as? [String: Any] ?? [:]
      for (key, value) in members { expectContains(object[key], value, "\(path).\(key)") }
    } else {
      let (own, expected) = (own as? NSObject, expected as? NSObject)
      #expect(own == expected, "\(path): \(String(describing: own))")
    }
  }

  @Test func `flags given beside a file of options count more`() throws {
    let first = try nifty(
      ["train", "--dry-run", "--aug=ada", "--augpipe=bg", "--temp=0.2", "--resume=x.pkl"]
        + Self.data.split(separator: " ").map(String.init),
      in: folder.path
    )
    #expect(first.status == 0, "\(first.errors)")
    try first.output.write(toFile: folder.file("o.json"), atomically: true, encoding: .utf8)
    let same = try dryRun("--options=o.json")
    let before = try JSONSerialization.jsonObject(with: Data(first.output.utf8))
    #expect(same as NSDictionary == before as? NSDictionary)
    #expect(same["ada_kimg"] as? Double == 100 && same["ema_rampup"] is NSNull)

    let other = try dryRun("--options=o.json --temp=0.3 --target=0.5 --resume=noresume")
    #expect(other["temp"] as? Double == 0.3 && other["ada_target"] as? Double == 0.5)
    #expect(other["resume_pkl"] == nil && other["ada_kimg"] as? Double == 500)
    #expect((other["run_dir"] as? String)?.hasSuffix("-gpus1-ada-target0.5-bg-noresume") == true)
  }

  @Test func `channels innermost are asked for under the original's keys`() throws {
    func asked(_ flags: String) throws -> [Bool?] {
      let json = try dryRun(Self.data + flags)
      return [("G_kwargs", "synthesis_kwargs"), ("D_kwargs", "block_kwargs")].map { network, part in
        let keywords = (json[network] as? [String: Any])?[part] as? [String: Any]
        return keywords?["fp16_channels_last"] as? Bool
      }
    }
    #expect(try asked("") == [nil, nil])
    #expect(try asked(" --nhwc=1") == [true, true])
    #expect(try asked(" --nhwc=0") == [false, false])
  }

  @Test(arguments: [
    ("--p=0.2", "--p goes with --aug=fixed"),
    ("--aug=fixed", "--aug=fixed needs --p"),
    ("--aug=fixed --p=2", "--p must be between 0 and 1"),
    ("--aug=fixed --p=0.2 --target=0.5", "--target goes with --aug=ada"),
    ("--augpipe=bgc", "--augpipe goes with"),
    ("--aug=ada --augpipe=all", "--augpipe must be one of"),
    ("--aug=maybe", "--aug"),
    ("--cfg=paper256", "--cfg"),
    ("--freezed=-1", "--freezed must be 0 or more"),
    ("--fmap=0", "--fmap must be above 0"),
    ("--snap=0", "--snap must be at least 1"),
    ("--workers=0", "--workers must be"),
    ("--d_lr=0", "--d_lr must be above 0"),
    ("--nobench=perhaps", "--nobench"),
  ])
  func `what is wrong and what is allowed is said before anything is read`(
    flags: String,
    expected: String
  ) throws {
    let words = ["train", "--outdir=o", "--data=none.zip", "--clip=none"]
    let outcome = try nifty(words + flags.split(separator: " ").map(String.init))
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
  }

  @Test(arguments: ["--metrics=", "--metrics=None", "--metrics=NONE", "--metrics=none"])
  func `no metrics are asked for as the original has it`(flag: String) throws {
    let outcome = try nifty(["train", "--outdir=o", "--data=none.zip", "--clip=none", flag])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("none.zip"), "\(outcome.errors)")
  }

  @Test func `the command has the flags of the options' tables, and no others`() throws {
    struct Argument: Decodable {
      struct Name: Decodable { let kind: String, name: String }
      let names: [Name]?
    }
    struct Help: Decodable {
      struct Command: Decodable { let arguments: [Argument] }
      let command: Command
    }
    let outcome = try nifty(["train", "--experimental-dump-help"])
    let help = try JSONDecoder().decode(Help.self, from: Data(outcome.output.utf8))
    let flags = help.command.arguments.flatMap { $0.names ?? [] }.filter { $0.kind == "long" }
      .map(\.name)
    let known = TrainingOption.all.filter(\.hasFlag).map(\.name)
    #expect(Set(flags).subtracting(["help", "version"]) == Set(known))
    #expect(flags.count > 60)
  }

  @Test func `more images than there are cannot be taken, and labels that are not there`() throws {
    for (flag, expected) in [
      ("--subset=41", "--subset must be between 1 and 40"),
      ("--cond=1", "--cond=1"),
    ] {
      let words = Self.data.split(separator: " ").map(String.init)
      let outcome = try nifty(["train", flag, "--dry-run"] + words, in: folder.path)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains(expected), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
  }
}
