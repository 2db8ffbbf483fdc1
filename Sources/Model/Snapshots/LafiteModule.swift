import JSON
import Networks
import Pickle

/// One module of the original's networks: its class, the attributes it is pickled with, and the shapes
/// of its tensors.
///
/// The trees of a whole generator and discriminator serve twice: pickles are written from them, and a
/// file's tensors are compared with them before a network is made.
struct LafiteModule {
  let className: String
  /// Plain attributes in order, without what every module of PyTorch has.
  var attributes: [(String, PickleValue)] = []
  var parameters: [(name: String, shape: [Int])] = []
  var buffers: [(name: String, shape: [Int])] = []
  var children: [(name: String, module: LafiteModule)] = []
  /// The keyword arguments that the module would be made with.
  var keywords = OptionValue.dictionary([])

  /// The shapes of all tensors by the names of the state dictionary.
  var shapes: [String: [Int]] {
    var result: [String: [Int]] = [:]
    collect("", into: &result)
    return result
  }

  private func collect(_ prefix: String, into result: inout [String: [Int]]) {
    for (name, shape) in parameters + buffers { result[prefix + name] = shape }
    for (name, module) in children { module.collect("\(prefix)\(name).", into: &result) }
  }

  /// A fully connected layer with equalised learning rate.
  static func fullyConnected(
    _ inputs: Int,
    _ outputs: Int,
    activation: String = "linear",
    learningRateMultiplier: Double = 1
  ) -> LafiteModule {
    var module = LafiteModule(className: "FullyConnectedLayer")
    module.attributes = [
      ("activation", .string(activation)),
      ("weight_gain", .double(learningRateMultiplier / Double(inputs).squareRoot())),
      ("bias_gain", .double(learningRateMultiplier)),
    ]
    module.parameters = [("weight", [outputs, inputs]), ("bias", [outputs])]
    return module
  }
}

/// The low-pass filter that layers keep, [4, 4].
let resampleFilterShape = [4, 4]

extension Double? {
  /// None, or the number.
  var pickled: PickleValue { map { .double($0) } ?? .none }
}

extension [Int] {
  /// A list of the numbers.
  var pickled: PickleValue { .list(map { .int(Int64($0)) }) }
}

extension Int {
  /// The number.
  var pickled: PickleValue { .int(Int64(self)) }
}
