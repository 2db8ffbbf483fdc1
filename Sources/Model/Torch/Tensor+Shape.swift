// Views, joins, selections and conversions.

extension Tensor {
  /// The same elements in another shape; −1 stands for what is left.
  public func reshaped(_ shape: Int...) -> Tensor { Shape.reshape(self, shape) }
  /// The same elements in another shape; −1 stands for what is left.
  public func reshaped(_ shape: [Int]) -> Tensor { Shape.reshape(self, shape) }
  /// The dimensions in another order; a view.
  public func permuted(_ order: Int...) -> Tensor { Shape.permute(self, order) }
  /// Two dimensions exchanged; a view.
  public func transposed(_ a: Int = -2, _ b: Int = -1) -> Tensor { Shape.transpose(self, a, b) }
  /// The elements of some dimensions in reverse order.
  public func flipped(_ dimensions: Int...) -> Tensor { Shape.flip(self, dimensions) }
  /// A new dimension of size 1; a view.
  public func unsqueezed(_ dimension: Int) -> Tensor { Shape.unsqueeze(self, dimension) }
  /// Without a dimension of size 1; a view.
  public func squeezed(_ dimension: Int) -> Tensor { Shape.squeeze(self, dimension) }
  /// Dimensions of size 1 repeated without a copy; −1 keeps a size.
  public func expanded(_ shape: Int...) -> Tensor { Shape.expand(self, shape, false) }
  /// Dimensions of size 1 repeated without a copy; −1 keeps a size.
  public func expanded(_ shape: [Int]) -> Tensor { Shape.expand(self, shape, false) }
  /// Copies laid side by side, `counts[d]` times along dimension d.
  public func tiled(_ counts: Int...) -> Tensor { Shape.tile(self, counts) }
  /// Elements moved along a dimension, those that fall off coming in at the other end.
  public func rolled(_ shift: Int, _ dimension: Int) -> Tensor {
    Shape.roll(self, [shift], [dimension])
  }

  /// `range` of one dimension, as a view.
  public func sliced(_ dimension: Int, _ range: Range<Int>) -> Tensor {
    Shape.narrow(self, dimension, range.lowerBound, range.count)
  }

  /// One index of one dimension, which disappears; a view.
  public func selected(_ dimension: Int, _ index: Int) -> Tensor {
    Shape.select(self, dimension, index)
  }

  /// Every `step`-th element along a dimension, as a view.
  public func strided(_ dimension: Int, step: Int) -> Tensor {
    Shape.slice(self, dimension, 0, size(dimension), step)
  }

  /// The given indices (int64, one dimension) of one dimension.
  public func gathered(_ dimension: Int, _ indices: Tensor) -> Tensor {
    Shape.indexSelect(self, dimension, indices)
  }

  /// The given indices of one dimension.
  public func gathered(_ dimension: Int, _ indices: [Int]) -> Tensor {
    gathered(dimension, Tensor(indices.map(Int64.init)).to(device))
  }

  /// Pads with a constant; widths are (before, after) pairs from the last dimension on.
  public func padded(_ widths: [Int], value: Double = 0) -> Tensor {
    Shape.constantPad(self, widths, value)
  }

  /// Pads an image [N, C, H, W] by reflection: [left, right, top, bottom].
  public func reflected(_ widths: [Int]) -> Tensor { Shape.reflectionPad(self, widths) }

  /// Tensors joined along a dimension that they have.
  public static func concatenated(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
    Shape.cat(tensors, dimension)
  }

  /// Tensors of equal shape joined along a new dimension.
  public static func stacked(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
    Shape.stack(tensors, dimension)
  }

  /// Equal parts along a dimension, as views.
  public func chunks(_ count: Int, _ dimension: Int = 0) -> [Tensor] {
    Shape.chunk.list(self, count, dimension, capacity: count)
  }

