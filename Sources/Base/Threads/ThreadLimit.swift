import Glibc
import Synchronization

/// Tries whether the system lets this process have threads.
///
/// Libraries start threads where a failure ends the process with a register dump, and Swift's own executors
/// wait for ever for a thread that does not come. Limits on processes, on address space and those of a
/// container all show in the same way: so as many threads are started at once, and ended again.
package enum ThreadLimit {
  /// The threads that every verb needs at once at least: of Swift's executors, and to read ahead.
  package static let common = 8

  /// Why `count` threads cannot run beside each other, in one line with what to do.
  ///
  /// - Parameters:
  ///   - count: The number of threads.
  ///   - memory: The address space that they need together beside their stacks and heaps, in bytes; with 0
  ///     they have no heaps either.
  /// - Returns: The reason; `nil` if they can.
  package static func refusal(of count: Int, memory: Int = 0) -> String? {
    let gate = Gate(allocates: memory > 0)
    var threads: [pthread_t] = []
    var code: Int32 = 0
    while threads.count < count, code == 0 {
      var thread = pthread_t()
      let waiter = Unmanaged.passRetained(gate)
      code = pthread_create(&thread, nil, wait, waiter.toOpaque())
      if code == 0 { threads.append(thread) } else { waiter.release() }
    }
    let started = threads.count
    if code == 0, memory > 0 { code = Self.reserve(memory) }
    gate.open()
    for thread in threads { pthread_join(thread, nil) }
    if code == 0 { return nil }
    return "this needs \(count) threads at once, and the system allows it \(started) of them"
      + (started == count ? " but no memory to work with" : "")
      + ": \(String(cString: strerror(code))); raise the limit on processes (ulimit -u, or the "
      + "container's) or on memory (ulimit -v)"
  }

  private static func reserve(_ size: Int) -> Int32 {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let space = mmap(nil, size, PROT_NONE, flags, -1, 0), space != MAP_FAILED else {
      return errno
    }
    munmap(space, size)
    return 0
  }

  /// Holds threads until it is opened.
  private final class Gate: Sendable {
    private let isClosed = Atomic(true)
    let allocates: Bool

    init(allocates: Bool) { self.allocates = allocates }

    func open() { isClosed.store(false, ordering: .releasing) }

    func pass() { while isClosed.load(ordering: .acquiring) { usleep(200) } }
  }

  private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    guard let pointer = $0 else { return nil }
    let gate = Unmanaged<Gate>.fromOpaque(pointer).takeRetainedValue()
    // A thread's first allocation takes a heap of its own out of the address space.
    if gate.allocates { free(malloc(64)) }
    gate.pass()
    return nil
  }
}
