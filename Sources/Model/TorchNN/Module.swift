public import Torch

/// A part of a network, as torch.nn.Module: an object whose properties hold its named state.
///
/// Parameters are marked `@Parameter`, other state `@Buffer`; properties that are modules, arrays of
/// modules or optional modules are found by reflection. A key is the property's name in snake case, so
/// state dictionaries carry the published names (`synthesis.b64.conv0.pre_0.weight`); a type whose
/// names do not follow its properties implements `members`. A bare `Tensor` traps, and so do tensors and
/// modules in arrays of tensors, dictionaries and tuples: they would not be saved.
public protocol Module: AnyObject {
  /// The direct members with their keys, in declaration order.
  var members: [(key: String, member: Member)] { get }
}

/// What a module stores under one key.
public enum Member {
  case parameter(Tensor)
  case buffer(Tensor)
  case module(any Module)
}

/// A trainable tensor of a module.
@propertyWrapper
public struct Parameter {
  /// The tensor; it records gradients from the start.
  public let wrappedValue: Tensor
  let key: String?

  /// Marks a float32 tensor as trainable.
  public init(wrappedValue: Tensor, key: String? = nil) {
    wrappedValue.requiresGradient = true
    self.wrappedValue = wrappedValue
    self.key = key
  }
}

/// A tensor of a module's state that is not trained.
@propertyWrapper
public struct Buffer {
  /// The tensor.
  public let wrappedValue: Tensor
  let key: String?

  /// Marks a tensor as state.
  public init(wrappedValue: Tensor, key: String? = nil) {
    self.wrappedValue = wrappedValue
    self.key = key
  }
}

/// One entry of a module's whole state.
public struct StateEntry {
  /// Dotted path from the module.
  public let name: String
  /// The live tensor, not a copy.
  public let tensor: Tensor
  /// Whether it is trained.
  public let isParameter: Bool
}

extension Module {
  /// The members found by reflection.
  public var members: [(key: String, member: Member)] { reflectedMembers }

  /// The members found by reflection: the default of `members`.
  public var reflectedMembers: [(key: String, member: Member)] {
    Mirror(reflecting: self).children.flatMap { label, value in
      let name = (label ?? "").drop { $0 == "_" }
      return found(value, key: snakeCased(name))
    }
  }

  /// Everything in the module's state, depth first in declaration order.
  public var state: [StateEntry] { state(prefix: "") }

  /// The trainable tensors with their names.
  public var namedParameters: [StateEntry] { state.filter(\.isParameter) }

  /// The trainable tensors.
  public var parameters: [Tensor] { namedParameters.map(\.tensor) }

  /// Number of trainable values.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Moves every tensor of the state to a device.
  public func move(to device: Device) {
    withoutGradients {
      for entry in state where entry.tensor.device != device {
        entry.tensor.adopt(entry.tensor.detached().to(device))
      }
    }
  }

  /// Converts every floating-point tensor of the state.
  public func convert(to dtype: DType) {
    withoutGradients {
      for entry in state where entry.tensor.dtype.isFloatingPoint && entry.tensor.dtype != dtype {
        entry.tensor.adopt(entry.tensor.detached().to(dtype))
      }
    }
  }

  /// Turns recording of gradients on or off for all parameters.
  public func setTrainable(_ trainable: Bool) {
    for tensor in parameters { tensor.requiresGradient = trainable }
  }

  private func state(prefix: String) -> [StateEntry] {
    members.flatMap { key, member -> [StateEntry] in
      switch member {
      case .parameter(let tensor):
        [StateEntry(name: prefix + key, tensor: tensor, isParameter: true)]
      case .buffer(let tensor):
        [StateEntry(name: prefix + key, tensor: tensor, isParameter: false)]
      case .module(let module): module.state(prefix: prefix + key + ".")
      }
    }
  }

  private func found(_ value: Any, key: String) -> [(key: String, member: Member)] {
    switch value {
    case let parameter as Parameter:
      return [(parameter.key ?? key, .parameter(parameter.wrappedValue))]
    case let buffer as Buffer: return [(buffer.key ?? key, .buffer(buffer.wrappedValue))]
    case let module as any Module: return [(key, .module(module))]
    case let modules as [any Module]:
      return modules.enumerated().map { ("\(key).\($0)", .module($1)) }
    case is Tensor:
      preconditionFailure("\(type(of: self)).\(key): mark it @Parameter or @Buffer")
    default:
      let mirror = Mirror(reflecting: value)
      if mirror.displayStyle == .optional {
        return mirror.children.first.map { found($0.value, key: key) } ?? []
      }
      if holdsState(mirror) {
        preconditionFailure(
          "\(type(of: self)).\(key): \(type(of: value)) is not saved; take an array of modules, or "
            + "write `members`"
        )
      }
      return []
    }
  }
}

/// Whether a collection or a tuple holds tensors or modules at any depth, which would not be saved.
private func holdsState(_ mirror: Mirror) -> Bool {
  let isContainer: Set<Mirror.DisplayStyle?> = [.collection, .dictionary, .set, .tuple, .optional]
  guard isContainer.contains(mirror.displayStyle) else { return false }
  // The elements of an array have one type: checking the first is enough.
  let elements =
    mirror.displayStyle == .collection
    ? AnyCollection(mirror.children.prefix(1))
    : mirror.children
  return elements.contains { child in
    child.value is Tensor || child.value is any Module || child.value is Parameter
      || child.value is Buffer || holdsState(Mirror(reflecting: child.value))
  }
}

/// "noiseConst" → "noise_const"; digits follow without underscore unless the name has one.
func snakeCased(_ name: some StringProtocol) -> String {
  name.reduce(into: "") { result, character in
    if character.isUppercase {
      result += (result.isEmpty ? "" : "_") + character.lowercased()
    } else {
      result.append(character)
    }
  }
}
