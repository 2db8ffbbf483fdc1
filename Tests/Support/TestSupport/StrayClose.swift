import Foundation
import Synchronization

/// Whether some call closes a descriptor that another thread has: a number that was closed already may belong to
/// somebody else by then.
///
/// - Parameters:
///   - seconds: How long `body` is repeated.
///   - body: Does what is suspected.
/// - Returns: How many descriptors of this function were closed by somebody else.
package func strayCloses(in seconds: Double, _ body: () -> Void) -> Int {
  let isOver = Atomic(false)
  let stray = Atomic(0)
  let watchers = DispatchGroup()
  for _ in 0..<2 {
    watchers.enter()
    Thread.detachNewThread {
      while !isOver.load(ordering: .relaxed) {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        sched_yield()
        if descriptor >= 0, close(descriptor) != 0 { stray.add(1, ordering: .relaxed) }
      }
      watchers.leave()
    }
  }
  let end = Date().addingTimeInterval(seconds)
  while Date() < end { body() }
  isOver.store(true, ordering: .relaxed)
  watchers.wait()
  return stray.load(ordering: .relaxed)
}
