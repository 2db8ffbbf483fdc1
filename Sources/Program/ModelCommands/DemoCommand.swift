import ArgumentParser
import CLIP
import Console
import Demo
import Files
import Foundation

/// All five stages, small, on real data.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run all five stages on emoji with their English and Japanese names.",
    discussion: """
      DATA
        emoji     1,500 pictures of the emoji font, without flags and skin tones
        drawings  12,000 pictures: the whole font, the same things drawn by
                  OpenMoji, clip art, and Tux Paint's stamps: what
                  scripts/setup --drawings installed; 5 % of the captions are
                  held out in all of their styles

      Every stage is a nifty command, printed before it runs: copy them for your
      own data. Takes about 20 minutes on two cores; --minutes scales the
      training.

      EXAMPLES
        nifty demo
        nifty demo --minutes 5 --out outputs/quick
        nifty demo --data drawings --minutes 120
      """
  )

  @Option(help: "Minutes of training, over all models.")
  var minutes = 15.0

  @Option(help: "Pictures to learn from.")
  var data = DemoData.emoji

  @Option(help: "Folder for everything; an earlier demo there is replaced.")
  var out = "outputs/demo"

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 0

  func validate() throws {
    guard minutes > 0, minutes <= 10_000 else {
      throw ValidationError("--minutes must be positive, not \(minutes)")
    }
  }

  func run() async throws {
    let start = Date()
    let paths = try DemoPaths(out)
    let plan = DemoPlan(minutes: minutes, seed: seed, paths: paths)
    let materials = try await data.materials()
    let counts = DemoMaterials.Part.allCases.map { materials.pictures($0).count }
    Console.line(
      "\(counts.reduce(0, +)) pictures: \(counts[0]) to pre-train on, \(counts[1]) animals, plants "
        + "and food to fine-tune on, \(counts[2]) held out"
    )

    try heading("1. LAION: metadata → pairs")
    try materials.writeImages(to: paths.web)
    try await withDemoServer(paths.web) { url in
      let metadata = try materials.writeMetadata(to: paths.metadata, baseURL: url)
      for part in DemoMaterials.Part.allCases {
        guard let folder = metadata[part] else { continue }
        try await ChildCommand(arguments: plan.download(part, metadata: folder)).run()
      }
    }

    try heading("2. and 3. CLIP, and zips with its features")
    try await together(plan.trainCLIPs)
    for command in plan.pack { try await ChildCommand(arguments: command).run() }

    try heading("4. Pre-training without captions")
    try AtomicFile.write(
      DemoPlan.prompts.joined(separator: "\n") + "\n",
      to: paths.file("prompts.txt")
    )
    try await ChildCommand(arguments: plan.pretrain).run()

    try heading("5. Fine-tuning with captions, and the scores")
    let pretrained = try paths.snapshots(in: "pretrain")
    guard let last = pretrained.last, let first = pretrained.first else {
      throw FileError("find a snapshot in", path: paths.out, reason: "pre-training wrote none")
    }
    let pace = DemoPace(ofRunWith: try paths.statistics(beside: last))
    if pace == nil {
      Console.line("no tick of pre-training's warm-up ended: fine-tuning begins without one")
    }
    try await ChildCommand(arguments: plan.finetune(from: last, pace: pace)).run()
    for (index, snapshot) in [first, last].enumerated() {
      try await ChildCommand(arguments: plan.distance(of: snapshot, report: "fd-\(index)")).run()
    }
    guard let final = try paths.snapshots(in: "finetune").last else {
      throw FileError("find a snapshot in", path: paths.out, reason: "fine-tuning wrote none")
    }
    for command in plan.score(final) { try await ChildCommand(arguments: command).run() }
    try DemoPictures(paths: paths, snapshot: final).write()
    try DemoSummary(paths: paths, snapshot: final, start: start).write()
  }

  private func heading(_ text: String) throws { Console.line("\n── \(text)") }

  /// Runs independent commands side by side: each uses one core.
  private func together(_ commands: [[String]]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for arguments in commands {
        group.addTask { try await ChildCommand(arguments: arguments).run() }
      }
      try await group.waitForAll()
    }
  }
}
