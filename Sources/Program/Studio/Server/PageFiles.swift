import Files
import HTTPTypes
import Hummingbird

/// The files of the page, embedded in the program.
struct PageFiles: Sendable {
  private struct File: Sendable {
    let bytes: [UInt8]
    let type: String
    let tag: String

    init(_ bytes: [UInt8], _ type: String) {
      self.bytes = bytes
      self.type = type
      tag = "\"" + bytes.withUnsafeBytes { SHA256.digest(of: $0) }.prefix(32) + "\""
    }
  }

  private let files: [String: File]

  init() {
    let script = "text/javascript; charset=utf-8"
    files = [
      "/": File(PackageResources.index_html, "text/html; charset=utf-8"),
      "/style.css": File(PackageResources.style_css, "text/css; charset=utf-8"),
      "/favicon.svg": File(PackageResources.favicon_svg, "image/svg+xml"),
      "/app.js": File(PackageResources.app_js, script),
      "/blend.js": File(PackageResources.blend_js, script),
      "/create.js": File(PackageResources.create_js, script),
      "/words.js": File(PackageResources.words_js, script),
      "/png.js": File(PackageResources.png_js, script),
      "/watch.js": File(PackageResources.watch_js, script),
      "/chart.js": File(PackageResources.chart_js, script),
      "/compare.js": File(PackageResources.compare_js, script),
      "/data.js": File(PackageResources.data_js, script),
      "/nearest.js": File(PackageResources.nearest_js, script),
      "/source.js": File(PackageResources.source_js, script),
      "/works.js": File(PackageResources.works_js, script),
      "/api/openapi.json": File(PackageResources.openapi_json, "application/json; charset=utf-8"),
    ]
  }

  /// The paths of all files.
  var paths: [String] { Array(files.keys) }

  /// A file, or 304 if the browser has it cached.
  func response(to request: Request) throws(RequestError) -> Response {
    guard let file = files[request.uri.path] else {
      throw RequestError("there is nothing at this address", status: .notFound)
    }
    let isKnown = request.headers[.ifNoneMatch] == file.tag
    var response =
      isKnown ? Response(status: .notModified) : Response(bytes: file.bytes, type: file.type)
    response.headers[.eTag] = file.tag
    response.headers[.cacheControl] = "no-cache"
    return response
  }
}
