import JSON
import Sampling

/// A request for an animation that interpolates between pictures.
struct WalkRequest: Equatable {
  /// The frames in order.
  let frames: [PictureRequest]
  /// Frames per second.
  let framesPerSecond: Double

  /// The most frames.
  static let mostFrames = 480
  private static let mostStops = 16

  /// Reads a request.
  ///
  /// - Parameter json: `stops`, each with `prompt`, `seed` and `truncation`; `frames` between two stops,
  ///   `fps`, `loop`, and `truncation_cutoff` and `noise` for all.
  /// - Throws: `RequestError` naming the key.
  init(json: OptionValue) throws(RequestError) {
    guard case .dictionary(let entries) = json else {
      throw RequestError("the body must be a JSON object")
    }
    let known = ["stops", "frames", "fps", "loop", "truncation_cutoff", "noise"]
    if let unknown = entries.first(where: { !known.contains($0.key) }) {
      throw RequestError("there is no setting \(unknown.key.prefix(40))", parameter: "body")
    }
    guard case .list(let list)? = json["stops"], (2...Self.mostStops).contains(list.count) else {
      throw RequestError("stops must be 2 to \(Self.mostStops) pictures", parameter: "stops")
    }
    let shared = entries.filter { ["truncation_cutoff", "noise"].contains($0.key) }
    var stops: [PictureRequest] = []
    for item in list {
      guard case .dictionary(let own) = item else {
        throw RequestError("each of stops must be a JSON object", parameter: "stops")
      }
      if let unknown = own.first(where: { !["prompt", "seed", "truncation"].contains($0.key) }) {
        throw RequestError("a stop has no setting \(unknown.key.prefix(40))", parameter: "stops")
      }
      stops.append(try PictureRequest(json: .dictionary(own + shared)))
    }
    guard stops[0].noise != .random else {
      throw RequestError(
        "noise of a walk is const or none: random noise jumps at stops",
        parameter: "noise"
      )
    }
    let count = try Self.number(json, "frames", 1...240, standard: 24)
    framesPerSecond = Double(try Self.number(json, "fps", 1...60, standard: 24))
    let isLoop = json.given("loop") == nil ? true : json["loop"]?.bool
    guard let isLoop else { throw RequestError("loop must be true or false", parameter: "loop") }
    let walk = Walk(stops: stops.count, framesOfLeg: count, isLoop: isLoop)
    guard walk.frames.count <= Self.mostFrames else {
      throw RequestError(
        "\(walk.frames.count) frames are too many: the limit is \(Self.mostFrames)",
        parameter: "frames"
      )
    }
    frames = walk.frames.map { frame in
      let to = stops[frame.to]
      var picture = stops[frame.from]
      picture.blend = .init(
        prompt: to.prompt,
        seed: to.seed,
        truncation: to.truncation,
        share: frame.share
      )
      return picture
    }
  }

  private static func number(
    _ json: OptionValue,
    _ key: String,
    _ range: ClosedRange<Int>,
    standard: Int
  ) throws(RequestError) -> Int {
    guard let value = json.given(key) else { return standard }
    guard let number = value.int, range.contains(number) else {
      throw RequestError(
        "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
        parameter: key
      )
    }
    return number
  }
}
