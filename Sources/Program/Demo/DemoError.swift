package import Files
package import Images
package import Parquet

/// Why the ingredients of the demonstration cannot be had, in one line.
package enum DemoError: Error, Equatable, CustomStringConvertible {
  /// A package of the system is missing, found by the file it would bring.
  case missing(path: String, package: String)
  /// The font contradicts its own format.
  case font(table: String, reason: String)
  /// The names of the emoji cannot be read.
  case annotations(path: String, reason: String)
  /// Too few images are left for what is asked for.
  case tooFew(reason: String)
  /// An image in the font cannot be decoded or encoded.
  case image(ImageError)
  /// An SVG file cannot be drawn.
  case drawing(reason: String)
  /// The metadata cannot be written.
  case parquet(ParquetError)
  /// A file cannot be read or written.
  case file(FileError)
  /// The server does not start.
  case server(reason: String)

  package var description: String {
    switch self {
    case .missing(let path, let package):
      "demo: \(path) is missing; install it with: apt-get install \(package)"
    case .font(let table, let reason):
      "demo: the emoji font's table \(table): \(reason); install fonts-noto-color-emoji again"
    case .annotations(let path, let reason):
      "demo: \(path): \(reason); install unicode-cldr-core again"
    case .tooFew(let reason): "demo: \(reason); install newer emoji fonts and names"
    case .image(let error): "demo: \(error)"
    case .drawing(let reason): "demo: SVG: \(reason)"
    case .parquet(let error): "demo: \(error)"
    case .file(let error): "demo: \(error)"
    case .server(let reason): "demo: the loopback server does not start: \(reason)"
    }
  }
}
