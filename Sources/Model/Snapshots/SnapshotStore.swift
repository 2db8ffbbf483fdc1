import Pickle
import Torch

/// Where the tensors of a snapshot lie: known by name, read on demand.
protocol SnapshotStore {
  /// Type and shape of the tensors by name, `G.…`, `D.…`, `G_ema.…`.
  var layouts: [String: TensorLayout] { get }
  /// A copy of a tensor on the CPU, or `nil` if there is none of that name.
  func tensor(_ name: String) -> Tensor?
  /// The values of a tensor that `layouts` names, in row-major order.
  func bytes(of name: String) -> [UInt8]
}

/// Type and shape of a stored tensor.
struct TensorLayout: Equatable {
  let dtype: DType
  let shape: [Int]
}

extension SnapshotStore {
  /// Shapes by name of the tensors that begin with a prefix, which is cut off.
  func shapes(prefix: String) -> [String: [Int]] {
    var result: [String: [Int]] = [:]
    for (name, layout) in layouts where name.hasPrefix(prefix) {
      result[String(name.dropFirst(prefix.count))] = layout.shape
    }
    return result
  }
}

/// The tensors of a safetensors file.
struct SafeTensorsStore: SnapshotStore {
  let file: SafeTensors
  let layouts: [String: TensorLayout]

  init(_ file: SafeTensors) {
    self.file = file
    layouts = file.entries.mapValues { TensorLayout(dtype: $0.dtype, shape: $0.shape) }
  }

  func tensor(_ name: String) -> Tensor? { file[name] }

  func bytes(of name: String) -> [UInt8] { file[name]?.bytes ?? [] }
}

extension DType {
  /// The type that PyTorch calls so.
  init(_ type: TorchScalarType) {
    self =
      switch type {
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .float32: .float32
      case .float64: .float64
      case .int8: .int8
      case .int16: .int16
      case .int32: .int32
      case .int64: .int64
      case .uint8: .uint8
      case .bool: .bool
      }
  }

  /// The type's name in pickles.
  var torchType: TorchScalarType {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .float32: .float32
    case .float64: .float64
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .bool: .bool
    }
  }
}
