import Foundation
import Images
import TestSupport
import Testing
import Text

@Suite("nifty metrics")
struct MetricsCommandTests {
  private func write(_ folder: TemporaryFolder, _ run: String, _ values: [Double]) throws {
    let lines = values.enumerated().map { index, value in
      #"{"results": {"fid50k_full": \#(value)}, "metric": "fid50k_full", "snapshot_pkl": "#
        + #""network-snapshot-\#(zeroPadded(index * 200, to: 6)).pkl"}"#
    }
    let text = lines.joined(separator: "\n") + "\n"
    try folder.write(Array(text.utf8), to: "\(run)/metric-fid50k_full.jsonl")
  }

  @Test func `a report shows the table, the best snapshot, convergence and curves`() throws {
    let folder = try TemporaryFolder()
    try write(folder, "00000-a", [300, 100, 20.25, 21, 22])
    try write(folder, "00001-b", [310, 90, 30])
    let outcome = try nifty(
      ["metrics", "--report", "00000-a", "00001-b", "--patience=2", "--chart", "curves.png"],
      in: folder.path
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    let expected = """
      fid50k_full
      kimg  00000-a  00001-b
         0  300.0    310.0
       200  100.0    90.00
       400  20.25 *  30.00 *
       600  21.00
       800  22.00

      00000-a: best 20.25 at 400 kimg (network-snapshot-000400.pkl); converged: no improvement \
      over the last 2 snapshots
      00001-b: best 30.00 at 400 kimg (network-snapshot-000400.pkl); not converged: best at the \
      last snapshot, converged after 2
      wrote curves.png

      """
    #expect(outcome.output == expected)
    let picture = try RGBImage(contentsOf: folder.file("curves.png"))
    #expect(picture.width == 1520 && picture.height == 860)
    let svg = try nifty(
      ["metrics", "--report", "00000-a", "--chart", "curve.svg"],
      in: folder.path
    )
    #expect(svg.status == 0)
    let text = try String(contentsOfFile: folder.file("curve.svg"), encoding: .utf8)
    #expect(text.contains("best 20.25 at 400"))
  }

  @Test func `a report speaks of one snapshot and of one line as one, and counts what it left out`()
    throws
  {
    let folder = try TemporaryFolder()
    try write(folder, "00000-a", [30, 20, 25])
    let path = folder.file("00000-a/metric-fid50k_full.jsonl")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try folder.write(Array((text + "no line\n").utf8), to: "00000-a/metric-fid50k_full.jsonl")
    func report(_ patience: Int) throws -> String {
      let words = ["metrics", "--report", "00000-a", "--patience=\(patience)"]
      return try nifty(words, in: folder.path).output
    }
    let converged = try report(1)
    #expect(converged.contains("converged: no improvement over the last 1 snapshot\n"))
    #expect(converged.hasSuffix("metric-fid50k_full.jsonl: left out 1 unreadable line\n"))
    #expect(try report(2).contains("not converged: best 1 snapshot ago, converged after 2\n"))
    try folder.write(Array((text + "no\nline\n").utf8), to: "00000-a/metric-fid50k_full.jsonl")
    #expect(try report(2).hasSuffix("left out 2 unreadable lines\n"))
  }

  @Test(arguments: [
    ("--report nowhere", Int32(1), "nowhere"),
    ("--report .", 1, "no metric lines"),
    ("--report . --network x", 64, "give one of the two"),
    ("--report . --chart x.jpg", 64, ".png or .svg"),
    ("--report . --patience=0", 64, "--patience"),
    ("", 64, "--network"),
    ("--network x --metrics=fid", 64, "fid50k_full"),
    ("--network x --images=1", 64, "--images"),
    ("--network x --protocol=own", 64, "--protocol"),
    ("--network x --metrics=judge_top1", 64, "--judge"),
    ("--network x --metrics=mmd_judge --clip=c", 64, "mmd_judge needs --judge"),
    ("--network x --metrics=mmd_features", 64, "mmd_features needs --classifier"),
    ("--network x --metrics=fd_dinov2", 64, "not fd_dinov2"),
    ("--network x --metrics=fd_dinov2 --detector vit.pt", 64, "mmd_vit"),
    ("--network x --metrics=fd_a --detector a,b.pt", 64, "--detector a,b"),
    ("--network x --metrics=fd_lite0 --detector lite0.pt", 64, "another metric fd_lite0"),
    ("--network x --metrics=mmd_judge --detector judge.pt", 64, "another metric mmd_judge"),
    ("--network x --detector d.pt --detector-side 4", 64, "--detector-side"),
    ("--network x --detector d.pt --detector-input raw", 64, "--detector-input"),
    ("--network . --data=x", 1, "holds neither model.safetensors nor a network snapshot"),
  ])
  func `mistakes are one line`(arguments: String, status: Int32, expected: String) throws {
    let folder = try TemporaryFolder()
    let words = ["metrics"] + arguments.split(separator: " ").map(String.init)
    let outcome = try nifty(words, in: folder.path)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    if status == 1 { #expect(outcome.errors.split(separator: "\n").count == 1) }
  }
}
