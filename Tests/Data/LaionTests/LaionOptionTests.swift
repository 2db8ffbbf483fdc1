import Testing
import Text

@testable import Laion

/// Settings that no flag reaches, in the table beside those that have one.
@Suite("Laion options")
struct LaionOptionTests {
  typealias Set = @Sendable (inout LaionConfiguration, Double) -> Void

  private static let setters: [String: Set] = [
    "window": { $0.window = Int($1) },
    "rowsPerFlush": { $0.rowsPerFlush = Int($1) },
    "image.maximumPixels": { $0.image.maximumPixels = Int($1) },
    "fetch.resolverThreads": { $0.fetch.resolverThreads = Int($1) },
    "fetch.decoderThreads": { $0.fetch.decoderThreads = Int($1) },
    "fetch.maximumBytesInFlight": { $0.fetch.maximumBytesInFlight = Int($1) },
    "fetch.maximumPixelsInFlight": { $0.fetch.maximumPixelsInFlight = Int($1) },
    "fetch.silentHostLimit": { $0.fetch.silentHostLimit = Int($1) },
    "fetch.maximumRedirects": { $0.fetch.maximumRedirects = Int($1) },
    "fetch.retryDelay": { $0.fetch.retryDelay = $1 },
    "fetch.lookupTimeout": { $0.fetch.lookupTimeout = $1 },
    "fetch.silentHostPause": { $0.fetch.silentHostPause = $1 },
  ]

  @Test func `every setting without a flag is tried here`() {
    let names = LaionOptions.all.filter { !$0.hasFlag }.map(\.name)
    #expect(names.sorted() == Self.setters.keys.sorted())
  }

  @Test(arguments: setters.keys.sorted())
  func `what is beyond its range is refused by name`(name: String) throws {
    let option = try #require(LaionOptions.all.first { $0.name == name })
    let range = try #require(option.range)
    let set = try #require(Self.setters[name])
    for limit in range.limits.refused {
      var configuration = LaionConfiguration(metadata: "m", output: "o")
      set(&configuration, limit)
      let error = #expect(throws: LaionError.self) { try configuration.validate() }
      let message = "\(try #require(error))"
      #expect(message.hasPrefix("\(name) must be \(range.text), not "), "\(message)")
    }
    for limit in range.limits.allowed {
      var configuration = LaionConfiguration(metadata: "m", output: "o")
      set(&configuration, limit)
      try configuration.validate()
    }
  }

  @Test func `a shard outside of its count is refused, and a column that is no field`() {
    var configuration = LaionConfiguration(metadata: "m", output: "o")
    for shard in [
      Shard(index: 4, count: 4), .init(index: -1, count: nil), .init(index: 0, count: 0),
    ] {
      configuration.shard = shard
      #expect(throws: LaionError.self) { try configuration.validate() }
    }
    configuration.shard = Shard(index: 3, count: 4)
    #expect(throws: Never.self) { try configuration.validate() }
    configuration.columns.names["colour"] = "c"
    #expect(throws: LaionError.self) { try configuration.validate() }
  }
}
