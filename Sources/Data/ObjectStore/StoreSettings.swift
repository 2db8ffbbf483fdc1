import Files
import Foundation
package import Web

/// Who signs requests, in which region, and where they go: from the variables and files that AWS's own tools
/// read.
package struct StoreSettings: Sendable {
  /// Who signs.
  package let credentials: Credentials
  /// The region of signatures.
  package let region: String
  /// The store; `nil` for AWS itself.
  package let endpoint: WebURL?

  /// Settings that are known.
  package init(credentials: Credentials, region: String, endpoint: WebURL?) {
    (self.credentials, self.region, self.endpoint) = (credentials, region, endpoint)
  }

  /// Collects the settings.
  ///
  /// | what | first found of |
  /// |---|---|
  /// | credentials | `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; the profile in the file of credentials; the profile in the file of settings |
  /// | profile | `AWS_PROFILE`, `default` |
  /// | endpoint | the argument, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `endpoint_url` of the profile's service or of the profile |
  /// | region | `AWS_REGION`, `AWS_DEFAULT_REGION`, `region` of the profile, `us-east-1` |
  /// | files | `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE`, `~/.aws/credentials` and `~/.aws/config` |
  ///
  /// - Parameters:
  ///   - given: The user's own word on the endpoint.
  ///   - environment: The variables of the process.
  /// - Throws: `StoreError` without credentials, for a profile that is nowhere, or an endpoint that is no
  ///   address. No message has a value of a file or variable but the endpoint's.
  package init(
    endpoint given: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(StoreError) {
    func variable(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    func file(_ name: String, _ standard: String) -> String? {
      let home = variable("HOME").map { "\($0)/.aws/\(standard)" }
      guard let named = variable(name) else { return home }
      guard named.hasPrefix("~/"), let folder = variable("HOME") else { return named }
      return folder + named.dropFirst()
    }
    let paths = (
      credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
      settings: file("AWS_CONFIG_FILE", "config")
    )
    var keys: [String: [String: String]] = [:]
    var configured: [String: [String: String]] = [:]
    if let path = paths.credentials { keys = try ProfileFile(path).sections }
    if let path = paths.settings { configured = try ProfileFile(path).sections }
    let named = variable("AWS_PROFILE")
    let profile = named ?? "default"
    let section =
      profile == "default" && configured["default"] != nil ? profile : "profile \(profile)"
    let settings = configured[section] ?? [:]
    if named != nil, keys[profile] == nil, configured[section] == nil {
      let places = [paths.credentials, paths.settings].compactMap { $0 }.joined(separator: " nor ")
      throw StoreError(
        .settings,
        "AWS_PROFILE names the profile \(profile), which is neither in \(places)"
      )
    }
    credentials = try Self.credentials(
      variable: variable,
      places: [
        (keys[profile] ?? [:], paths.credentials ?? ""), (settings, paths.settings ?? ""),
      ],
      profile: profile
    )
    region =
      variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") ?? settings["region"] ?? "us-east-1"
    guard !region.isEmpty, region.utf8.allSatisfy({ $0.isRegionCharacter }) else {
      throw StoreError(.settings, "the region has letters, digits and dashes; check AWS_REGION")
    }
    let services = settings["services"].flatMap { configured["services \($0)"] } ?? [:]
    let address =
      given ?? variable("AWS_ENDPOINT_URL_S3") ?? variable("AWS_ENDPOINT_URL")
      ?? services["s3.endpoint_url"] ?? settings["endpoint_url"]
    endpoint = try address.map { (text) throws(StoreError) in try Self.endpoint(text) }
  }

  private static func credentials(
    variable: (String) -> String?,
    places: [(settings: [String: String], path: String)],
    profile: String
  ) throws(StoreError) -> Credentials {
    let names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    switch (variable(names.0), variable(names.1)) {
    case (let key?, let secret?):
      return try Credentials(
        accessKey: key,
        secret: secret,
        token: variable("AWS_SESSION_TOKEN"),
        source: "the environment"
      )
    case (nil, nil): break
    case (let key, _):
      let (there, missing) = key == nil ? (names.1, names.0) : names
      throw StoreError(.settings, "\(there) is set and \(missing) is not; set both, or none")
    }
    for (settings, path) in places {
      guard let key = settings["aws_access_key_id"], let secret = settings["aws_secret_access_key"]
      else { continue }
      let token = settings["aws_session_token"].flatMap { $0.isEmpty ? nil : $0 }
      return try Credentials(
        accessKey: key,
        secret: secret,
        token: token,
        source: "profile \(profile) of \(path)"
      )
    }
    let other = places.flatMap(\.settings.keys).first { key in
      key.hasPrefix("sso_")
        || ["role_arn", "credential_process", "web_identity_token_file"].contains(key)
    }
    let reason = other.map { "profile \(profile) has \($0), which nifty does not follow: " } ?? ""
    throw StoreError(
      .settings,
      "no credentials for s3:// addresses: \(reason)set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        + "put aws_access_key_id and aws_secret_access_key under [\(profile)] into "
        + (places.first.flatMap { $0.path.isEmpty ? nil : $0.path } ?? "~/.aws/credentials")
    )
  }

  /// Reads the address of a store: an origin without a path.
  package static func endpoint(_ text: String) throws(StoreError) -> WebURL {
    guard let url = WebURL(text, ports: .all) else {
      throw StoreError(.settings, "the store's endpoint is wrong: \(WebURL.fault(text))")
    }
    guard url.target == "/" else {
      throw StoreError(
        .settings,
        "the store's endpoint must be an address without a path, as \(url.site), not \(url)"
      )
    }
    return url
  }
}

extension UInt8 {
  fileprivate var isRegionCharacter: Bool {
    (0x61...0x7A).contains(self) || (0x30...0x39).contains(self) || self == 0x2D
      || (0x41...0x5A).contains(self)
  }
}
