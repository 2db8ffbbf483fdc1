package import Torch

/// A source that gives back recorded draws, in their order, and stops where the code under test draws
/// something else than what was recorded.
package final class ReplayedRandom: RandomSource {
  /// One recorded draw.
  package struct Draw {
    /// Which function was called.
    package enum Kind: String {
      case normal, uniform, integer
    }
    package let kind: Kind?
    package let value: Tensor

    /// A draw of a kind with the value it gave; a kind that was not recorded is `nil`.
    package init(_ kind: Kind?, _ value: Tensor) {
      self.kind = kind
      self.value = value
    }

    /// A draw by the name of PyTorch's function that made it.
    package init(function: String, _ value: Tensor) {
      let kind: Kind =
        switch function {
        case "randn", "randn_like": .normal
        case "rand", "rand_like": .uniform
        default: .integer
        }
      self.init(kind, value)
    }
  }

  private let draws: [Draw]
  /// Draws given back so far.
  package private(set) var position = 0

  /// Whether every recorded draw was asked for.
  package var isExhausted: Bool { position == draws.count }

  /// A source that replays `draws`.
  package init(_ draws: [Draw]) { self.draws = draws }

  /// The draws `rand.000`, `rand.001`, … of a golden file, with the kinds its manifest gives.
  package convenience init(_ golden: Golden) throws {
    let entry: ManifestEntry = try golden.manifest()
    self.init(entry.draws.map { Draw(function: $0.function, golden[$0.key]) })
  }

  package func normal(_ shape: [Int]) -> Tensor { next(.normal, shape) }

  package func uniform(_ shape: [Int]) -> Tensor { next(.uniform, shape) }

  package func integer(in range: Range<Int>) -> Int {
    let value = Int(next(.integer, []).item)
    precondition(range.contains(value), "draw \(position - 1) is \(value), outside \(range)")
    return value
  }

  private func next(_ kind: Draw.Kind, _ shape: [Int]) -> Tensor {
    precondition(position < draws.count, "draw \(position) of only \(draws.count) recorded")
    let draw = draws[position]
    let recorded = draw.value.shape
    precondition(
      draw.kind ?? kind == kind && recorded == shape,
      "draw \(position) is \(kind) \(shape), recorded was \(draw.kind ?? kind) \(recorded)"
    )
    position += 1
    return draw.value
  }
}

/// The part of a manifest entry that lists draws: `names` maps a heading to [key, function, …] lists.
private struct ManifestEntry: Decodable {
  let draws: [(key: String, function: String)]

  private struct Field: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Field.self)
    var draws: [(key: String, function: String)] = []
    if let field = Field(stringValue: "names") {
      let names = try container.nestedContainer(keyedBy: Field.self, forKey: field)
      for heading in names.allKeys where heading.stringValue.hasPrefix("rand.") {
        var rows = try names.nestedUnkeyedContainer(forKey: heading)
        while !rows.isAtEnd {
          var row = try rows.nestedUnkeyedContainer()
          draws.append((try row.decode(String.self), try row.decode(String.self)))
        }
      }
    }
    self.draws = draws
  }
}
