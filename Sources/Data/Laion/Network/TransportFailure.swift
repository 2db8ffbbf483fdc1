import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Web

/// Maps the errors of the network stack to causes.
enum TransportFailure {
  /// The cause by which an error of the HTTP client is counted.
  static func cause(of error: any Error) -> FetchCause {
    switch error {
    case let error as HTTPClientError: cause(of: error)
    case let error as ChannelError: cause(of: error)
    // The stream ended inside a message.
    case HTTPParserError.invalidEOFState: .connectionLost
    case is HTTPParserError, is ResponseGuard.Violation: .invalidResponse
    case let error as IOError: cause(ofErrno: error.errnoCode)
    case NIOHTTPDecompression.DecompressionError.limit: .tooManyBytes
    case is NIOHTTPDecompression.DecompressionError: .invalidResponse
    case is NIOHTTPDecompression.ExtraDecompressionError: .invalidResponse
    default: cause(ofType: String(reflecting: type(of: error)))
    }
  }

  /// Whether the server closed the connection, as it does with one kept alive for too long.
  ///
  /// A response that has begun fails as an `HTTPParserError` instead.
  static func isDrop(_ error: any Error) -> Bool {
    switch error {
    case let error as HTTPClientError: error == .remoteConnectionClosed
    case is ChannelError, is IOError: cause(of: error) == .connectionLost
    default: false
    }
  }

  /// Whether connecting failed, so that another address of the host may be tried.
  static func isUnconnected(_ error: any Error) -> Bool {
    switch error {
    case let error as HTTPClientError: error == .connectTimeout
    case ChannelError.connectTimeout: true
    default: cause(of: error) == .connectionFailed
    }
  }

  private static func cause(of error: HTTPClientError) -> FetchCause {
    switch error {
    case .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded,
      .getConnectionFromPoolTimeout, .cancelled:
      .timedOut
    case .tlsHandshakeTimeout: .timedOut
    case .remoteConnectionClosed, .uncleanShutdown: .connectionLost
    case .invalidURL, .emptyHost, .emptyScheme: .invalidURL
    default: .invalidResponse
    }
  }

  private static func cause(of error: ChannelError) -> FetchCause {
    switch error {
    case .connectTimeout: .timedOut
    case .eof, .ioOnClosedChannel, .alreadyClosed, .inputClosed, .outputClosed: .connectionLost
    default: .connectionFailed
    }
  }

  private static func cause(ofErrno code: CInt) -> FetchCause {
    switch code {
    case ECONNRESET, EPIPE: .connectionLost
    case ETIMEDOUT: .timedOut
    default: .connectionFailed
    }
  }

  // The types of the encryption library are not ours to import: it belongs to the HTTP client,
  // which passes its errors through.
  private static func cause(ofType name: String) -> FetchCause {
    if name.hasPrefix("NIOSSL.") { return .encryptionFailed }
    if name.contains("CancellationError") { return .timedOut }
    return .connectionFailed
  }
}
