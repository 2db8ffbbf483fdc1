import Console
import Dispatch
import Foundation
import Training

/// Turns SIGINT, SIGTERM and SIGHUP into a request to stop; a second one ends the process at once.
final class StopSignals {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP]
  private let sources: [any DispatchSourceSignal]

  /// Listens as long as the object lives.
  ///
  /// - Parameters:
  ///   - stop: The request to stop.
  ///   - announces: Whether the user is told; one process of several is enough.
  init(_ stop: StopRequest, announces: Bool = true) {
    sources = Self.numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if stop.isRequested { _exit(128 + number) }
        if announces { Console.error("writing a checkpoint; the same signal again ends at once") }
        stop.request()
      }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
    for number in Self.numbers { signal(number, SIG_DFL) }
  }
}
