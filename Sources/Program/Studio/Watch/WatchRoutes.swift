import Files
import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// The routes of the page that watches runs.
struct WatchRoutes: Sendable {
  let routes: StudioRoutes
  private var runs: RunsFolder? { routes.runs }

  private func watched() throws(RequestError) -> RunsFolder {
    guard let runs else {
      throw RequestError(
        "no runs are watched: start the studio with --runs FOLDER",
        status: .notFound
      )
    }
    return runs
  }

  /// The table of runs.
  var table: Response {
    get throws {
      let runs = try watched()
      return try reading { Response(json: try Self.rows(runs)) }
    }
  }

  private static func rows(_ runs: RunsFolder) throws(FileError) -> OptionValue {
    let table = try runs.table()
    return [
      "folder": .string(runs.path), "runs": .list(table.runs.map(\.json)),
      "works": .list(table.works.map(\.json)),
    ]
  }

  /// The statistics, grids, marks, options and last log lines of a run.
  func detail(_ request: Request) throws -> Response {
    let folder = try watched().folder(of: request.uri.queryParameters.get("run"))
    return try reading { Response(json: try RunDetail(folder).json) }
  }

  /// A statistic of a run: `run`, `statistic`, at most `points` of it, smoothed by `smooth`.
  func curve(_ request: Request) throws -> Response {
    let query = request.uri.queryParameters
    guard let run = query.get("run"), let name = query.get("statistic"), name.utf8.count < 200
    else {
      throw RequestError("run and statistic are needed")
    }
    let count = query.get("points").flatMap { Int($0) } ?? 1000
    let weight = query.get("smooth").flatMap { Double($0) } ?? 0
    guard (2...20_000).contains(count), (0..<1).contains(weight) else {
      throw RequestError("points must be from 2 to 20000, smooth from 0 to below 1")
    }
    let runs = try watched()
    return try reading {
      let all = try runs.curve(name, of: run).points
      let smooth = weight > 0 ? Self.json(all.smoothed(weight).thinned(to: count)) : .null
      return Response(
        json: [
          "count": .int(all.count), "points": Self.json(all.thinned(to: count)), "smooth": smooth,
        ]
      )
    }
  }

  private static func json(_ points: [Curve.Point]) -> OptionValue {
    .list(points.map { .list([.double($0.kimg), .double($0.hours), .double($0.value)]) })
  }

  /// A sample grid of a run: `run` and `kimg`, or `reals`.
  func grid(_ request: Request) throws -> Response {
    let query = request.uri.queryParameters
    let folder = try watched().folder(of: query.get("run"))
    guard let name = RunDetail.gridName(query.get("kimg")) else {
      throw RequestError("kimg must be a whole number or reals", parameter: "kimg")
    }
    return try reading {
      let file = try OpenedFile("\(folder)/\(name)")
      guard file.size <= 256 << 20 else { throw RequestError("\(name) is too large to show") }
      let bytes = try file.bytes(from: 0, count: file.size)
      var response = Response(bytes: bytes, type: "image/png")
      // A grid is written once, or again after a rollback.
      response.headers[.cacheControl] = "private, max-age=60"
      return response
    }
  }

  /// The packed sets of a run, with pictures and captions of each.
  func data(_ request: Request) throws -> Response {
    let folder = try watched().folder(of: request.uri.queryParameters.get("run"))
    return try reading { Response(json: try routes.runData.sheet(of: folder)) }
  }

  /// A picture of a run's set: `run`, `set` and `index`.
  func sample(_ request: Request) throws -> Response {
    let query = request.uri.queryParameters
    let folder = try watched().folder(of: query.get("run"))
    return try reading {
      let set = try routes.runData.set(query.number("set") ?? -1, of: folder)
      return try Response(picture: query.number("index"), of: set)
    }
  }

  /// The table whenever it changes, as server-sent events.
  func events(_ context: StudioContext) throws -> Response {
    let runs = try watched()
    let (channel, connections) = (context.channel, routes.connections)
    let end = routes.longestEvents.map { ContinuousClock.now + $0 }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
      body: ResponseBody { writer in
        guard connections.addListener() else {
          let full: OptionValue = ["trouble": "too many pages watch the runs: close some"]
          try await writer.write(ByteBuffer(string: "event: trouble\ndata: \(full.json)\n\n"))
          try await writer.finish(nil)
          return
        }
        defer { connections.removeListener() }
        var last = ""
        var quiet = 0
        while channel.isActive, end.map({ $0 > .now }) ?? true {
          let data: String
          do {
            data = "event: runs\ndata: \(try Self.rows(runs).finite.json)\n\n"
          } catch {
            let trouble: OptionValue = ["trouble": .string("\(error)")]
            data = "event: trouble\ndata: \(trouble.json)\n\n"
          }
          quiet += 1
          if data != last {
            try await writer.write(ByteBuffer(string: data))
            (last, quiet) = (data, 0)
          } else if quiet >= 15 {
            try await writer.write(ByteBuffer(string: ": still here\n\n"))
            quiet = 0
          }
          let next = ContinuousClock.now + .seconds(1)
          try await Task.sleep(until: end.map { min($0, next) } ?? next)
        }
        try await writer.finish(nil)
      }
    )
  }

  /// Reads a run's files; a missing or damaged one is an error of one line for the client.
  private func reading(_ body: () throws -> Response) throws -> Response {
    do { return try body() } catch let error as FileError {
      throw RequestError("\(error)", status: .notFound, code: "unreadable")
    }
  }
}
