import Foundation
import HTTPTypes
import HummingbirdTesting
import Images
import JSON
import Testing

@testable import Studio

@Suite("OpenAI's interface for images", .timeLimit(.minutes(5)))
struct ImagesAPITests {
  private let path = "/v1/images/generations"

  @Test func `the studio's model is listed under its name`() async throws {
    try await withStudio { client in
      let models = try await client.get("/v1/models")
      #expect(models.json?["object"] == "list")
      guard case .list(let data)? = models.json?["data"] else {
        Issue.record("no list")
        return
      }
      #expect(data.map { $0["id"] } == ["emoji"])
      #expect(try await client.get("/v1/models/emoji").json?["owned_by"] == "nifty")
      let other = try await client.get("/v1/models/dall-e-3")
      #expect(other.status == .notFound && other.json?["error"]?["code"] == "model_not_found")
    }
  }

  @Test func `pictures come in base64, seed after seed, as the page paints them`() async throws {
    try await withStudio { client in
      let answer = try await client.post(
        path,
        #"{"prompt": "pizza", "n": 2, "seed": 5, "response_format": "b64_json", "user": "me"}"#
      )
      #expect(answer.status == .ok)
      #expect(answer.json?["ignored"] == ["user"])
      guard case .list(let data)? = answer.json?["data"] else {
        Issue.record("no data")
        return
      }
      #expect(data.map { $0["seed"] } == ["5", "6"])
      for (seed, item) in zip(5..., data) {
        let png = Data(base64Encoded: item["b64_json"]?.string ?? "").map { [UInt8]($0) }
        let page = try await client.post("/api/paint", #"{"prompt": "pizza", "seed": \#(seed)}"#)
        #expect(png == page.bytes)
      }
    }
  }

  @Test func `without a format the answer is an address, which holds the scaled picture`()
    async throws
  {
    try await withStudio { client in
      let answer = try await client.post(path, #"{"prompt": "pizza", "size": "256x256"}"#)
      guard case .list(let data)? = answer.json?["data"], let url = data.first?["url"]?.string
      else {
        Issue.record("no address: \(answer.complaint ?? "")")
        return
      }
      #expect(url.hasPrefix("http://localhost/v1/pictures/"))
      let file = try await client.get(String(url.dropFirst("http://localhost".count)))
      let image = try RGBImage(decoding: file.bytes)
      #expect(image.width == 256 && image.height == 256)
      #expect(PNGText.texts(in: file.bytes).count == 1)
      #expect(try await client.get("/v1/pictures/guess.png").status == .notFound)
    }
  }

  @Test(arguments: [
    (#"{"prompt": "a", "n": 0}"#, "n", 400), (#"{"prompt": "a", "n": 11}"#, "n", 400),
    (#"{"prompt": "a", "n": 1e30}"#, "n", 400), (#"{"prompt": "a", "size": "10x10"}"#, "size", 400),
    (#"{"prompt": "a", "size": "1024x512"}"#, "size", 400),
    (#"{"prompt": "a", "size": "99999999999999999999x1"}"#, "size", 400),
    (#"{"prompt": "a", "response_format": "gif"}"#, "response_format", 400),
    (#"{"prompt": "a", "output_format": "webp"}"#, "output_format", 400),
    (#"{"prompt": "a", "stream": true}"#, "stream", 400), (#"{}"#, "prompt", 400),
    (#"{"prompt": "a", "model": "dall-e-3"}"#, "model", 404),
    (#"{"prompt": "a", "model": 3}"#, "model", 400),
    (#"{"prompt": "a", "colour": "red"}"#, "colour", 400),
  ])
  func `errors name the parameter in that interface's form`(
    body: String,
    parameter: String,
    status: Int
  ) async throws {
    let answer = try await withStudio { try await $0.post("/v1/images/generations", body) }
    #expect(answer.status.code == status)
    #expect(answer.json?["error"]?["param"]?.string == parameter)
    #expect(answer.json?["error"]?["type"]?.string?.hasSuffix("_error") == true)
    #expect(answer.complaint?.contains("\n") == false)
  }

  @Test func `null stands for nothing, as clients send it`() async throws {
    let answer = try await withStudio {
      try await $0.post(
        "/v1/images/generations",
        #"{"prompt": "a", "n": null, "size": null, "model": "emoji", "response_format": null}"#
      )
    }
    #expect(answer.status == .ok)
  }

  @Test func `kept pictures are forgotten when there are too many bytes`() {
    let kept = KeptPictures(mostBytes: 100)
    let names = (0..<5).map { kept.keep([UInt8](repeating: UInt8($0), count: 40)) }
    #expect(names.map { kept.file($0)?.first } == [nil, nil, nil, 3, 4])
    let large = kept.keep([UInt8](repeating: 9, count: 1000))
    #expect(kept.file(large)?.count == 1000, "the last one is always there")
  }
}
