import Foundation
import HTTPTypes
import HummingbirdTesting
import Images
import JSON
import NIOCore
import TestSupport
import Testing

@testable import Studio

@Suite("Animations, pictures to paint after, training pictures", .timeLimit(.minutes(5)))
struct PicturesTests {
  private func send(
    _ client: any TestClientProtocol,
    _ bytes: [UInt8],
    type: String = "image/png"
  ) async throws -> TestResponse {
    try await client.execute(
      uri: "/api/pictures",
      method: .post,
      headers: [.contentType: type],
      body: ByteBuffer(bytes: bytes)
    )
  }

  @Test func `a walk is an animation whose first frame is the first stop's picture`() async throws {
    try await withStudio { client in
      let still = try await client.post("/api/paint", #"{"prompt": "sun", "seed": 1}"#)
      let answer = try await client.post(
        "/api/walk",
        """
        {"stops": [{"prompt": "sun", "seed": 1}, {"prompt": "pizza", "seed": 2, "truncation": 0.5}],
         "frames": 3, "fps": 10}
        """
      )
      #expect(answer.status == .ok && answer.headers[.contentType] == "image/webp")
      #expect(try RGBImage(decoding: answer.bytes) == RGBImage(decoding: still.bytes))
      let chunks = String(decoding: answer.bytes, as: Unicode.ASCII.self).components(
        separatedBy: "ANMF"
      )
      #expect(chunks.count - 1 == 6)
    }
  }

  @Test func `a walk that does not return is the file of nifty walk --once`() async throws {
    let folder = try TemporaryFolder()
    let words = "walk sun pizza --seeds 1,2 --frames 3 --fps 10 --once --network emoji --threads 1"
    let walked = try await niftyAside(
      words.split(separator: " ").map(String.init) + ["--out", "walk.webp"],
      in: folder.path
    )
    #expect(walked.status == 0, "\(walked.errors)")
    let answer = try await withStudio { client in
      try await client.post(
        "/api/walk",
        """
        {"stops": [{"prompt": "sun", "seed": 1}, {"prompt": "pizza", "seed": 2}], "frames": 3,
         "fps": 10, "loop": false}
        """
      )
    }
    let file = try Data(contentsOf: URL(filePath: folder.file("walk.webp")))
    #expect(answer.bytes == [UInt8](file))
  }

  @Test(arguments: [
    (#"{"stops": [{"prompt": "a"}]}"#, "stops must be 2 to 16"), (#"{}"#, "stops must be"),
    (#"{"stops": [{"prompt": "a"}, {"prompt": ""}]}"#, "prompt is empty"),
    (#"{"stops": [{"prompt": "a"}, 5]}"#, "each of stops must be"),
    (#"{"stops": [{"prompt": "a"}, {"prompt": "b", "noise": "none"}]}"#, "no setting noise"),
    (#"{"stops": [{"prompt": "a"}, {"prompt": "b"}], "noise": "random"}"#, "random noise jumps"),
    (#"{"stops": [{"prompt": "a"}, {"prompt": "b"}], "frames": 241}"#, "from 1 to 240"),
    (
      #"{"stops": [{"prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}], "frames": 240}"#,
      "720 frames are too many"
    ),
    (#"{"stops": [{"prompt": "a"}, {"prompt": "b"}], "loop": 5}"#, "loop must be true or false"),
    (#"{"stops": [{"prompt": "a"}, {"prompt": "b"}], "fps": 0}"#, "fps must be"),
  ])
  func `an invalid walk is refused in one line`(body: String, complaint: String) async throws {
    let answer = try await withStudio { try await $0.post("/api/walk", body) }
    #expect(answer.status == .badRequest)
    #expect(answer.complaint?.contains(complaint) == true, "\(answer.complaint ?? "none")")
  }

  @Test func `a picture that is sent gives the pixels of generate --from-image`() async throws {
    let folder = try TemporaryFolder()
    try await withStudio { client in
      let photo = try await client.post("/api/paint", #"{"prompt": "red heart", "seed": 3}"#).bytes
      try folder.write(photo, to: "photo.png")
      let words = "generate --network emoji --threads 1 --seeds 7 --image-noise 0.25 --out out"
      let generated = try await niftyAside(
        words.split(separator: " ").map(String.init) + ["--from-image", "photo.png"],
        in: folder.path
      )
      #expect(generated.status == 0, "\(generated.errors)")
      let expected = try RGBImage(contentsOf: folder.file("out/seed0007-photo-png.png"))
      let sent = try await send(client, photo)
      let id = try #require(sent.json?["picture_id"]?.string)
      let answer = try await client.post(
        "/api/paint",
        #"{"picture_id": "\#(id)", "picture": "photo.png", "image_noise": 0.25, "seed": 7}"#
      )
      #expect(answer.status == .ok, "\(answer.complaint ?? "")")
      #expect(try RGBImage(decoding: answer.bytes) == expected)
      let record = try #require(OptionValue(json: PNGText.texts(in: answer.bytes)[0].text))
      #expect(record["picture"] == "photo.png" && record["image_noise"] == 0.25)
      #expect(record["prompt"] == nil)
    }
  }

  @Test func `what is no picture, or too large a one, is one line`() async throws {
    try await withStudio { client in
      #expect(try await send(client, [1, 2, 3]).status == .badRequest)
      #expect(try await send(client, [], type: "text/plain").status == .unsupportedMediaType)
      let heavy = [UInt8](repeating: 0, count: (16 << 20) + 1)
      #expect(try await send(client, heavy).status == .contentTooLarge)
      // A file of a few kilobytes that says it has 36 million pixels.
      var bomb = try RGBImage(width: 8, height: 8, filledWith: Color(1, 2, 3)).encodedPNG()
      bomb.replaceSubrange(16..<24, with: [0, 0, 0x17, 0x70, 0, 0, 0x17, 0x70])
      let refused = try await send(client, bomb)
      #expect(refused.status == .badRequest && refused.complaint != nil)
      let gone = try await client.post("/api/paint", #"{"picture_id": "unknown", "seed": 7}"#)
      #expect(gone.status == .notFound && gone.json?["error"]?["code"] == "picture_gone")
    }
  }

  @Test func `the nearest training picture of one that is in the set is itself`() async throws {
    let folder = try TemporaryFolder()
    let zip = try await Emoji.pack(["red heart", "pizza", "full moon", "green book"], in: folder)
    try await withStudio(data: [zip]) { client in
      #expect(try await client.get("/api/model").json?["training_pictures"] == 4)
      for (number, prompt) in ["red heart", "pizza"].enumerated() {
        let order = #"{"prompt": "\#(prompt)", "seed": \#(number), "count": 3}"#
        let answer = try await client.post("/api/nearest", order)
        guard case .list(let found)? = answer.json?["nearest"] else {
          Issue.record("\(answer.complaint ?? "no list")")
          return
        }
        #expect(found.count == 3)
        #expect(found[0]["captions"] == [.string(prompt)])
        #expect((found[0]["similarity"]?.double ?? 0) > 0.99)
        let alike = found.compactMap { $0["similarity"]?.double }
        #expect(alike == alike.sorted(by: >))
        let index = try #require(found[0]["index"]?.int)
        let picture = try await client.get("/api/training?set=0&index=\(index)")
        let painted = try await client.post(
          "/api/paint",
          #"{"prompt": "\#(prompt)", "seed": \#(number)}"#
        )
        #expect(try RGBImage(decoding: picture.bytes) == RGBImage(decoding: painted.bytes))
      }
      for query in ["set=0&index=4", "set=1&index=0", "set=-1&index=0", "index=0", "set=0&index=x"]
      {
        #expect(try await client.get("/api/training?" + query).status == .notFound, "\(query)")
      }
      let wrong = try await client.post("/api/nearest", #"{"prompt": "a", "count": 0}"#)
      #expect(wrong.status == .badRequest)
    }
    let without = try await withStudio { try await $0.post("/api/nearest", #"{"prompt": "a"}"#) }
    #expect(without.status == .notFound && without.complaint?.contains("--data") == true)
    #expect(throws: StudioError.self) { try TrainingPictures([zip], clip: "other", dimension: 512) }
  }

  @Test func `the data behind a run is a sheet with captions`() async throws {
    let folder = try TemporaryFolder()
    let zip = try await Emoji.pack(["red heart", "pizza"], in: folder)
    let options = #"{"nifty": {"data": ["\#(zip)", "/nowhere.zip"]}}"#
    try folder.write(Array(options.utf8), to: "runs/00000-a/training_options.json")
    try await withStudio(runs: folder.file("runs")) { client in
      let sheet = try await client.get("/api/data?run=00000-a")
      guard case .list(let sets)? = sheet.json?["sets"] else {
        Issue.record("\(sheet.complaint ?? "no sets")")
        return
      }
      #expect(sets.count == 2 && sets[0]["images"] == 2 && sets[0]["name"] == "data.zip")
      #expect(sets[1]["trouble"]?.string?.contains("/nowhere.zip") == true)
      guard case .list(let samples)? = sets[0]["samples"] else {
        Issue.record("the set has no samples: \(sets[0].json)")
        return
      }
      #expect(samples.map { $0["captions"] } == [["red heart"], ["pizza"]])
      let picture = try await client.get("/api/sample?run=00000-a&set=0&index=1")
      #expect(try RGBImage(decoding: picture.bytes).width == 64)
      for query in ["set=0&index=2", "set=2&index=0", "set=1&index=0", "index=0"] {
        let answer = try await client.get("/api/sample?run=00000-a&" + query)
        #expect(answer.status == .notFound && answer.complaint != nil, "\(query)")
      }
    }
  }
}
