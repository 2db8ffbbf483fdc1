import CSignals
import Glibc

/// A log of the jobs that crashed the process, by a fatal signal as a bad access or a failed allocation: one
/// number a line in a small file, written by the signal handler.
///
/// A process that is killed, by a user or for want of memory (SIGKILL), writes nothing. Only the newest log
/// of a process is written to.
package final class CrashLog {
  /// The number of crashes by job, from the log so far.
  package let counts: [Int: Int]

  private let path: String
  private let descriptor: Int32

  /// Opens or creates a log, and installs the signal handler that writes to it.
  package init(_ path: String) throws(FileError) {
    self.path = path
    descriptor = try RegularFile.open(path, O_RDWR | O_CREAT | O_APPEND, to: "create")
    do throws(FileError) {
      counts = try Self.counts(in: path)
    } catch {
      close(descriptor)
      throw error
    }
    csignals_record_crashes(descriptor)
  }

  deinit {
    csignals_record_crashes(-1)
    close(descriptor)
    if counts.isEmpty { unlink(path) }
  }

  /// Removes the file, which is not needed any more.
  package func remove() { unlink(path) }

  /// Runs a job on this thread, under its number.
  package static func atWork<Value, Failure: Error>(
    _ number: Int,
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    csignals_begin_work(Int64(number))
    defer { csignals_end_work() }
    return try body()
  }

  private static func counts(in path: String) throws(FileError) -> [Int: Int] {
    let file = try MappedFile(path)
    return file.withBytes { bytes in
      var counts: [Int: Int] = [:]
      for line in bytes.split(separator: 0x0A) {
        // A torn or foreign line is no number.
        guard let number = Int(String(decoding: line.prefix(24), as: UTF8.self)) else { continue }
        counts[number, default: 0] += 1
      }
      return counts
    }
  }
}
