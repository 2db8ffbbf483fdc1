import Synchronization

/// A cache of the pictures that were answered as a URL.
final class KeptPictures: Sendable {
  private struct State {
    var files: [String: [UInt8]] = [:]
    var order: [String] = []
    var bytes = 0
  }

  private let state = Mutex(State())
  private let mostBytes: Int

  /// - Parameter mostBytes: The most bytes; above it the oldest are evicted.
  init(mostBytes: Int = 64 << 20) { self.mostBytes = mostBytes }

  /// Keeps a file under an unguessable name.
  func keep(_ png: [UInt8]) -> String {
    var random = SystemRandomNumberGenerator()
    let parts = (0..<2).map { _ in String(random.next() as UInt64, radix: 36) }
    let name = parts.joined()
    state.withLock { state in
      state.files[name] = png
      state.order.append(name)
      state.bytes += png.count
      while state.bytes > mostBytes, state.order.count > 1 {
        let oldest = state.order.removeFirst()
        state.bytes -= state.files.removeValue(forKey: oldest)?.count ?? 0
      }
    }
    return name
  }

  /// The file of a name, if it is still kept.
  func file(_ name: String) -> [UInt8]? { state.withLock { $0.files[name] } }
}
