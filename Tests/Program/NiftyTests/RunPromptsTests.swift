import Foundation
import Images
import TestSupport
import Testing

@testable import Sampling

/// A run's prompts are the run's.
@Suite("Prompts of a run", .serialized)
struct RunPromptsTests {
  @Test func `a continued run paints the prompts it began with, whatever became of their file`()
    throws
  {
    let fixture = try TrainingFixture()
    try fixture.folder.write(Array("picture 3\nnumber 4\n".utf8), to: "prompts.txt")
    let first = try fixture.run(
      TrainingFixture.train + " --kimg=0.008 --tick=0.004 --snap=1 --prompts=prompts.txt"
    )
    #expect(first.status == 0, "\(first.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.file("runs"))
    let run = "runs/\(try #require(names.first))"
    try fixture.folder.write(Array("picture 1\n".utf8), to: "prompts.txt")
    let changed = try fixture.run("train --continue=\(run) --kimg=0.012")
    #expect(changed.status == 0, "\(changed.errors)")
    let grid = try RGBImage(contentsOf: fixture.folder.file("\(run)/fakes000000.png"))
    #expect(grid.width == 4 * 16 && grid.height == 2 * 16)
    try FileManager.default.removeItem(atPath: fixture.folder.file("prompts.txt"))
    let gone = try fixture.run("train --continue=\(run) --kimg=0.016")
    #expect(gone.status == 0, "\(gone.errors)")
    let other = try fixture.run("train --options=\(run)/training_options.json --kimg=0.004")
    #expect(other.status == 0, "\(other.errors)")
  }
}
