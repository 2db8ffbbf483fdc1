import Foundation
import Glibc
import Testing

/// A connection to a server of this machine, over which any bytes go.
package final class RawConnection: Sendable {
  private let descriptor: Int32

  /// Connects to a port of 127.0.0.1.
  package init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    try #require(connected == 0)
  }

  deinit { close(descriptor) }

  /// Sends a text.
  package func send(_ text: String) { send(Array(text.utf8)) }

  /// Sends bytes, as many as the server takes.
  package func send(_ bytes: [UInt8]) {
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// All that comes until the server closes the connection, an answer's `enough` is there, or nothing comes
  /// for so many seconds.
  ///
  /// Not on a thread of tasks, which the server needs.
  package func received(until enough: String? = nil, within seconds: Double = 20) async -> String {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(returning: self.read(until: enough, within: seconds))
      }
    }
  }

  /// The same on this thread.
  package func read(until enough: String? = nil, within seconds: Double = 20) -> String {
    wait(seconds)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count <= 0 { break }
      bytes += buffer[..<count]
      if let enough, String(decoding: bytes, as: UTF8.self).contains(enough) { break }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the server has closed the connection without a word, or does so within 20 seconds.
  package var isClosed: Bool {
    wait(20)
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, 0) == 0
  }

  private func wait(_ seconds: Double) {
    let whole = seconds.rounded(.down)
    var patience = timeval(tv_sec: Int(whole), tv_usec: Int((seconds - whole) * 1e6))
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
  }
}
