import Foundation
import JSON
import TestSupport
import Testing

/// What `nifty train --alert` posts, to a server of another make.
// One after the other: a server that starts while another test runs the program may hold the pipes of that.
@Suite("Alerts of a training run", .serialized, .timeLimit(.minutes(5)))
struct AlertTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  private static let server = """
    import http.server, sys
    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            open("posted", "ab").write(body + b"\\n")
            self.send_response(int(sys.argv[1])); self.end_headers()
        def log_message(self, *words): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    open("port.new", "w").write(str(server.server_port))
    import os; os.rename("port.new", "port")
    server.serve_forever()
    """

  /// Runs a closure with the address of a hook that answers with a status.
  private func hooked(_ status: Int, _ body: (String) throws -> Void) throws {
    let process = Process()
    let python = try #require(Repository.python, "run scripts/setup --tests")
    process.executableURL = URL(filePath: python)
    process.arguments = ["-c", Self.server, "\(status)"]
    process.currentDirectoryURL = URL(filePath: fixture.folder.path)
    try process.run()
    defer {
      // Signals that can be blocked are, in what the threads of tests start.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    while !FileManager.default.fileExists(atPath: fixture.path("port")) { usleep(10_000) }
    let port = try String(contentsOfFile: fixture.path("port"), encoding: .utf8)
    try body("http://127.0.0.1:\(port)/hook/secret")
  }

  private func posted() -> [OptionValue] {
    contents(of: fixture.path("posted")).split(separator: "\n").compactMap {
      OptionValue(json: String($0))
    }
  }

  private func ending() throws -> OptionValue? {
    let path = fixture.path(try fixture.only("runs") + "/ending.json")
    return OptionValue(json: try String(contentsOfFile: path, encoding: .utf8))
  }

  @Test func `the end of a run is one JSON object, and the folder says how it ended`() throws {
    try hooked(200) { address in
      let run = try fixture.run(TrainingFixture.train + " --kimg=0.012 --alert=\(address)")
      #expect(run.status == 0, "\(run.errors)")
      let alerts = posted()
      #expect(alerts.count == 1)
      #expect(alerts.first?["event"] == "finished" && alerts.first?["kimg"] == 0.012)
      let name = try fixture.only("runs").dropFirst(5)
      #expect(alerts.first?["run"]?.string == String(name))
      #expect(alerts.first?["text"]?.string == "\(name): finished at 0.012 kimg")
    }
    #expect(try ending()?["ending"] == "finished" && ending()?["images_seen"] == 12)
    let options = try String(
      contentsOfFile: fixture.path(try fixture.only("runs") + "/training_options.json"),
      encoding: .utf8
    )
    #expect(!options.contains("secret"), "an address may be a secret: it is not kept")
  }

  @Test func `a run that is stopped says so, and one that goes on has no ending yet`() throws {
    try hooked(200) { address in
      let process = try fixture.start(TrainingFixture.train + " --kimg=100 --alert=\(address)")
      let folder = {
        (try? FileManager.default.contentsOfDirectory(atPath: fixture.path("runs")))?.first
          .map { fixture.path("runs/\($0)") }
      }
      let begun = {
        folder().map { (try? Data(contentsOf: URL(filePath: $0 + "/stats.jsonl"))) != nil }
      }
      while process.isRunning, begun() != true { usleep(10_000) }
      #expect(!FileManager.default.fileExists(atPath: (folder() ?? "") + "/ending.json"))
      usleep(200_000)
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationStatus == 75)
      #expect(posted().map { $0["event"] } == ["stopped"])
    }
    #expect(try ending()?["ending"] == "stopped")
  }

  /// Learning rates at which the first step ends in numbers that are not finite, also after five halvings.
  private static let collapsing =
    TrainingFixture.train.replacing("--aug=ada", with: "--aug=noaug") + " --g_lr=1e12 --kimg=1"

  /// Trains until the watchdog gives up.
  private func collapse(_ policy: String, _ address: String) throws {
    let line = "\(Self.collapsing) --on-collapse=\(policy) --alert=\(address)"
    let run = try nifty(line.split(separator: " ").map(String.init), in: fixture.folder.path)
    #expect(run.status == 1 && run.errors.contains("nan"), "\(run.errors)")
  }

  @Test func `a collapse is told once, with its reason, and the folder says the same`() throws {
    try hooked(200) { address in
      try collapse("stop", address)
      let alerts = try posted()
      #expect(alerts.map { $0["event"] } == ["collapsed"])
      let reason = try #require(alerts.first?["reason"]?.string)
      #expect(reason.contains("nan; the run is stopped, its checkpoints are good"), "\(reason)")
      #expect(alerts.first?["text"]?.string?.hasSuffix("kimg: \(reason)") == true)
      #expect(try ending()?["ending"] == "collapsed" && ending()?["reason"]?.string == reason)
    }
  }

  @Test func `every rollback is told, then the collapse where none of them helped`() throws {
    try hooked(200) { address in
      try collapse("rollback", address)
      let alerts = try posted()
      let rollbacks = [OptionValue?](repeating: "rolled_back", count: 5)
      #expect(alerts.map { $0["event"] } == rollbacks + ["collapsed"])
      for (alert, factor) in zip(alerts, [0.5, 0.25, 0.125, 0.0625, 0.03125]) {
        let reason = alert["reason"]?.string ?? ""
        #expect(reason.contains("; back to 0.000 kimg with \(factor) times the"), "\(reason)")
        #expect(alert["kimg"] == 0.0)
      }
      let last = alerts.last?["reason"]?.string
      #expect(last?.hasSuffix("given up after 5 rollbacks") == true, "\(last ?? "none")")
      let runs = try fixture.run("runs runs --json").output
      let row = OptionValue(json: runs)?["runs"]
      guard case .list(let rows)? = row else {
        Issue.record("no rows: \(runs)")
        return
      }
      #expect(rows.map { $0["state"] } == ["collapsed"] && rows.map { $0["rollbacks"] } == [5])
    }
  }

  @Test func `an alert that fails is one line, and the run ends as it should`() throws {
    try hooked(500) { address in
      let run = try fixture.run(TrainingFixture.train + " --kimg=0.012 --alert=\(address)")
      #expect(run.status == 0, "\(run.errors)")
      let lines = run.errors.split(separator: "\n").filter { $0.contains("alert") }
      #expect(lines.count == 1 && lines.first?.contains("it answers HTTP 500") == true, "\(lines)")
      #expect(!run.errors.contains("secret"))
    }
    let closed = try fixture.run(
      TrainingFixture.train + " --kimg=0.012 --alert=http://127.0.0.1:9/hook"
    )
    #expect(closed.status == 0)
    #expect(closed.errors.contains("cannot be reached"), "\(closed.errors)")
  }
}
