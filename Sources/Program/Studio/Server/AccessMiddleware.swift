import HTTPTypes
import Hummingbird

/// Applies `Access` to every request, and moves the token from a URL into a cookie.
struct AccessMiddleware: RouterMiddleware {
  typealias Context = StudioContext

  let access: Access

  func handle(
    _ request: Request,
    context: StudioContext,
    next: (Request, StudioContext) async throws -> Response
  ) async throws -> Response {
    if access.token != nil, request.method == .get, request.uri.path == "/",
      let given = request.uri.queryParameters.get("token")
    {
      if let refusal = access.refusalOfOrigin(request.head) { throw refusal }
      guard access.accepts(given) else {
        throw RequestError("this is not the token that nifty studio printed", status: .unauthorized)
      }
      return Response(
        status: .seeOther,
        headers: [
          .location: "/",
          .setCookie: "\(Access.cookie)=\(given); Path=/; HttpOnly; SameSite=Strict",
        ]
      )
    }
    let cookie = request.cookies[Access.cookie]?.value
    if let refusal = access.refusal(of: request.head, cookieToken: cookie) { throw refusal }
    return try await next(request, context)
  }
}
