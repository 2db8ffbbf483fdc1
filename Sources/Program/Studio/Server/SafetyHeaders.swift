import Console
import HTTPTypes
import Hummingbird

/// The outermost middleware: turns errors into JSON answers, and adds the security headers to every
/// answer.
struct SafetyHeaders: RouterMiddleware {
  typealias Context = StudioContext

  /// The method of each path.
  let methods: [String: HTTPRequest.Method]

  private static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """

  func handle(
    _ request: Request,
    context: StudioContext,
    next: (Request, StudioContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = answer(to: error, request)
    }
    response.headers[.contentSecurityPolicy] = Self.policy
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.xFrameOptions] = "DENY"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.permissionsPolicy] = "camera=(), microphone=(), geolocation=()"
    response.headers[.crossOriginOpenerPolicy] = "same-origin"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    return response
  }

  private func answer(to error: any Error, _ request: Request) -> Response {
    switch error {
    case let error as RequestError: return error.response
    case is CancellationError:
      return RequestError("the request was cancelled", status: .init(code: 499)).response
    case let error as HTTPError where error.status == .notFound:
      guard let method = methods[request.uri.path], method != request.method else {
        return RequestError("there is nothing at this address", status: .notFound).response
      }
      var response = RequestError("use \(method) here", status: .methodNotAllowed).response
      response.headers[.allow] = method == .get ? "GET, HEAD" : method.rawValue
      return response
    case let error as HTTPError:
      return RequestError(error.body ?? error.status.reasonPhrase, status: error.status).response
    default:
      // An internal error goes to the log only: it may contain paths of this machine.
      Console.error("\(request.method) \(request.uri.path.prefix(100)): \(error)")
      return RequestError("the server could not do this", status: .internalServerError).response
    }
  }
}
