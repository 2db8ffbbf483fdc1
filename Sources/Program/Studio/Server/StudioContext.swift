import Hummingbird
import NIOCore

/// The context of a request: its connection.
struct StudioContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The connection.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// The client of a request, for the fair queue: the page's client id, else the connection.
  func client(_ request: Request) -> String {
    let address = channel.remoteAddress?.ipAddress ?? "local"
    let mark = request.headers[.niftyClient] ?? channel.remoteAddress?.port.map { "\($0)" } ?? ""
    return "\(address) \(mark.prefix(64))"
  }
}
