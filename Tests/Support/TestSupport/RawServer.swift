import Foundation
import Glibc

/// A server that sends exactly the bytes it is told to: what no honest HTTP library would send.
package final class RawServer: @unchecked Sendable {
  // Sendable: what varies is only touched under `lock`.

  /// How a path answers.
  package indirect enum Script: Sendable {
    /// These bytes; then the connection closes.
    case send([UInt8])
    /// These bytes; then nothing more, without closing.
    case hang([UInt8])
    /// These bytes, and then the others over and over.
    case forever([UInt8], then: [UInt8])
    /// The bytes one at a time, a pause before each.
    case drip([UInt8], pause: UInt32)
    /// These bytes; then the connection is reset.
    case reset([UInt8])
    /// These bytes to the first request of a connection, no word to the second.
    case keep([UInt8])
    /// Another script, after so many microseconds.
    case delayed(UInt32, Script)
    /// The first script for the first request and so on; the last one for all further requests.
    case sequence([Script])

    /// Status 200 with these bytes; then the connection closes.
    package static func ok(_ bytes: [UInt8]) -> Script {
      let head = "HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\nConnection: close\r\n\r\n"
      return .send(Array(head.utf8) + bytes)
    }

    /// A status without a body.
    package static func status(_ code: Int) -> Script {
      let head = "HTTP/1.1 \(code) No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
      return .send(Array(head.utf8))
    }
  }

  package let port: Int

  private let listener: Int32
  private let answer: @Sendable (String) -> Script
  // Sent at once to whoever connects, before any request.
  private let greeting: Script?
  private let lock = NSLock()
  private var connections: Set<Int32> = []
  private var isStopped = false
  private var connectionCount = 0
  private var requests: [String: Int] = [:]

  /// How many requests there were in all.
  package var totalCount: Int { lock.withLock { requests.values.reduce(0, +) } }

  /// The address of a path.
  package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  /// Connections accepted so far.
  package var accepted: Int { lock.withLock { connectionCount } }

  /// Listens on all of this machine's addresses, 127.0.0.1 and 127.0.0.2 among them; or on one.
  ///
  /// - Parameters:
  ///   - routes: How each path answers; others answer 404.
  ///   - greeting: Sent at once to whoever connects, before any request.
  ///   - port: The port; 0 for one that is free.
  ///   - only: The only address to listen on; its bytes, four or sixteen of them.
  /// - Throws: When the port is taken.
  package convenience init(
    _ routes: [String: Script],
    greeting: Script? = nil,
    port: Int = 0,
    address only: [UInt8] = [0, 0, 0, 0]
  ) throws {
    try self.init(greeting: greeting, port: port, address: only) { routes[$0] ?? .status(404) }
  }

  /// The same, with paths beyond counting.
  package init(
    greeting: Script? = nil,
    port: Int = 0,
    address only: [UInt8] = [0, 0, 0, 0],
    answer: @escaping @Sendable (String) -> Script
  ) throws {
    self.answer = answer
    self.greeting = greeting
    let isV6 = only.count == 16
    let listener = socket(isV6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    // The beginnings of `sockaddr_in` and `sockaddr_in6`: family, port, and where the address is.
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(isV6 ? AF_INET6 : AF_INET)
    withUnsafeMutableBytes(of: &storage) { bytes in
      bytes[2] = UInt8(port >> 8)
      bytes[3] = UInt8(port & 0xFF)
      for (offset, byte) in only.enumerated() { bytes[(isV6 ? 8 : 4) + offset] = byte }
    }
    var length = socklen_t(isV6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 256) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    self.port = withUnsafeBytes(of: &storage) { Int($0[2]) << 8 | Int($0[3]) }
    guard bound else { throw POSIXError(.EADDRINUSE) }
    Thread.detachNewThread { [self] in accept() }
  }

  /// Closes all of its connections, and takes no more.
  package func stop() {
    lock.withLock {
      isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func accept() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      if connection < 0 {
        if lock.withLock({ isStopped }) { break }
        continue
      }
      lock.withLock {
        connections.insert(connection)
        connectionCount += 1
      }
      Thread.detachNewThread { [self] in
        serve(connection)
        lock.withLock {
          connections.remove(connection)
          close(connection)
        }
      }
    }
    close(listener)
  }

  private func serve(_ connection: Int32) {
    if let greeting { return play(greeting, connection) }
    guard let path = requestedPath(connection) else { return }
    let number = lock.withLock {
      requests[path, default: 0] += 1
      return (requests[path] ?? 1) - 1
    }
    play(answer(path), connection, number)
  }

  private func play(_ script: Script, _ connection: Int32, _ number: Int = 0) {
    switch script {
    case .delayed(let pause, let script):
      usleep(pause)
      play(script, connection, number)
    case .sequence(let scripts):
      play(scripts[min(number, scripts.count - 1)], connection)
    case .send(let bytes):
      _ = send(bytes, connection)
      shutdown(connection, Int32(SHUT_WR))
      waitForEnd(connection)
    case .keep(let bytes):
      // Closing when the second request is there is what a close in the same moment looks like.
      if send(bytes, connection) { _ = requestedPath(connection) }
    case .hang(let bytes):
      if send(bytes, connection) { waitForEnd(connection) }
    case .forever(let bytes, let more):
      guard send(bytes, connection) else { return }
      // Not faster than the client can look at it on a busy machine.
      while send(more, connection) { usleep(2000) }
    case .drip(let bytes, let pause):
      for byte in bytes {
        usleep(pause)
        if !send([byte], connection) { return }
      }
    case .reset(let bytes):
      _ = send(bytes, connection)
      // Long enough that the bytes arrive before the reset discards them.
      usleep(30_000)
      var lingering = linger(l_onoff: 1, l_linger: 0)
      setsockopt(
        connection,
        SOL_SOCKET,
        SO_LINGER,
        &lingering,
        socklen_t(MemoryLayout<linger>.size)
      )
    }
  }

  private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(
          connection,
          buffer.baseAddress.map { $0 + done },
          bytes.count - done,
          Int32(MSG_NOSIGNAL)
        )
      }
      if count <= 0 { return false }
      done += count
    }
    return true
  }

  private func waitForEnd(_ connection: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while recv(connection, &buffer, buffer.count, 0) > 0 {}
  }

  private func requestedPath(_ connection: Int32) -> String? {
    var request: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !String(decoding: request, as: UTF8.self).contains("\r\n\r\n") {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return nil }
      request += buffer[..<count]
    }
    let words = String(decoding: request, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? String(words[1]) : nil
  }
}
