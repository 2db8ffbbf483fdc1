import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// The routes of the server of `nifty studio`.
package struct StudioRoutes: Sendable {
  /// The painting thread of the studio's model.
  package typealias Painting = PaintingThread<PictureRequest, PaintedPicture>

  let model: ModelAbout
  let painting: Painting
  let runs: RunsFolder?
  let access: Access
  let training: TrainingPictures?
  let connections = Connections()
  let kept = KeptPictures()
  let given = UploadedPictures()
  let runData = RunData()
  /// Slots of animations and searches, which take long, and of uploads, which take memory.
  let slots = Slots(4)
  let uploads = Slots(8)
  /// How long one answer of `/api/events` lasts; `nil` as long as its client listens.
  ///
  /// A browser asks again then.
  var longestEvents: Duration?
  private let page = PageFiles()

  /// The routes over an open model.
  ///
  /// - Parameters:
  ///   - model: The description of the model.
  ///   - painting: The thread that owns it.
  ///   - runs: The folder of runs to watch, if any.
  ///   - access: The access control.
  ///   - training: The sets for nearest-neighbour search, if any.
  package init(
    model: ModelAbout,
    painting: Painting,
    runs: RunsFolder?,
    access: Access,
    training: TrainingPictures? = nil
  ) {
    self.model = model
    self.training = training
    self.painting = painting
    self.runs = runs
    self.access = access
  }

  typealias Handler = @Sendable (Request, StudioContext) async throws -> Response

  struct Route: Sendable {
    let path: String
    let method: HTTPRequest.Method
    let handler: Handler

    init(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
      (self.path, self.method, self.handler) = (path, method, handler)
    }
  }

  /// The table of routes.
  func router() -> Router<StudioContext> {
    let routes = table
    let router = Router(context: StudioContext.self, options: .autoGenerateHeadEndpoints)
    let methods = routes.map { ($0.path, $0.method) }
    router.add(
      middleware: SafetyHeaders(methods: Dictionary(methods, uniquingKeysWith: { old, _ in old }))
    )
    router.add(middleware: AccessMiddleware(access: access))
    for route in routes {
      router.on(RouterPath(route.path), method: route.method, use: route.handler)
    }
    return router
  }

  /// Every path with its method, in the router's syntax.
  var table: [Route] {
    let page = self.page
    return page.paths.map { Route(.get, $0) { request, _ in try page.response(to: request) } } + [
      Route(.get, "/api/model") { _, _ in Response(json: about) },
      Route(.post, "/api/paint") { try await paint($0, $1) },
      Route(.post, "/api/walk") { try await walk($0, $1) },
      Route(.post, "/api/pictures") { request, _ in try await take(request) },
      Route(.post, "/api/nearest") { try await nearest($0, $1) },
      Route(.get, "/api/training") { request, _ in try trainingPicture(request) },
      Route(.get, "/v1/models") { _, _ in imagesAPI.models },
      Route(.get, "/v1/models/:model") { try imagesAPI.model($1.parameters.get("model")) },
      Route(.post, "/v1/images/generations") { try await imagesAPI.generations($0, $1) },
      Route(.get, "/v1/pictures/:name") { try imagesAPI.picture($1.parameters.get("name")) },
      Route(.get, "/api/runs") { _, _ in try watching.table },
      Route(.get, "/api/run") { request, _ in try watching.detail(request) },
      Route(.get, "/api/curve") { request, _ in try watching.curve(request) },
      Route(.get, "/api/grid") { request, _ in try watching.grid(request) },
      Route(.get, "/api/data") { request, _ in try watching.data(request) },
      Route(.get, "/api/sample") { request, _ in try watching.sample(request) },
      Route(.get, "/api/events") { _, context in try watching.events(context) },
    ]
  }

  private var imagesAPI: ImagesAPI { ImagesAPI(routes: self) }
  private var watching: WatchRoutes { WatchRoutes(routes: self) }

  private var about: OptionValue {
    [
      "name": .string(model.name), "resolution": .int(model.resolution),
      "images_seen": .int(model.imagesSeen), "layers": .int(model.layers),
      "network_sha256": .string(model.network), "clip_sha256": .string(model.clip),
      "watches": .bool(runs != nil), "training_pictures": .int(training?.count ?? 0),
    ]
  }

  /// One picture as a PNG file.
  private func paint(_ request: Request, _ context: StudioContext) async throws -> Response {
    let wanted = try PictureRequest(json: try await request.json(), given: given)
    let picture = try await self.picture(wanted, request, context)
    var answer = Response(bytes: try picture.png(), type: "image/png")
    answer.headers[.niftyNote] = picture.note
    return answer
  }

  /// Paints a picture when it is the client's turn; cancelled when the client disconnects.
  func picture(
    _ wanted: PictureRequest,
    _ request: Request,
    _ context: StudioContext
  ) async throws -> PaintedPicture {
    let (painting, client) = (painting, context.client(request))
    do {
      return try await connections.whileOpen(context.channel) {
        try await painting.picture(wanted, for: client)
      }
    } catch let full as Painting.Full {
      throw RequestError(
        full.isClientsShare
          ? "too many of your requests wait; try again in \(full.retryAfter) s"
          : "too many requests wait; try again in \(full.retryAfter) s",
        status: full.isClientsShare ? .tooManyRequests : .serviceUnavailable,
        code: "queue_full",
        retryAfter: full.retryAfter
      )
    }
  }
}
