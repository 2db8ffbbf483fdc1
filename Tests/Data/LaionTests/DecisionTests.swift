import Foundation
import Laion
import Testing
import Web

@Suite struct ResponseDecisionTests {
  private let url = WebURL("https://example.com/a.jpg")
  private var settings: FetchSettings {
    var settings = FetchSettings()
    settings.maximumBytes = 1000
    settings.userAgent = "nifty/0.1 (+someone@example.com)"
    return settings
  }

  private func decide(
    _ status: Int,
    _ headers: [(name: String, value: String)] = [],
    redirects: Int = 0
  ) throws -> ResponseDecision {
    ResponseDecision(
      .init(status: status, headers: headers),
      from: try #require(url),
      redirects: redirects,
      settings: settings
    )
  }

  @Test func `a body of acceptable length is read`() throws {
    #expect(try decide(200) == .accept)
    #expect(try decide(200, [("Content-Length", "1000")]) == .accept)
    #expect(try decide(200, [("content-length", "nonsense")]) == .accept)
  }

  @Test func `a body of unacceptable length is not read`() throws {
    #expect(try decide(200, [("Content-Length", "1001")]) == .fail(.tooManyBytes, retryAfter: nil))
    #expect(try decide(200, [("Content-Length", "0")]) == .fail(.empty, retryAfter: nil))
  }

  @Test(arguments: [204, 206, 300, 304, 400, 401, 403, 404, 410, 418, 451, 500, 503])
  func `other statuses fail under their number`(status: Int) throws {
    #expect(try decide(status) == .fail(.status(status), retryAfter: nil))
  }

  @Test func `Retry-After in seconds is passed on`() throws {
    #expect(try decide(429, [("Retry-After", "7")]) == .fail(.status(429), retryAfter: 7))
    #expect(try decide(503, [("Retry-After", "-1")]) == .fail(.status(503), retryAfter: nil))
    for text in ["1e400", "nan", "soon", "", "Wed, 21 Oct"] {
      #expect(try decide(503, [("Retry-After", text)]) == .fail(.status(503), retryAfter: nil))
    }
  }

  @Test func `Retry-After as a date becomes a delay`() throws {
    let url = try #require(url)
    let date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for (now, wait) in [(1_792_567_660.0, 20.0), (1_792_567_700, 0)] {
      let decision = ResponseDecision(
        .init(status: 503, headers: [("Retry-After", date)]),
        from: url,
        redirects: 0,
        settings: settings,
        now: Date(timeIntervalSince1970: now)
      )
      #expect(decision == .fail(.status(503), retryAfter: wait))
    }
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func `redirects are followed up to the limit`(status: Int) throws {
    let next = try #require(WebURL("http://other.example.com/b"))
    let headers = [(name: "Location", value: "http://other.example.com/b")]
    #expect(try decide(status, headers) == .redirect(next))
    #expect(try decide(status, headers, redirects: 4) == .redirect(next))
    #expect(try decide(status, headers, redirects: 5) == .fail(.tooManyRedirects, retryAfter: nil))
    #expect(try decide(status) == .fail(.invalidRedirect, retryAfter: nil))
    let unix = [(name: "Location", value: "http+unix://x/y")]
    #expect(try decide(status, unix) == .fail(.invalidRedirect, retryAfter: nil))
  }

  @Test func `an image that opts out is not read`() throws {
    #expect(try decide(200, [("X-Robots-Tag", "noai")]) == .fail(.optedOut, retryAfter: nil))
  }

  @Test(arguments: [
    (["noai"], true), (["noimageai"], true), (["NoAI, noindex"], true), (["noindex , noai"], true),
    (["noindex", "noimageai"], true), (["nifty: noai"], true), (["NIFTY: noindex, noai"], true),
    (["*: noai"], true), (["unavailable_after: 1 Jan 2030 00:00:00 GMT, noai"], true),
    ([], false), ([""], false), (["noindex"], false), (["noaim"], false), (["all"], false),
    (["otherbot: noai"], false), (["otherbot: noindex, noai"], false),
    (["otherbot: noai, nifty: nofollow"], false), (["otherbot: noai, nifty: noai"], true),
  ])
  func `the robots tag is read as it is addressed`(values: [String], forbids: Bool) {
    let directives = ["noai", "noimageai"]
    #expect(RobotsTag.forbids(values, directives: directives, agent: "nifty") == forbids)
  }
}

@Suite struct RetryPolicyTests {
  private let policy = RetryPolicy(attempts: 3, delay: 2)

  private func wait(
    _ cause: FetchCause,
    attempt: Int = 1,
    retryAfter: Double? = nil,
    jitter: Double = 0.5
  ) -> Double? {
    policy.wait(after: cause, attempt: attempt, retryAfter: retryAfter, jitter: jitter)
  }

  @Test(
    arguments: [
      .timedOut, .connectionLost, .connectionFailed, .resolverFailed, .status(408), .status(429),
      .status(500),
      .status(502), .status(503), .status(504),
    ] as [FetchCause]
  )
  func `a transient failure is retried`(cause: FetchCause) {
    #expect(wait(cause) == 2)
  }

  @Test(
    arguments: [
      .invalidURL, .unknownHost, .blockedAddress, .encryptionFailed, .status(400), .status(403),
      .status(404), .status(410), .status(501), .tooManyRedirects, .optedOut, .tooManyBytes, .empty,
      .notAnImage, .truncatedImage, .tooSmall,
    ] as [FetchCause]
  )
  func `a permanent failure is not retried`(cause: FetchCause) {
    #expect(wait(cause) == nil)
  }

  @Test func `the backoff doubles with jitter`() {
    #expect(wait(.timedOut, attempt: 1, jitter: 0) == 1)
    #expect(wait(.timedOut, attempt: 2, jitter: 0) == 2)
    #expect(wait(.timedOut, attempt: 2, jitter: 0.5) == 4)
    #expect(wait(.timedOut, attempt: 3) == nil)
  }

  @Test func `Retry-After is respected or the row given up`() {
    #expect(wait(.status(429), retryAfter: 10) == 10)
    #expect(wait(.status(429), retryAfter: 1) == 2)
    #expect(wait(.status(429), retryAfter: 61) == nil)
  }
}

@Suite struct FetchCauseTests {
  @Test(
    arguments: [
      .invalidURL, .unknownHost, .resolverFailed, .blockedAddress, .connectionFailed,
      .encryptionFailed, .timedOut,
      .connectionLost, .invalidResponse, .status(404), .status(599), .tooManyRedirects,
      .invalidRedirect, .optedOut, .tooManyBytes, .empty, .notAnImage, .unsupportedImage,
      .corruptImage, .truncatedImage, .tooManyPixels, .noMemory, .tooSmall,
    ] as [FetchCause]
  )
  func `a cause is found by its name`(cause: FetchCause) {
    #expect(FetchCause(cause.description) == cause)
    #expect(cause.description != "unnamed")
  }

  @Test func `an unknown name is not a cause`() {
    #expect(FetchCause("HTTP") == nil)
    #expect(FetchCause("unnamed") == nil)
  }
}
