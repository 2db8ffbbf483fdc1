import CTorch

/// One operator of libtorch's dispatcher, found once by name.
///
/// A new operator is one line: `static let sin = Operator("aten::sin")`. Arguments are given in the
/// schema's order; those left out take the schema's defaults. Wrong names and arguments stop the
/// program with the schema in the message.
struct Operator: @unchecked Sendable {
  // Sendable: the pointer is to an immutable object that lives for ever.
  private let handle: OpaquePointer
  let name: String

  init(_ name: String) {
    guard let handle = ct_op_find(name) else { torchFailure(name) }
    self.handle = handle
    self.name = name
  }

  /// Calls the operator, which gives one tensor.
  func callAsFunction<each A: OperatorArgument>(_ arguments: repeat each A) -> Tensor {
    var result: OpaquePointer?
    guard let call = ct_call_begin(handle) else { torchFailure(name) }
    repeat (each arguments).push(to: call)
    let count = ct_call(call, &result, 1)
    guard count == 1, let result else { torchFailure(name) }
    return Tensor(owning: result)
  }

  /// Calls an operator that works in place or gives nothing.
  func run<each A: OperatorArgument>(_ arguments: repeat each A) {
    var results = [OpaquePointer?](repeating: nil, count: 8)
    guard let call = ct_call_begin(handle) else { torchFailure(name) }
    repeat (each arguments).push(to: call)
    let count = ct_call(call, &results, Int32(results.count))
    if count < 0 { torchFailure(name) }
    for result in results { ct_release(result) }
  }

  /// Calls an operator that gives several tensors, at most `capacity`.
  func list<each A: OperatorArgument>(
    _ arguments: repeat each A,
    capacity: Int = 8
  ) -> [Tensor] {
    var results = [OpaquePointer?](repeating: nil, count: capacity)
    guard let call = ct_call_begin(handle) else { torchFailure(name) }
    repeat (each arguments).push(to: call)
    let count = ct_call(call, &results, Int32(capacity))
    if count < 0 { torchFailure(name) }
    return results.prefix(Int(count)).map { result in
      guard let result else { torchFailure(name) }
      return Tensor(owning: result)
    }
  }
}

/// A value that can be an operator's argument.
protocol OperatorArgument {
  func push(to call: OpaquePointer)
}

/// A value whose arrays can be an operator's argument.
protocol OperatorListElement {
  static func push(_ list: [Self], to call: OpaquePointer)
}

extension Tensor: OperatorArgument, OperatorListElement {
  func push(to call: OpaquePointer) { ct_push_tensor(call, handle) }

  static func push(_ list: [Tensor], to call: OpaquePointer) {
    let handles: [OpaquePointer?] = list.map(\.handle)
    withExtendedLifetime(list) { ct_push_tensors(call, handles, handles.count) }
  }
}

extension Int: OperatorArgument, OperatorListElement {
  func push(to call: OpaquePointer) { ct_push_int(call, Int64(self)) }

  static func push(_ list: [Int], to call: OpaquePointer) {
    let values = list.map(Int64.init)
    ct_push_ints(call, values, values.count)
  }
}

extension Double: OperatorArgument, OperatorListElement {
  // libtorch stops the process at a number that a float32 tensor cannot hold, but takes infinity, which checks of
  // results see. Options are bounded far below; tensors of float64 lose such numbers, and no caller has any.
  private var representable: Double {
    abs(self) <= Double(Float.greatestFiniteMagnitude) || isNaN
      ? self : self < 0 ? -.infinity : .infinity
  }

  func push(to call: OpaquePointer) { ct_push_double(call, representable) }
  static func push(_ list: [Double], to call: OpaquePointer) {
    ct_push_doubles(call, list, list.count)
  }
}

extension Bool: OperatorArgument {
  func push(to call: OpaquePointer) { ct_push_bool(call, self) }
}

extension String: OperatorArgument {
  func push(to call: OpaquePointer) { ct_push_string(call, self) }
}

extension DType: OperatorArgument {
  func push(to call: OpaquePointer) { ct_push_int(call, Int64(rawValue)) }
}

extension MemoryFormat: OperatorArgument {
  func push(to call: OpaquePointer) { ct_push_int(call, Int64(rawValue)) }
}

extension Device: OperatorArgument {
  func push(to call: OpaquePointer) { ct_push_device(call, typeCode, index) }
}

extension Array: OperatorArgument where Element: OperatorListElement {
  func push(to call: OpaquePointer) { Element.push(self, to: call) }
}

extension Optional: OperatorArgument where Wrapped: OperatorArgument {
  func push(to call: OpaquePointer) {
    switch self {
    case .some(let value): value.push(to: call)
    case .none: ct_push_none(call)
    }
  }
}
