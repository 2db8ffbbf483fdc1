import CTorch

/// One call of an operator of libtorch.
public struct OperatorCall: Sendable, Equatable {
  /// The operator, as `aten::convolution`.
  public let name: String
  /// A number that stands for the thread.
  public let thread: UInt64
  /// When it began, in nanoseconds of the system's monotonic clock.
  public let start: Int64
  /// How long it took, in nanoseconds; on CUDA, how long it took to ask for it.
  public let duration: Int64
}

/// Notes when operators run, in the whole process; one trace at a time.
public enum OperatorTrace {
  /// Begins to note calls.
  ///
  /// - Throws: `TorchError` if a trace is under way already.
  public static func begin() throws(TorchError) {
    if ct_trace_begin() != 0 { throw TorchError.last("cannot trace operators") }
  }

  /// Ends a trace.
  ///
  /// - Returns: The calls in the order in which they ended.
  /// - Throws: `TorchError` if none is under way.
  public static func end() throws(TorchError) -> [OperatorCall] {
    final class Calls { var list: [OperatorCall] = [] }
    let calls = Calls()
    let status = ct_trace_end(
      { context, name, thread, start, duration in
        guard let context, let name else { return }
        let calls = Unmanaged<Calls>.fromOpaque(context).takeUnretainedValue()
        calls.list.append(
          OperatorCall(
            name: String(cString: name),
            thread: thread,
            start: start,
            duration: duration
          )
        )
      },
      Unmanaged.passUnretained(calls).toOpaque()
    )
    if status != 0 { throw TorchError.last("cannot end the trace of operators") }
    return calls.list
  }
}
