import Foundation
import HummingbirdTesting
import JSON
import TestSupport
import Testing

@testable import Studio

@Suite("The description of /api")
struct OpenAPITests {
  @Test func `it names the very routes with their methods`() async throws {
    let routes = try await Emoji.routes()
    let served = Set(
      routes.table.filter { $0.path.hasPrefix("/api/") }.map { "\($0.method) \($0.path)" }
    )
    let answer = try await withStudio { try await $0.get("/api/openapi.json") }
    #expect(answer.json?["openapi"] == "3.1.0")
    guard case .dictionary(let paths)? = answer.json?["paths"] else {
      Issue.record("no paths")
      return
    }
    let described = paths.flatMap { path -> [String] in
      guard case .dictionary(let methods) = path.value else { return [] }
      return methods.map { "\($0.key.uppercased()) \(path.key)" }
    }
    #expect(Set(described) == served)
    #expect(described.count == served.count)
  }

  /// Python with schemathesis, if scripts/setup --tests has brought it.
  private static let python = PythonLibrary.python(with: "schemathesis")

  /// Requests by the hundred, right and wrong ones, each answer held against the description.
  ///
  /// Which keys exclude each other it does not say, so a request that fits it may be refused.
  @Test(
    .enabled(if: python != nil, "scripts/setup --tests installs schemathesis"),
    .timeLimit(.minutes(10))
  )
  func `schemathesis gets no answer that is not described`() async throws {
    let python = try #require(Self.python)
    let folder = try TemporaryFolder()
    let line = RunsTests.line(tick: 0, kimg: 1, loss: "0.5")
    try folder.write(Array(line.utf8), to: "00000-a/stats.jsonl")
    try folder.write([], to: "split0/.ledger")
    var routes = try await Emoji.routes(runs: folder.path)
    // Else the answer of /api/events would never end.
    routes.longestEvents = .milliseconds(50)
    try await serving(routes) { [routes] port in
      let words = """
        -m schemathesis.cli run http://127.0.0.1:\(port)/api/openapi.json --phases coverage,fuzzing \
        --max-examples 5 --generation-deterministic --workers 1 --request-timeout 60 --no-color \
        --exclude-checks positive_data_acceptance
        """
      let (output, status) = try await PythonLibrary.run(
        python,
        words.split(separator: " ").map(String.init)
      )
      #expect(status == 0, "\(output.suffix(3000))")
      #expect(output.contains(" passed"), "\(output.suffix(500))")
    }
  }

  @Test func `its keys of a painting and states of a run are those of the program`() async throws {
    let answer = try await withStudio { try await $0.get("/api/openapi.json") }
    let schemas = answer.json?["components"]?["schemas"]
    guard case .dictionary(let keys)? = schemas?["Painting"]?["properties"],
      case .list(let states)? = schemas?["Run"]?["properties"]?["state"]?["enum"]
    else {
      Issue.record("no schemas")
      return
    }
    #expect(Set(keys.map(\.key)) == Set(PictureRequest.keys))
    #expect(Set(states.compactMap(\.string)) == Set(RunSummary.State.allCases.map(\.rawValue)))
    guard case .list(let kinds)? = schemas?["Work"]?["properties"]?["kind"]?["enum"],
      case .list(let workStates)? = schemas?["Work"]?["properties"]?["state"]?["enum"]
    else {
      Issue.record("no schema of works")
      return
    }
    #expect(kinds.compactMap(\.string) == WorkSummary.Kind.allCases.map(\.rawValue))
    #expect(workStates.compactMap(\.string) == WorkSummary.State.allCases.map(\.rawValue))
  }
}
