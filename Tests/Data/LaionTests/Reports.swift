import Foundation
import Laion

/// What a download has told of its progress.
final class Reports: @unchecked Sendable {
  // Sendable: `stored` is only touched under `lock`.
  private let lock = NSLock()
  private var stored: [LaionProgress] = []

  var all: [LaionProgress] { lock.withLock { stored } }
  func append(_ report: LaionProgress) { lock.withLock { stored.append(report) } }
}
