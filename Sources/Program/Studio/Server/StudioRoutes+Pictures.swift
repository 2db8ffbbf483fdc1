import Datasets
import HTTPTypes
import Hummingbird
import Images
import JSON

// Animations, uploads to condition on, and nearest training pictures.
extension StudioRoutes {
  /// An animation that interpolates between pictures, as an animated WebP file.
  func walk(_ request: Request, _ context: StudioContext) async throws -> Response {
    let walk = try WalkRequest(json: try await request.json())
    return try await slots.working("animations and searches") {
      var animation = try AnimatedWebP(width: model.resolution, height: model.resolution)
      var note: String?
      for (index, frame) in walk.frames.enumerated() {
        let painted = try await picture(frame, request, context)
        note = note ?? painted.note
        try animation.append(
          painted.image,
          milliseconds: AnimatedWebP.milliseconds(
            of: index..<index + 1,
            framesPerSecond: walk.framesPerSecond
          ),
          quality: AnimatedWebP.quality(ofWidth: model.resolution)
        )
      }
      var answer = Response(bytes: animation.file, type: "image/webp")
      answer.headers[.niftyNote] = note
      return answer
    }
  }

  /// Receives a picture to condition on.
  func take(_ request: Request) async throws -> Response {
    try await uploads.working("pictures") {
      let file = try await request.pictureFile(upTo: UploadedPictures.mostBytes)
      let name = try await given.keep(file, side: model.clipSide)
      return Response(json: ["picture_id": .string(name)])
    }
  }

  /// The nearest training pictures of a picture, from its settings and `count`.
  func nearest(_ request: Request, _ context: StudioContext) async throws -> Response {
    let training = try compared()
    var json = try await request.json()
    let count = json.given("count") == nil ? 12 : json["count"]?.int
    guard let count, (1...100).contains(count) else {
      throw RequestError("count must be a whole number from 1 to 100", parameter: "count")
    }
    if case .dictionary(let entries) = json {
      json = .dictionary(entries.filter { $0.key != "count" })
    }
    var wanted = try PictureRequest(json: json, given: given)
    wanted.wantsFeature = true
    return try await slots.working("animations and searches") { [wanted] in
      let painted = try await picture(wanted, request, context)
      let found = await training.matches(of: painted.feature ?? [], count: count)
      let list = found.map { match -> OptionValue in
        // An unreadable caption does not hide the picture.
        let captions = try? RunData.captions(training.sets[match.set], match.index)
        return [
          "set": .int(match.set), "index": .int(match.index),
          "similarity": .double(Double(match.similarity)), "captions": captions ?? .list([]),
        ]
      }
      return Response(json: ["nearest": .list(list), "pictures": .int(training.count)])
    }
  }

  /// A training picture: `set` and `index`.
  func trainingPicture(_ request: Request) throws -> Response {
    let training = try compared()
    let query = request.uri.queryParameters
    guard let number = query.number("set"), training.sets.indices.contains(number) else {
      throw RequestError("set must be from 0 to \(training.sets.count - 1)", status: .notFound)
    }
    return try Response(picture: query.number("index"), of: training.sets[number])
  }

  private func compared() throws(RequestError) -> TrainingPictures {
    guard let training else {
      throw RequestError(
        "no training pictures are known: start the studio with --data FILE.zip",
        status: .notFound
      )
    }
    return training
  }
}

extension Response {
  /// A picture of a packed set as a PNG file; an index out of range is a 404.
  init(picture index: Int?, of set: PackedDataset) throws {
    guard let index, (0..<set.count).contains(index) else {
      throw RequestError("index must be from 0 to \(set.count - 1)", status: .notFound)
    }
    do {
      self.init(bytes: try set.image(at: index).encodedPNG(), type: "image/png")
    } catch let error as DatasetError {
      throw RequestError("\(error)", status: .notFound, code: "unreadable")
    }
    headers[.cacheControl] = "private, max-age=60"
  }
}

extension Parameters {
  /// A parameter as a whole number, 0 or more; `nil` if it is missing or invalid.
  func number(_ name: String) -> Int? {
    guard let word = get(name), (1...12).contains(word.utf8.count),
      word.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int(word)
  }
}
