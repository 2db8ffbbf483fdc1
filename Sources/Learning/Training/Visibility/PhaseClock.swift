import Glibc
package import Torch

/// A moment of a device's own time.
package protocol DeviceMoment: AnyObject {
  /// Nanoseconds since an earlier moment of the same device, for which it waits; `nil` if it gives none.
  func nanoseconds(since earlier: any DeviceMoment) -> Int64?
}

extension DeviceEvent: DeviceMoment {
  package func nanoseconds(since earlier: any DeviceMoment) -> Int64? {
    (earlier as? DeviceEvent).flatMap { nanoseconds(since: $0) }
  }
}

/// The time of each phase of a run.
///
/// On CUDA the host only enqueues a phase's work: there a phase lasts from the moment when the device begins
/// with it until it is done, and nothing waits for that before the spans are taken.
package final class PhaseClock {
  /// A phase that ran.
  package struct Span: Sendable, Equatable {
    /// Its name, as `Gmain`.
    package let name: String
    /// Its start, in nanoseconds of the system's monotonic clock.
    package let start: Int64
    /// Its duration, in nanoseconds.
    package let duration: Int64
  }

  private var spans: [Span] = []
  /// For each span its first and last moment on the device, if it gave both.
  private var moments: [(start: any DeviceMoment, end: any DeviceMoment)?] = []
  /// A moment of the device and the host's time of it.
  private var anchor: (moment: any DeviceMoment, time: Int64)?
  private let moment: () -> (any DeviceMoment)?

  /// A clock that has measured nothing.
  package convenience init(_ device: Device = .cpu) {
    self.init { DeviceEvent(on: device) }
  }

  /// A clock that asks for the moments of a device.
  ///
  /// - Parameter moment: Gives the moment when the device has done all that it was given; `nil` on a CPU.
  package init(moment: @escaping () -> (any DeviceMoment)?) {
    self.moment = moment
    anchor = moment().map { ($0, Self.now) }
  }

  /// Runs and measures a phase; phases may contain others.
  package func measure<Result, Failure: Error>(
    _ name: String,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let (start, first) = (Self.now, moment())
    defer {
      let last = moment()
      moments.append(first.flatMap { first in last.map { (first, $0) } })
      spans.append(Span(name: name, start: start, duration: Self.now - start))
    }
    return try body()
  }

  /// The measurements since the last call, in order of their ends.
  package func takeSpans() -> [Span] {
    defer { (spans, moments) = ([], []) }
    return zip(spans, moments).map { span, moments in onDevice(span, moments) ?? span }
  }

  /// A span in the device's time, as the host's clock would show it.
  private func onDevice(
    _ span: Span,
    _ moments: (start: any DeviceMoment, end: any DeviceMoment)?
  ) -> Span? {
    guard let moments, let anchor,
      let duration = moments.end.nanoseconds(since: moments.start),
      let before = moments.start.nanoseconds(since: anchor.moment)
    else { return nil }
    let start = anchor.time + before
    // Times between moments lose digits as they grow.
    self.anchor = (moments.end, start + duration)
    return Span(name: span.name, start: start, duration: duration)
  }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// Phases and operators as a trace that Chrome (chrome://tracing) and Perfetto open.
///
/// Format: "Trace Event Format", complete events; times in microseconds.
package struct ChromeTrace {
  private var events: [String] = []
  private var origin: Int64?
  private var threads: [UInt64: Int] = [:]

  /// An empty trace.
  package init() {}

  /// Adds phases, on a row of their own.
  package mutating func add(_ spans: [PhaseClock.Span]) {
    for span in spans.sorted(by: { $0.start < $1.start }) {
      add(span.name, "phase", thread: 0, start: span.start, duration: span.duration)
    }
  }

  /// Adds operators, on a row for each thread.
  package mutating func add(_ calls: [OperatorCall]) {
    for call in calls.sorted(by: { $0.start < $1.start }) {
      let thread = threads[call.thread] ?? threads.count + 1
      threads[call.thread] = thread
      add(call.name, "operator", thread: thread, start: call.start, duration: call.duration)
    }
  }

  private mutating func add(
    _ name: String,
    _ category: String,
    thread: Int,
    start: Int64,
    duration: Int64
  ) {
    let origin = origin ?? start
    self.origin = origin
    let safe = name.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline }
    events.append(
      "{\"name\": \"\(safe)\", \"cat\": \"\(category)\", \"ph\": \"X\", \"pid\": 1, "
        + "\"tid\": \(thread), \"ts\": \(microseconds(start - origin)), "
        + "\"dur\": \(microseconds(duration))}"
    )
  }

  private func microseconds(_ nanoseconds: Int64) -> String { "\(Double(nanoseconds) / 1000)" }

  /// The trace as JSON.
  package var json: String {
    let names = [(0, "phases")] + threads.values.sorted().map { ($0, "operators \($0)") }
    let labels = names.map { thread, name in
      "{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": \(thread), "
        + "\"args\": {\"name\": \"\(name)\"}}"
    }
    return "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
      + (labels + events).joined(separator: ",\n") + "\n]}\n"
  }
}
