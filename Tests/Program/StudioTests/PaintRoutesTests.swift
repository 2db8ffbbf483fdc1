import CLIP
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Images
import JSON
import Networks
import Pixels
import Sampling
import Snapshots
import TestSupport
import Testing
import Torch

@testable import Studio

@Suite("Painting through the server", .timeLimit(.minutes(5)))
struct PaintRoutesTests {
  /// What `nifty generate` paints.
  private func generated(
    _ prompt: String,
    seeds: [UInt64],
    truncation: Double = 1,
    noise: Painter.Noise = .const
  ) throws -> [RGBImage] {
    // As many as the studio of these tests has: a sum rounds by how many threads share it.
    Runtime.threads = 1
    let location = try ModelLocation(Emoji.path)
    let snapshot = try NetworkSnapshot(path: location.network)
    let painter = Painter(
      generator: try snapshot.averagedGenerator(),
      truncation: truncation,
      truncationCutoff: nil,
      noise: noise
    )
    let clip = try location.clipModel(nil, for: snapshot, on: .cpu)
    return pictures(painter.row(fts: try clip.features(of: [prompt]).normalized(), seeds: seeds))
  }

  @Test func `a prompt that is longer than CLIP reads is said to be cut, each time`() async throws {
    let long = String(repeating: "red heart ", count: 60)
    try await withStudio { client in
      for _ in 0..<2 {
        let answer = try await client.post("/api/paint", #"{"prompt": "\#(long)", "seed": 7}"#)
        #expect(answer.status == .ok)
        let name = try #require(HTTPField.Name("Nifty-Note"))
        #expect(answer.headers[name]?.hasSuffix(": 1 of 1") == true)
      }
      let order = #"{"prompt": "\#(long)", "response_format": "b64_json"}"#
      let listed = try await client.post("/v1/images/generations", order)
      #expect(listed.json?["note"]?.string?.hasSuffix(": 1 of 1") == true)
      let short = try await client.post("/api/paint", #"{"prompt": "red heart", "seed": 7}"#)
      #expect(short.headers[try #require(HTTPField.Name("Nifty-Note"))] == nil)
    }
  }

  @Test(arguments: ["const", "random", "none"])
  func `a picture has the pixels of nifty generate, and carries how it was painted`(
    noise: String
  )
    async throws
  {
    let answer = try await withStudio {
      try await $0.post(
        "/api/paint",
        #"{"prompt": "赤いハート", "seed": 7, "truncation": 0.7, "noise": "\#(noise)"}"#
      )
    }
    #expect(answer.status == .ok && answer.headers[.contentType] == "image/png")
    let kind = try #require(Painter.Noise(rawValue: noise))
    let expected = try generated("赤いハート", seeds: [7], truncation: 0.7, noise: kind)[0]
    #expect(try RGBImage(decoding: answer.bytes) == expected)
    let texts = PNGText.texts(in: answer.bytes)
    #expect(texts.map(\.keyword) == ["nifty"])
    let record = try #require(OptionValue(json: texts[0].text))
    #expect(record["prompt"] == "赤いハート" && record["seed"] == 7 && record["truncation"] == 0.7)
    #expect(record["noise"]?.string == noise)
    #expect(record["network_sha256"]?.string?.count == 64)
  }

  @Test func `a picture alone has the pixels that it has in a row`() async throws {
    let row = try generated("pizza", seeds: [0, 1, 2, 3])
    try await withStudio { client in
      for seed in 0..<4 {
        let answer = try await client.post("/api/paint", #"{"prompt": "pizza", "seed": \#(seed)}"#)
        #expect(try RGBImage(decoding: answer.bytes) == row[seed], "seed \(seed)")
      }
    }
  }

  @Test func `what a picture carries paints it again`() async throws {
    try await withStudio { client in
      let first = try await client.post(
        "/api/paint",
        """
        {"prompt": "sun", "seed": "18446744073709551615", "truncation": 0.5, "noise": "random",
         "truncation_cutoff": 4, "mix_seed": 5, "mix_layers": "0-3"}
        """
      )
      #expect(first.status == .ok)
      let again = try await client.post("/api/paint", PNGText.texts(in: first.bytes)[0].text)
      #expect(again.status == .ok)
      #expect(again.bytes == first.bytes)
      let unmixed = try await client.post(
        "/api/paint",
        #"{"prompt": "sun", "seed": "18446744073709551615", "noise": "random", "truncation": 0.5}"#
      )
      #expect(unmixed.bytes != first.bytes)
    }
  }

  @Test func `between two pictures the ends are theirs, and the middle is neither`() async throws {
    try await withStudio { client in
      func bytes(_ body: String) async throws -> RGBImage {
        let answer = try await client.post("/api/paint", body)
        return try RGBImage(decoding: answer.bytes)
      }
      let ends =
        #""prompt": "sun", "seed": 1, "to_prompt": "pizza", "to_seed": 2, "to_truncation": 0.5, "share""#
      let sun = try await bytes(#"{"prompt": "sun", "seed": 1}"#)
      let pizza = try await bytes(#"{"prompt": "pizza", "seed": 2, "truncation": 0.5}"#)
      #expect(try await bytes("{\(ends): 0}") == sun)
      #expect(try await bytes("{\(ends): 1}") == pizza)
      let middle = try await client.post("/api/paint", "{\(ends): 0.5}")
      let image = try RGBImage(decoding: middle.bytes)
      #expect(image != sun && image != pizza)
      let again = try await client.post("/api/paint", PNGText.texts(in: middle.bytes)[0].text)
      #expect(again.bytes == middle.bytes)
      for wrong in [#"{\#(ends): 2}"#, #"{\#(ends): null}"#, #"{\#(ends): 0.5, "mix_seed": 1}"#] {
        #expect(try await client.post("/api/paint", wrong).status == .badRequest, "\(wrong)")
      }
    }
  }

  @Test(arguments: [
    (#"{}"#, "prompt is missing"), (#"{"prompt": ""}"#, "prompt is empty"),
    (#"{"prompt": " \n"}"#, "prompt is empty"), (#"{"prompt": 5}"#, "prompt is missing"),
    (#"[]"#, "must be a JSON object"), ("nonsense", "no JSON"), ("", "no JSON"),
    (#"{"prompt": "a", "seed": -1}"#, "seed must be"),
    (#"{"prompt": "a", "seed": 1.5}"#, "seed must be"),
    (#"{"prompt": "a", "seed": "99999999999999999999"}"#, "seed must be"),
    (#"{"prompt": "a", "truncation": 1e300}"#, "truncation must be"),
    (#"{"prompt": "a", "truncation": NaN}"#, "truncation must be"),
    (#"{"prompt": "a", "noise": "loud"}"#, "noise must be"),
    (#"{"prompt": "a", "truncation_cutoff": -1}"#, "truncation_cutoff must be"),
    (#"{"prompt": "a", "mix_seed": 1, "mix_layers": "3-1"}"#, "mix_layers must be"),
    (#"{"prompt": "a", "mix_seed": 1, "mix_layers": "0-999"}"#, "the generator has layers 0 to"),
    (#"{"prompt": "a", "colour": "red"}"#, "no setting colour"),
    (#"{"prompt": "a", "image_noise": 0.5}"#, "image_noise goes with picture_id"),
    (#"{"prompt": "a", "picture_id": "x"}"#, "exclude each other"),
    (#"{"prompt": "a", "to_seed": 1, "to_truncation": 11, "share": 0}"#, "to_truncation must be"),
  ])
  func `a wrong request is one line`(body: String, complaint: String) async throws {
    let answer = try await withStudio { try await $0.post("/api/paint", body) }
    #expect(answer.status == .badRequest)
    #expect(answer.complaint?.contains(complaint) == true, "\(answer.complaint ?? "none")")
  }

  @Test func `a prompt of 10 MB, forms and wrong methods are refused`() async throws {
    try await withStudio { client in
      let long = String(repeating: "a", count: 10 << 20)
      let large = try await client.post("/api/paint", #"{"prompt": "\#(long)"}"#)
      #expect(large.status == .contentTooLarge)
      let longish = String(repeating: "é", count: 1001)
      let over = try await client.post("/api/paint", #"{"prompt": "\#(longish)"}"#)
      #expect(over.complaint == "prompt has 2002 bytes: the limit is 2000")
      let form = try await client.post("/api/paint", "prompt=a", [.contentType: "text/plain"])
      #expect(form.status == .unsupportedMediaType)
      let method = try await client.get("/api/paint")
      #expect(method.status == .methodNotAllowed && method.headers[.allow] == "POST")
      for path in [
        "/nothing", "/../../etc/passwd", "/%2e%2e/Package.swift", "/Page/index.html", "//",
      ] {
        #expect(try await client.get(path).status == .notFound, "\(path)")
      }
    }
  }

  @Test func `the page is whole and may load nothing from elsewhere`() async throws {
    try await withStudio { client in
      let page = try await client.get("/")
      #expect(page.status == .ok)
      let policy = page.headers[.contentSecurityPolicy] ?? ""
      #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
      #expect(page.headers[.xContentTypeOptions] == "nosniff")
      let text = String(decoding: page.bytes, as: UTF8.self)
      #expect(!text.contains("style=") && !text.contains("onclick") && !text.contains("http://"))
      for path in [
        "/style.css", "/favicon.svg", "/app.js", "/create.js", "/blend.js", "/watch.js",
        "/chart.js", "/png.js", "/words.js", "/compare.js", "/data.js", "/nearest.js", "/source.js",
        "/works.js",
      ] {
        let file = try await client.get(path)
        #expect(file.status == .ok && !file.bytes.isEmpty, "\(path)")
        let again = try await client.get(path, [.ifNoneMatch: file.headers[.eTag] ?? ""])
        #expect(again.status == .notModified && again.bytes.isEmpty, "\(path)")
      }
      let about = try await client.get("/api/model")
      #expect(about.json?["name"] == "emoji" && about.json?["resolution"] == 64)
      #expect(about.json?["watches"] == false)
    }
  }

  @Test func `elsewhere than on loopback the token becomes a cookie, once`() async throws {
    let routes = try await Emoji.routes(host: "0.0.0.0")
    let token = try #require(routes.access.token)
    try await Application(router: routes.router()).test(.router) { client in
      #expect(try await client.get("/").status == .unauthorized)
      #expect(try await client.post("/api/paint", "{}").status == .unauthorized)
      #expect(try await client.get("/?token=wrong").status == .unauthorized)
      let entry = try await client.get("/?token=\(token)")
      #expect(entry.status == .seeOther && entry.headers[.location] == "/")
      let cookie = try #require(entry.headers[.setCookie])
      #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
      let pair = String(cookie.prefix { $0 != ";" })
      #expect(try await client.get("/", [.cookie: pair]).status == .ok)
      let bearer: HTTPFields = [.authorization: "Bearer \(token)"]
      #expect(try await client.get("/v1/models", bearer).status == .ok)
    }
  }
}
