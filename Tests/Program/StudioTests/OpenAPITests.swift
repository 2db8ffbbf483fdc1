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
  }
}