  /// The same elements in another type; the same tensor if it already has it.
  public func to(_ dtype: DType) -> Tensor {
    self.dtype == dtype ? self : Shape.toType(self, dtype)
  }

  /// The same elements on another device; the same tensor if it is already there.
  public func to(_ device: Device) -> Tensor {
    self.device == device ? self : Shape.toDevice(self, device, dtype)
  }

  /// The same elements in another memory order.
  public func laidOut(_ format: MemoryFormat) -> Tensor { Shape.contiguous(self, format) }

  /// The same elements in row-major order.
  public func contiguous() -> Tensor { Shape.contiguous(self) }

  /// The same values, cut off from the recorded computation.
  public func detached() -> Tensor { Shape.detach(self) }

  /// A copy with memory of its own.
  public func copy() -> Tensor { Shape.clone(self) }

  /// Zeros, on the CPU.
  public static func zeros(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Shape.zeros(shape, dtype)
  }

  /// Any values, on the CPU: memory that is not touched until something is written into it.
  public static func uninitialized(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Shape.empty(shape, dtype)
  }

  /// Ones, on the CPU.
  public static func ones(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Shape.ones(shape, dtype)
  }

  /// One value everywhere; filled on the device, which nothing waits for as for an upload.
  public static func full(
    _ shape: [Int],
    _ value: Double,
    dtype: DType = .float32,
    device: Device = .cpu
  ) -> Tensor {
    Shape.full(shape, value, dtype, Int?.none, device)
  }

  /// Ones of another tensor's shape, type and device.
  public static func ones(like other: Tensor) -> Tensor { Shape.onesLike(other) }
  /// Zeros of another tensor's shape, type and device.
  public static func zeros(like other: Tensor) -> Tensor { Shape.zerosLike(other) }

  /// The identity matrix [n, n].
  public static func identity(_ n: Int, dtype: DType = .float32) -> Tensor { Shape.eye(n, dtype) }

  /// 0, 1, … count − 1, int64.
  public static func range(_ count: Int) -> Tensor { Shape.arange(count, DType.int64) }

  /// The upper triangle from diagonal `k` on; the rest 0.
  public func upperTriangle(_ k: Int = 0) -> Tensor { Shape.triu(self, k) }

  /// The main diagonal of a matrix, as a view.
  public func diagonal() -> Tensor { Shape.diagonal(self) }
}

private enum Shape {
  static let reshape = Operator("aten::reshape")
  static let permute = Operator("aten::permute")
  static let transpose = Operator("aten::transpose.int")
  static let flip = Operator("aten::flip")
  static let unsqueeze = Operator("aten::unsqueeze")
  static let squeeze = Operator("aten::squeeze.dim")
  static let expand = Operator("aten::expand")
  static let tile = Operator("aten::tile")
  static let roll = Operator("aten::roll")
  static let narrow = Operator("aten::narrow")
  static let select = Operator("aten::select.int")
  static let slice = Operator("aten::slice.Tensor")
  static let indexSelect = Operator("aten::index_select")
  static let constantPad = Operator("aten::constant_pad_nd")
  static let reflectionPad = Operator("aten::reflection_pad2d")
  static let cat = Operator("aten::cat")
  static let stack = Operator("aten::stack")
  static let chunk = Operator("aten::chunk")
  static let toType = Operator("aten::to.dtype")
  static let toDevice = Operator("aten::to.device")
  static let contiguous = Operator("aten::contiguous")
  static let detach = Operator("aten::detach")
  static let clone = Operator("aten::clone")
  static let zeros = Operator("aten::zeros")
  static let empty = Operator("aten::empty.memory_format")
  static let ones = Operator("aten::ones")
  static let full = Operator("aten::full")
  static let onesLike = Operator("aten::ones_like")
  static let zerosLike = Operator("aten::zeros_like")
  static let eye = Operator("aten::eye")
  static let arange = Operator("aten::arange")
  static let triu = Operator("aten::triu")
  static let diagonal = Operator("aten::diagonal")
}
