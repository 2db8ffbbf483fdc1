import BasicAlgorithms
import Files
package import Web

/// Hosts and addresses that are never requested, from a text file.
///
/// One entry a line: a host name, which covers its subdomains, or a whole address. Empty lines and
/// lines that begin with `#` are skipped.
package struct DenyList: Equatable, Sendable {
  /// The entries' contribution to the ledger's fingerprint.
  package private(set) var fingerprint: UInt64 = 0

  private var hosts: Set<String> = []
  private var addresses: Set<UInt64> = []

  /// A list without entries.
  package init() {}

  /// Reads a list; `nil` gives an empty one.
  ///
  /// - Throws: `LaionError` if the file cannot be read or a line is neither host nor address.
  package init(_ path: String?) throws(LaionError) {
    guard let path else { return }
    let file = try TextFile(path)
    var number = 0
    while let bytes = try file.line(limit: 8192) {
      number += 1
      let line = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
      if line.isEmpty || line.hasPrefix("#") { continue }
      fingerprint = FNV.hash(line.utf8) &+ fingerprint &* 31
      if line.contains("/") {
        guard let url = WebURL(line) else {
          throw .damagedMetadata(path: path, row: number, reason: "'\(line)' is no address")
        }
        addresses.insert(FNV.hash(url.description.utf8))
      } else if let url = WebURL("http://\(line)/") {
        hosts.insert(url.host)
      } else {
        throw .damagedMetadata(path: path, row: number, reason: "'\(line)' is no host name")
      }
    }
  }

  /// Whether `url` must not be requested.
  package func contains(_ url: WebURL) -> Bool {
    if !hosts.isEmpty {
      var name = url.host[...]
      while true {
        if hosts.contains(String(name)) { return true }
        guard let dot = name.firstIndex(of: ".") else { break }
        name = name[name.index(after: dot)...]
      }
    }
    return !addresses.isEmpty && addresses.contains(FNV.hash(url.description.utf8))
  }
}
