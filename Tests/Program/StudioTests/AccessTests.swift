import HTTPTypes
import Testing

@testable import Studio

@Suite("Who may ask the studio")
struct AccessTests {
  private func head(
    _ authority: String?,
    method: HTTPRequest.Method = .post,
    _ fields: HTTPFields = [:]
  ) -> HTTPRequest {
    HTTPRequest(
      method: method,
      scheme: "http",
      authority: authority,
      path: "/api/paint",
      headerFields: fields
    )
  }

  @Test(arguments: [
    "127.0.0.1:7770", "localhost:7770", "localhost", "[::1]:7770", "LOCALHOST:1",
  ])
  func `on loopback, requests to loopback's names need no token`(authority: String) {
    let access = Access(host: "127.0.0.1")
    #expect(access.token == nil)
    #expect(access.refusal(of: head(authority), cookieToken: nil) == nil)
  }

  @Test(arguments: [
    "evil.example", "evil.example:7770", "127.0.0.1.evil.example", "192.168.0.5", "", "localhost.",
    "localhost:7770@evil.example", "[::1", "localhost:abc",
  ])
  func `names of others that lead here are refused`(authority: String) {
    let refusal = Access(host: "127.0.0.1").refusal(of: head(authority), cookieToken: nil)
    #expect(refusal?.status == .misdirectedRequest)
  }

  @Test func `a request without a host is refused`() {
    let refusal = Access(host: "127.0.0.1").refusal(of: head(nil), cookieToken: nil)
    #expect(refusal?.status == .misdirectedRequest)
  }

  @Test(arguments: [
    "http://evil.example", "null", "https://localhost:7770", "http://localhost:9999",
    "http://localhost", "http://127.0.0.1:7770",
  ])
  func `pages of other origins are refused`(origin: String) {
    let request = head("localhost:7770", [.origin: origin])
    #expect(Access(host: "localhost").refusal(of: request, cookieToken: nil)?.status == .forbidden)
  }

  @Test func `the own page may ask, and so may no page`() {
    let access = Access(host: "localhost")
    let own = head(
      "localhost:7770",
      [.origin: "http://localhost:7770", .secFetchSite: "same-origin"]
    )
    #expect(access.refusal(of: own, cookieToken: nil) == nil)
    #expect(access.refusal(of: head("localhost:7770"), cookieToken: nil) == nil)
  }

  @Test(arguments: ["cross-site", "same-site", "anything"])
  func `a browser that says so is believed, but may open the page from a link`(site: String) {
    let access = Access(host: "localhost")
    let post = head("localhost:1", [.secFetchSite: site, .secFetchMode: "no-cors"])
    #expect(access.refusal(of: post, cookieToken: nil)?.status == .forbidden)
    let form = head("localhost:1", [.secFetchSite: site, .secFetchMode: "navigate"])
    #expect(access.refusal(of: form, cookieToken: nil)?.status == .forbidden)
    let image = head("localhost:1", method: .get, [.secFetchSite: site, .secFetchMode: "no-cors"])
    #expect(access.refusal(of: image, cookieToken: nil)?.status == .forbidden)
    let link = head("localhost:1", method: .get, [.secFetchSite: site, .secFetchMode: "navigate"])
    #expect(access.refusal(of: link, cookieToken: nil) == nil)
  }

  @Test func `any other address takes the token, as a cookie or a bearer token, and nothing else`()
    throws
  {
    let access = Access(host: "0.0.0.0")
    let token = try #require(access.token)
    #expect(token.count == 48)
    #expect(token != Access(host: "0.0.0.0").token)
    let bare = head("192.168.0.5:7770")
    #expect(access.refusal(of: bare, cookieToken: nil)?.status == .unauthorized)
    #expect(access.refusal(of: bare, cookieToken: "")?.status == .unauthorized)
    #expect(
      access.refusal(of: bare, cookieToken: String(token.dropLast()))?.status == .unauthorized
    )
    #expect(access.refusal(of: bare, cookieToken: token) == nil)
    let bearer = head("192.168.0.5:7770", [.authorization: "Bearer \(token)"])
    #expect(access.refusal(of: bearer, cookieToken: nil) == nil)
    let wrong = head("192.168.0.5:7770", [.authorization: "Bearer x\(token)"])
    #expect(access.refusal(of: wrong, cookieToken: token)?.status == .unauthorized)
    let rebound = head("evil.example:7770")
    #expect(access.refusal(of: rebound, cookieToken: token)?.status == .misdirectedRequest)
  }

  @Test(arguments: [
    ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true), ("[::1]", true),
    ("0.0.0.0", false), ("::", false), ("192.168.0.5", false), ("127.0.0.1.evil.example", false),
  ])
  func `loopback is what only this machine reaches`(host: String, isLoopback: Bool) {
    #expect(Access.isLoopback(host) == isLoopback)
  }
}
