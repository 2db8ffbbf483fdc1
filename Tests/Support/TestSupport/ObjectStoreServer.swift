import Foundation

/// moto's server, which speaks S3 on 127.0.0.1 and checks every signature by botocore, in a process of its own.
///
/// It has the bucket `pairs`, and one user who may do everything with it.
package final class ObjectStoreServer: @unchecked Sendable {
  // Sendable: all properties are constant, and the process is only ended.

  /// How the server fails.
  package struct Weather: Sendable {
    /// Of so many requests the last is answered with 503 SlowDown, and the one in the middle is done and its answer
    /// lost; 0 for none.
    package var failsEvery = 0
    /// Seconds before each answer.
    package var delay = 0.0
    /// Bytes of the smallest part but the last; AWS's is 5 MiB.
    package var minimumPart = 5 << 20

    /// A server that does not fail.
    package init() {}
  }

  /// Whether moto is there.
  package static var isAvailable: Bool {
    Repository.python != nil && Repository.installed("moto/__init__.py") != nil
  }

  /// What the server accepts, and what must never be seen anywhere.
  package let (accessKey, secret): (String, String)
  /// Its address.
  package let endpoint: String
  private let process: Process
  private let input: Pipe

  /// Starts a server.
  package init(_ weather: Weather = Weather()) throws {
    struct Failure: Error { var reason: String }
    guard let python = Repository.python else { throw Failure(reason: "no Python") }
    process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = [
      "-B", "-c", Self.script, "\(weather.failsEvery)", "\(weather.delay)",
      "\(weather.minimumPart)",
    ]
    let output = Pipe()
    input = Pipe()
    process.standardOutput = output
    process.standardInput = input
    // Werkzeug writes a line for each request.
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while line.last != 0x0A {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { throw Failure(reason: "moto's server did not start") }
      line += more
    }
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count == 3 else { throw Failure(reason: "moto's server said \(words)") }
    endpoint = "http://127.0.0.1:\(words[0])"
    (accessKey, secret) = (String(words[1]), String(words[2]))
  }

  deinit { stop() }

  /// Ends the server.
  package func stop() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  /// The variables of a process that may use it; nothing of the machine's own settings.
  package var environment: [String: String] {
    [
      "AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secret,
      "AWS_ENDPOINT_URL_S3": endpoint,
      "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
      "AWS_PROFILE": "",
      "AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1",
      "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "",
    ]
  }

  /// Downloads all objects below a prefix by boto3, under the rest of their keys; the bytes of each are compared
  /// with the SHA-256 that is kept with it.
  ///
  /// - Returns: The uploads in parts that were begun and not ended.
  package func download(prefix: String, to folder: String) throws -> Int {
    try Int(python(Self.reader, prefix, folder)) ?? -1
  }

  /// Changes the store by Python: `s3` is boto3's client, `arguments` what is given.
  @discardableResult
  package func python(_ script: String, _ arguments: String...) throws -> String {
    let begin = """
      import hashlib, os, sys
      for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"]:
        os.environ.pop(name, None)
      import boto3
      from botocore.config import Config
      arguments = sys.argv[1:]
      s3 = boto3.client("s3", config=Config(retries={"max_attempts": 20, "mode": "standard"}))

      """
    let outcome = try nifty(
      ["-B", "-c", begin + script] + arguments,
      environment: environment,
      program: Repository.python
    )
    struct Failure: Error { var complaint: String }
    guard outcome.status == 0 else { throw Failure(complaint: outcome.errors) }
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static let reader = """
    prefix, folder = arguments
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="pairs", Prefix=prefix):
      for item in page.get("Contents", []):
        answer = s3.get_object(Bucket="pairs", Key=item["Key"])
        content = answer["Body"].read()
        kept = answer["Metadata"].get("nifty-sha256")
        assert kept in (None, hashlib.sha256(content).hexdigest()), item["Key"]
        path = os.path.join(folder, item["Key"][len(prefix):])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").write(content)
    print(len(s3.list_multipart_uploads(Bucket="pairs").get("Uploads", [])))
    """

  private static let script = """
    import itertools, socket, sys, threading, time
    import boto3
    from moto import settings
    import moto.s3.models
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    fails_every, delay, minimum_part = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    moto.s3.models.S3_UPLOAD_PART_MIN_SIZE = minimum_part
    application = DomainDispatcherApplication(create_backend_app)
    counter, is_open = itertools.count(1), False

    def weather(environ, start_response):
      if not is_open or fails_every == 0:
        return answer(environ, start_response)
      number = next(counter)
      if number % fails_every == 0:
        body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        start_response("503 Slow Down", [("Content-Length", str(len(body))), ("Connection", "close")])
        return [body]
      if number % fails_every == fails_every // 2:
        list(application(environ, lambda *a: None))
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        start_response("500 Lost", [("Content-Length", "0")])
        return [b""]
      return answer(environ, start_response)

    def answer(environ, start_response):
      time.sleep(delay if is_open else 0)
      return application(environ, start_response)

    server = make_server("127.0.0.1", 0, weather, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = dict(endpoint_url=f"http://127.0.0.1:{server.server_port}", region_name="us-east-1",
      aws_access_key_id="x", aws_secret_access_key="x")
    boto3.client("s3", **place).create_bucket(Bucket="pairs")
    iam = boto3.client("iam", **place)
    iam.create_user(UserName="nifty")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    iam.put_user_policy(UserName="nifty", PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName="nifty")["AccessKey"]
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    is_open = True
    print(server.server_port, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
    sys.stdin.read()
    """
}
