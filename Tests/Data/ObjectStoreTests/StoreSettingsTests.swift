import Foundation
import TestSupport
import Testing
import Web

@testable import ObjectStore

/// Who signs, and where requests go.
@Suite("Settings of a store")
struct StoreSettingsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func settings(
    _ variables: [String: String] = [:],
    credentials: String? = nil,
    config: String? = nil,
    endpoint: String? = nil
  ) throws -> StoreSettings {
    if let credentials { try folder.write(Array(credentials.utf8), to: ".aws/credentials") }
    if let config { try folder.write(Array(config.utf8), to: ".aws/config") }
    return try StoreSettings(
      endpoint: endpoint,
      environment: ["HOME": folder.path].merging(variables) { $1 }
    )
  }

  private func complaint(
    _ variables: [String: String] = [:],
    credentials: String? = nil,
    config: String? = nil,
    endpoint: String? = nil
  ) throws -> String {
    let error = #expect(throws: StoreError.self) {
      try settings(variables, credentials: credentials, config: config, endpoint: endpoint)
    }
    return "\(try #require(error))"
  }

  private static let keys = ["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"]
  private static let file = """
    \u{FEFF}# mine\r
    [default]\r
    aws_access_key_id = AKdefault\r
    aws_secret_access_key=SKdefault\r

    [ other ]
      AWS_ACCESS_KEY_ID = AKother   # a remark
      aws_secret_access_key = SK=other/+
      aws_session_token = TOKEN
    ; the end
    """

  @Test func `variables come before files, and the token with them`() throws {
    let found = try settings(
      Self.keys.merging(["AWS_SESSION_TOKEN": "T"]) { $1 },
      credentials: Self.file
    )
    #expect(found.credentials.accessKey == "AK" && found.credentials.secret == "SK")
    #expect(found.credentials.token == "T" && found.region == "us-east-1" && found.endpoint == nil)
  }

  @Test func `a profile is found whatever its lines look like`() throws {
    let standard = try settings(credentials: Self.file)
    #expect(
      standard.credentials.accessKey == "AKdefault" && standard.credentials.secret == "SKdefault"
    )
    #expect(standard.credentials.token == nil)
    let other = try settings(["AWS_PROFILE": "other"])
    #expect(other.credentials.accessKey == "AKother" && other.credentials.secret == "SK=other/+")
    #expect(other.credentials.token == "TOKEN")
    #expect(
      "\(other.credentials)"
        == "credentials from profile other of \(folder.file(".aws/credentials"))"
    )
  }

  @Test func `region and endpoint come from the file of settings, services and nested lines too`()
    throws
  {
    let config = """
      [profile lab]
      region = eu-north-1
      endpoint_url = https://general.example
      services = lab-services
      s3 =
        max_concurrent_requests = 20
      aws_access_key_id = AKlab
      aws_secret_access_key = SKlab
      [services lab-services]
      s3 =
        endpoint_url = https://store.example:9000
      """
    let found = try settings(["AWS_PROFILE": "lab"], config: config)
    #expect(found.region == "eu-north-1" && found.credentials.accessKey == "AKlab")
    #expect(found.endpoint?.description == "https://store.example:9000/")
    let variables = [
      "AWS_PROFILE": "lab", "AWS_ENDPOINT_URL": "http://one.example", "AWS_REGION": "eu-west-3",
    ]
    let named = try settings(variables)
    #expect(named.endpoint?.host == "one.example" && named.region == "eu-west-3")
    let nearer = try settings(
      variables.merging(["AWS_ENDPOINT_URL_S3": "http://two.example"]) { $1 }
    )
    #expect(nearer.endpoint?.host == "two.example")
    let given = try settings(variables, endpoint: "http://127.0.0.1:9000")
    #expect(given.endpoint?.site == "http://127.0.0.1:9000")
  }

  @Test func `what is missing is told, with what to do and without what the files hold`() throws {
    #expect(try complaint().contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put"))
    #expect(
      try complaint(["AWS_PROFILE": "none"], credentials: Self.file)
        .contains("AWS_PROFILE names the profile none")
    )
    #expect(
      try complaint(["AWS_ACCESS_KEY_ID": "AK"]).contains("AWS_SECRET_ACCESS_KEY is not; set both")
    )
    let role = "[profile r]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n"
    #expect(
      try complaint(["AWS_PROFILE": "r"], config: role).contains(
        "has role_arn, which nifty does not follow"
      )
    )
    let damaged = "[default]\naws_access_key_id = A\nSECRETWITHOUTNAME\n"
    let text = try complaint(credentials: damaged, config: "")
    #expect(text.contains("line 3 of ") && !text.contains("SECRETWITHOUTNAME"))
    #expect(try complaint(credentials: "key = value\n").contains("line 1 of "))
    #expect(try complaint(credentials: "[open\n").contains("line 1 of "))
    let blank = "[default]\naws_access_key_id = A\naws_secret_access_key = two words\n"
    #expect(try complaint(credentials: blank).contains("has a blank"))
  }

  @Test(arguments: [
    "ftp://x", "http://x/path", "http://", "x", "http://u:SECRET@x", "http://x?a=b",
  ])
  func `an endpoint is the address of a server and nothing else`(text: String) throws {
    let said = try complaint(Self.keys, endpoint: text)
    #expect(said.contains("endpoint") && !said.contains("SECRET"), "\(said)")
  }

  @Test func `a file that is no text, or very large, is told by its name`() throws {
    try folder.write([0xFF, 0xFE, 0x00], to: ".aws/credentials")
    #expect(try complaint().contains("is not UTF-8"))
    try folder.write(.init(repeating: 0x0A, count: 2 << 20), to: ".aws/credentials")
    #expect(try complaint().contains("larger than 1 MiB"))
  }

  @Test func `what prints credentials does not show them`() throws {
    let credentials = try Credentials(
      accessKey: "AKID",
      secret: "SECRET",
      token: "TOKEN",
      source: "a test"
    )
    var dumped = ""
    dump(credentials, to: &dumped)
    let settings = StoreSettings(credentials: credentials, region: "r", endpoint: nil)
    for text in [
      "\(credentials)", String(reflecting: credentials), dumped, "\(settings)", "\([settings])",
    ] {
      #expect(
        !text.contains("SECRET") && !text.contains("TOKEN") && !text.contains("AKID"),
        "\(text)"
      )
    }
    #expect(credentials.redacting("a SECRET, a TOKEN and AKID") == "a …, a … and …")
  }
}
