import Files
import Foundation
import TestSupport
import Testing

@testable import DataCommands
@testable import Fetch

@Suite("Fetching weights")
struct FetchWeightsTests {
  @Test func `offline, it names the file to fetch and its path`() async throws {
    let folder = try TemporaryFolder()
    let outcome = try nifty(
      ["fetch", "weights", "clip-vit-b-32", "--out", folder.path, "--from", "http://127.0.0.1:1/"]
    )
    #expect(outcome.status == 1)
    #expect(outcome.errors.split(separator: "\n").count == 1)
    for part in [
      "ViT-B-32.pt (sha256 40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af)",
      "put a copy of https://openaipublic.azureedge.net/", "at \(folder.path)/ViT-B-32.pt",
    ] {
      #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }
  }

  @Test func `a file without a published hash is held to its first one`() async throws {
    let folder = try TemporaryFolder()
    let detector = try #require(PublishedWeights.all.first { $0.name == "vgg16" })
    let path = folder.path
    func fetch(_ bytes: [UInt8]) async throws {
      try await LoopbackServer.run(["/w/vgg16.pt": .ranged(bytes)]) { server in
        try await detector.fetch(to: path, from: server.url("/w"))
      }
    }
    try await fetch([1, 2, 3])
    let known = try String(contentsOfFile: folder.file("vgg16.pt.sha256"), encoding: .utf8)
    #expect(known == "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81\n")
    try FileManager.default.removeItem(atPath: folder.file("vgg16.pt"))
    await #expect(throws: DownloadError.self) { try await fetch([1, 2, 4]) }
    try await fetch([1, 2, 3])
    // There already: nothing is asked of anybody.
    try await detector.fetch(to: path, from: "http://127.0.0.1:1")
  }

  @Test func `a wrong name or address is refused with what there is`() throws {
    for (arguments, expected) in [
      (["fetch", "weights", "clip"], "clip-vit-b-32"),
      (["fetch", "weights", "all", "--from", "ftp://x"], "--from"),
    ] {
      let outcome = try nifty(arguments)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    }
  }
}
