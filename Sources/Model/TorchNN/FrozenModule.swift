/// A module whose parameters are not trained: they are buffers of the same names.
public final class FrozenModule: Module {
  private let module: any Module

  /// Freezes a module; its parameters must not record gradients.
  public init(_ module: any Module) { self.module = module }

  /// The module's members, with buffers for parameters at every depth.
  public var members: [(key: String, member: Member)] {
    module.members.map { key, member in
      switch member {
      case .parameter(let tensor): (key, .buffer(tensor))
      case .buffer: (key, member)
      case .module(let inner): (key, .module(FrozenModule(inner)))
      }
    }
  }
}
