import Foundation
import TestSupport
import Testing

/// `nifty train` going on from a snapshot: at another resolution, with frozen blocks, with its state.
@Suite("Grow a generator by the program", .serialized)
struct GrowCommandTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  @Test func `a run of 16² is grown to 32² with the old blocks frozen, then counted on from`()
    throws
  {
    let train = TrainingFixture.train.replacingOccurrences(of: "--batch=4", with: "--batch=64")
    let first = try fixture.run(train + " --kimg=1.1 --tick=1 --snap=1")
    #expect(first.status == 0, "\(first.errors)")
    #expect(
      first.output.contains("R1: gamma 0.0032, every 16 steps; a start for 16²"),
      "\(first.output)"
    )
    let run = try fixture.only("runs")
    let snapshot = "\(run)/network-snapshot-000001.safetensors"
    let packed = try fixture.run(
      "pack --source=pairs --dest=d32.zip --width=32 --height=32 --clip clip.safetensors"
    )
    #expect(packed.status == 0, "\(packed.errors)")
    let large = train.replacingOccurrences(of: "data.zip", with: "d32.zip")
      .replacingOccurrences(of: "--outdir=runs", with: "--outdir=grown")
    let grown = try fixture.run(
      large
        + " --kimg=1.3 --resume=\(snapshot) --freeze-generator=16 --resume-state=1 --r1-interval=4"
    )
    #expect(grown.status == 0, "\(grown.errors)")
    #expect(
      grown.output.contains("of 16² for 32²; new: synthesis.b32.resample_filter"),
      "\(grown.output)"
    )
    #expect(
      grown.output.contains("--resume-state: counts on from 1.152 kimg, augmentation from p = ")
    )
    #expect(grown.output.contains("every 4 steps; a start for 32² and 64 images a step is 0.0032,"))
    #expect(grown.output.contains("tick 0  kimg 1.2 "), "\(grown.output)")
    let again = try fixture.run("train --continue=\(try fixture.only("grown")) --kimg=1.5")
    #expect(again.status == 0, "\(again.errors)")
  }

  @Test(arguments: [
    ("--freeze-generator=5", 1, "--freeze-generator must be 0 or one of 4, 8, 16, not 5"),
    ("--freeze-generator=-4", 64, "--freeze-generator must be between 0 and 4096 pixels, not -4"),
    ("--resume-state=1", 64, "--resume-state=1 needs --resume"),
    ("--r1-interval=0", 64, "--r1-interval must be between 1 and 1e09 steps, not 0"),
  ])
  func `what makes no sense is refused in one line`(
    flags: String,
    status: Int32,
    expected: String
  ) throws {
    try fixture.expectRefusal(
      of: TrainingFixture.train + " " + flags,
      status: status,
      expected
    )
  }
}
