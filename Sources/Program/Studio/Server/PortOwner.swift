import Foundation

/// The owner of a port, from /proc.
enum PortOwner {
  /// The programs that listen on a port.
  ///
  /// - Parameters:
  ///   - port: The port.
  ///   - root: The mount point of procfs.
  /// - Returns: As "ssh (process 123)"; empty without permission to see them.
  static func names(of port: Int, in root: String = "/proc") -> [String] {
    let sockets = Set(["tcp", "tcp6"].flatMap { listeners(on: port, "\(root)/net/\($0)") })
    guard !sockets.isEmpty else { return [] }
    let files = FileManager.default
    let processes = ((try? files.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
    return processes.sorted().compactMap { process in
      let folder = "\(root)/\(process)"
      // Only root sees the open files of other users' processes.
      let open = (try? files.contentsOfDirectory(atPath: folder + "/fd")) ?? []
      let has = open.contains { name in
        (try? files.destinationOfSymbolicLink(atPath: "\(folder)/fd/\(name)"))
          .map(sockets.contains) ?? false
      }
      guard has else { return nil }
      let name = (try? String(contentsOfFile: folder + "/comm", encoding: .utf8)) ?? "a program"
      return "\(name.trimmingCharacters(in: .whitespacesAndNewlines)) (process \(process))"
    }
  }

  /// The names in /proc of the sockets that listen on a port: "socket:[123]".
  private static func listeners(on port: Int, _ path: String) -> [String] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").dropFirst().compactMap { line in
      //  sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
      let words = line.split(separator: " ")
      guard words.count > 9, words[3] == "0A",
        words[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }) == port
      else { return nil }
      return "socket:[\(words[9])]"
    }
  }
}
