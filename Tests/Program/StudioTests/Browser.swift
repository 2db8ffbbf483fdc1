import Dispatch
import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// Chromium without a window, told what to do over its pipe of the DevTools protocol.
final class Browser: @unchecked Sendable {
  // Sendable: `queue` runs everything that touches the mutable state, one after the other.

  /// The program, if it is installed.
  static let program: String? = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
    .first { access($0, X_OK) == 0 }

  private let process = Process()
  private let folder: TemporaryFolder
  private let (input, output): (Int32, Int32)
  private let queue = DispatchQueue(label: "browser")
  private var received: [UInt8] = []
  private var lastID = 0
  private var session: String?
  private var messages: [OptionValue] = []

  /// Starts a browser with one empty page.
  ///
  /// - Parameter language: Of the browser, as "ja".
  /// - Throws: `BrowserError` if it does not answer.
  init(language: String = "en") async throws {
    folder = try TemporaryFolder()
    let (to, from) = (folder.file("to"), folder.file("from"))
    try #require(mkfifo(to, 0o600) == 0 && mkfifo(from, 0o600) == 0)
    // Both ends each: so neither waits for the other.
    (input, output) = (open(to, O_RDWR | O_CLOEXEC), open(from, O_RDWR | O_CLOEXEC))
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", #"exec "$0" "$@" 3<"$TO" 4>"$FROM" 2>/dev/null"#, try #require(Self.program),
      "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
      "--no-first-run", "--disable-dev-shm-usage", "--user-data-dir=" + folder.file("profile"),
      "--lang=" + language, "--accept-lang=" + language, "about:blank",
    ]
    let language = language == "ja" ? "ja_JP.UTF-8" : "C.UTF-8"
    process.environment = [
      "TO": to, "FROM": from, "PATH": "/usr/bin:/bin", "HOME": folder.path, "LANGUAGE": language,
    ]
    try process.run()
    let targets = try await call("Target.getTargets")
    guard case .list(let infos)? = targets["targetInfos"],
      let page = infos.first(where: { $0["type"] == "page" })?["targetId"]
    else { throw BrowserError("no page") }
    let attached = try await call("Target.attachToTarget", ["targetId": page, "flatten": true])
    session = attached["sessionId"]?.string
    for domain in ["Page", "Runtime", "Log", "DOM"] { _ = try await call(domain + ".enable") }
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
    close(input)
    close(output)
  }

  /// Opens an address.
  func visit(_ address: String) async throws {
    _ = try await call("Page.navigate", ["url": .string(address)])
  }

  /// The value of an expression on the page.
  func value(_ expression: String) async throws -> OptionValue {
    let answer = try await call(
      "Runtime.evaluate",
      ["expression": .string(expression), "awaitPromise": true, "returnByValue": true]
    )
    if let failure = answer["exceptionDetails"] { throw BrowserError(failure.json) }
    return answer["result"]?["value"] ?? .null
  }

  /// Waits until an expression is true on the page.
  func wait(for expression: String, sourceLocation: SourceLocation = #_sourceLocation) async throws
  {
    for _ in 0..<600 {
      // A page that is being replaced answers with an error.
      if let value = try? await value(expression), value == true { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("never true: \(expression)", sourceLocation: sourceLocation)
  }

  /// Chooses a file in a field of the page.
  func choose(_ file: String, in selector: String) async throws {
    let document = try await call("DOM.getDocument")
    let node = try await call(
      "DOM.querySelector",
      ["nodeId": document["root"]?["nodeId"] ?? .null, "selector": .string(selector)]
    )
    _ = try await call(
      "DOM.setFileInputFiles",
      ["files": [.string(file)], "nodeId": node["nodeId"] ?? .null]
    )
  }

  /// What the console and the log complained about so far.
  var complaints: [String] {
    queue.sync {
      messages.filter {
        $0["method"] == "Runtime.exceptionThrown" || $0["method"] == "Runtime.consoleAPICalled"
          || $0["method"] == "Log.entryAdded"
      }.map(\.json)
    }
  }

  private func call(_ method: String, _ parameters: OptionValue = [:]) async throws -> OptionValue {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try self.exchange(method, parameters) }) }
    }
  }

  private func exchange(_ method: String, _ parameters: OptionValue) throws -> OptionValue {
    lastID += 1
    let call: OptionValue = [
      "id": .int(lastID), "method": .string(method), "params": parameters,
    ]
    let bytes = Array(call.adding("sessionId", session.map { .string($0) }).json.utf8) + [0]
    try #require(write(input, bytes, bytes.count) == bytes.count)
    while true {
      let message = try nextMessage()
      guard message["id"]?.int == lastID else {
        messages.append(message)
        continue
      }
      if let error = message["error"] { throw BrowserError("\(method): \(error.json)") }
      return message["result"] ?? .null
    }
  }

  private func nextMessage() throws -> OptionValue {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = received.firstIndex(of: 0) {
        let text = String(decoding: received[..<end], as: UTF8.self)
        received.removeSubrange(...end)
        guard let message = OptionValue(json: text) else { throw BrowserError("no JSON: \(text)") }
        return message
      }
      var waited = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&waited, 1, 60_000) == 1 else { throw BrowserError("no answer") }
      let count = read(output, &buffer, buffer.count)
      received += buffer[..<max(count, 0)]
    }
  }
}

/// What went wrong with the browser.
struct BrowserError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
