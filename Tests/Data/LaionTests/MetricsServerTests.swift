import Foundation
import Glibc
import Laion
import Testing

@Suite("Metrics server", .timeLimit(.minutes(1))) struct MetricsServerTests {
  /// Connects to a port of this machine.
  private func connection(to port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    return descriptor
  }

  /// What the server answers; empty where it hangs up.
  private func answer(at port: Int) throws -> String {
    let descriptor = try connection(to: port)
    defer { close(descriptor) }
    let request = Array("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
    var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count <= 0 { return String(decoding: text, as: UTF8.self) }
      text += buffer[..<count]
    }
  }

  /// On a thread of its own: the tasks of other tests need those of the runtime.
  private func aside<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws
    -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }

  @Test func `an idle client is disconnected, and takes no more than its slot`()
    async throws
  {
    let server = try await MetricsServer(port: 0, deadline: 4)
    let port = server.port
    let (refused, ended, answered) = try await aside {
      let idle = try (0..<MetricsServer.maximumConnections).map { _ in try connection(to: port) }
      defer { for descriptor in idle { close(descriptor) } }
      usleep(300_000)
      let refused = try answer(at: port)
      // Each idle connection ends by itself.
      var byte: UInt8 = 0
      let ended = idle.count { recv($0, &byte, 1, 0) == 0 }
      return (refused, ended, try answer(at: port))
    }
    #expect(refused == "" && ended == MetricsServer.maximumConnections)
    #expect(answered.contains("nifty_laion_pairs_total"))
    await server.shutDown()
  }
}
