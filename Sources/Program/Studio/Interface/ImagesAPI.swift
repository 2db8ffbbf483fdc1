import Foundation
import HTTPTypes
import Hummingbird
import Images
import JSON
import Sampling

/// OpenAI's images API over the studio's model.
///
/// As extensions, a request may have `seed`, `truncation` and `noise`, and every picture of an answer has
/// its `seed`. An answer has a `note` if CLIP truncated the prompt.
struct ImagesAPI {
  let routes: StudioRoutes

  /// The most pictures of one request.
  private static let most = 10
  /// The largest side that pictures are scaled to.
  private static let largestSide = 2048

  /// `GET /v1/models`.
  var models: Response { Response(json: ["object": "list", "data": [entry]]) }

  /// `GET /v1/models/NAME`.
  func model(_ name: String?) throws(RequestError) -> Response {
    try expectOwn(name ?? "")
    return Response(json: entry)
  }

  /// `GET /v1/pictures/NAME.png`: a picture that was answered as a URL.
  func picture(_ name: String?) throws(RequestError) -> Response {
    guard let name, name.hasSuffix(".png"), let file = routes.kept.file(String(name.dropLast(4)))
    else {
      throw RequestError("this picture is not kept any more: ask again", status: .notFound)
    }
    return Response(bytes: file, type: "image/png")
  }

  /// `POST /v1/images/generations`.
  func generations(_ request: Request, _ context: StudioContext) async throws -> Response {
    let order = try Order(try await request.json(), resolution: routes.model.resolution)
    if let name = order.model { try expectOwn(name) }
    var data: [OptionValue] = []
    var note: String?
    for index in 0..<order.count {
      var wanted = order.picture
      wanted.seed &+= UInt64(index)
      let painted = try await routes.picture(wanted, request, context)
      note = painted.note
      data.append(item(try png(painted, side: order.side), wanted.seed, order, request))
    }
    let answer: OptionValue = [
      "created": .int(Int(Date().timeIntervalSince1970)), "data": .list(data),
      "size": .string("\(order.side)x\(order.side)"), "output_format": "png",
    ]
    let ignored: OptionValue? =
      order.ignored.isEmpty ? nil : .list(order.ignored.map { .string($0) })
    return Response(
      json: answer.adding("ignored", ignored).adding("note", note.map { .string($0) })
    )
  }

  private var entry: OptionValue {
    ["id": .string(routes.model.name), "object": "model", "created": 0, "owned_by": "nifty"]
  }

  private func expectOwn(_ name: String) throws(RequestError) {
    guard name == routes.model.name else {
      throw RequestError(
        "there is no model \(name.prefix(80)); this server has \(routes.model.name)",
        status: .notFound,
        parameter: "model",
        code: "model_not_found"
      )
    }
  }

  private func png(_ painted: PaintedPicture, side: Int) throws -> [UInt8] {
    if painted.image.width == side { return try painted.png() }
    return try painted.image.resized(width: side, height: side)
      .encodedPNG(texts: [painted.record.text])
  }

  private func item(
    _ png: [UInt8],
    _ seed: UInt64,
    _ order: Order,
    _ request: Request
  ) -> OptionValue {
    let seed = OptionValue.string(String(seed))
    if order.isInline {
      return ["b64_json": .string(Data(png).base64EncodedString()), "seed": seed]
    }
    let authority = request.head.authority ?? "localhost"
    return [
      "url": .string("http://\(authority)/v1/pictures/\(routes.kept.keep(png)).png"), "seed": seed,
    ]
  }

  /// The parameters of a request.
  struct Order: Equatable {
    var picture: PictureRequest
    var count = 1
    var side: Int
    var isInline = false
    var model: String?
    /// The API's parameters that have no effect here.
    var ignored: [String] = []

    private static let own = [
      "prompt", "n", "size", "response_format", "model", "seed", "truncation", "noise",
      "output_format",
    ]
    private static let foreign = [
      "quality", "style", "user", "background", "moderation", "output_compression", "stream",
      "partial_images",
    ]

    init(_ json: OptionValue, resolution: Int) throws(RequestError) {
      guard case .dictionary(let entries) = json else {
        throw RequestError("the body must be a JSON object")
      }
      for entry in entries where !Self.own.contains(entry.key) {
        guard Self.foreign.contains(entry.key) else {
          throw RequestError(
            "unknown parameter: \(entry.key.prefix(40))",
            parameter: String(entry.key.prefix(40)),
            code: "unknown_parameter"
          )
        }
        ignored.append(entry.key)
      }
      if json["stream"]?.bool == true {
        throw RequestError("stream is not supported: pictures come whole", parameter: "stream")
      }
      if let format = json.given("output_format"), format != "png" {
        throw RequestError("output_format must be png", parameter: "output_format")
      }
      side = try Self.side(json.given("size"), resolution)
      let settings = entries.filter { ["prompt", "seed", "truncation", "noise"].contains($0.key) }
      picture = try PictureRequest(json: .dictionary(settings))
      if json.given("seed") == nil { picture.seed = UInt64.random(in: 0..<1 << 32) }
      if let value = json.given("n") {
        guard let number = value.int, (1...ImagesAPI.most).contains(number) else {
          throw RequestError("n must be a whole number from 1 to \(ImagesAPI.most)", parameter: "n")
        }
        count = number
      }
      if let value = json.given("response_format") {
        guard let word = value.string, ["url", "b64_json"].contains(word) else {
          throw RequestError(
            "response_format must be url or b64_json",
            parameter: "response_format"
          )
        }
        isInline = word == "b64_json"
      }
      if let value = json.given("model") {
        guard let name = value.string else {
          throw RequestError("model must be a text", parameter: "model")
        }
        model = name
      }
    }

    private static func side(_ value: OptionValue?, _ resolution: Int) throws(RequestError) -> Int {
      guard let value, value != "auto" else { return resolution }
      let sides = (value.string ?? "").split(separator: "x", omittingEmptySubsequences: false)
        .map { Int($0) }
      guard sides.count == 2, let side = sides[0], sides[1] == side,
        (16...ImagesAPI.largestSide).contains(side)
      else {
        throw RequestError(
          "size must be auto or a square as \(resolution)x\(resolution), from 16 to "
            + "\(ImagesAPI.largestSide) pixels",
          parameter: "size"
        )
      }
      return side
    }
  }
}
