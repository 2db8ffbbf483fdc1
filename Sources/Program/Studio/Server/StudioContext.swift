import Hummingbird
import NIOCore

/// What a request knows of its connection.
struct StudioContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The connection.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Whose requests take turns with those of others: the page's own mark, else the connection.
  func client(_ request: Request) -> String {
    let address = channel.remoteAddress?.ipAddress ?? "local"
    let mark = request.headers[.niftyClient] ?? channel.remoteAddress?.port.map { "\($0)" } ?? ""
    return "\(address) \(mark.prefix(64))"
  }
}
