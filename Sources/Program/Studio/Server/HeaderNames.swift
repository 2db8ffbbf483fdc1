import HTTPTypes

extension HTTPField.Name {
  /// The page's client id, for the fair queue.
  static let niftyClient = name("Nifty-Client")
  /// A note about a picture, such as that its prompt was truncated.
  static let niftyNote = name("Nifty-Note")
  static let secFetchSite = name("Sec-Fetch-Site")
  static let secFetchMode = name("Sec-Fetch-Mode")
  static let xFrameOptions = name("X-Frame-Options")
  static let referrerPolicy = name("Referrer-Policy")
  static let permissionsPolicy = name("Permissions-Policy")
  static let crossOriginOpenerPolicy = name("Cross-Origin-Opener-Policy")
  static let crossOriginResourcePolicy = name("Cross-Origin-Resource-Policy")

  private static func name(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("no header name: \(text)") }
    return name
  }
}
