import Networks
import Snapshots
package import Torch

/// The classes of one picture: one, or several that hold at once.
package struct ClassChoice: Equatable, Sendable, CustomStringConvertible {
  /// The numbers of the classes, from 0.
  package let classes: [Int]

  /// A choice of at least one class.
  package init(_ classes: [Int]) { self.classes = classes }

  /// `3`, or `1+4` for several.
  package var description: String { classes.map(String.init).joined(separator: "+") }

  /// The label that a generator takes: 1 for each class, 0 for the others, [1, dimension].
  package func label(dimension: Int) -> Tensor {
    var row = [Float](repeating: 0, count: dimension)
    for number in classes { row[number] = 1 }
    return Tensor(row, shape: [1, dimension])
  }
}

/// Classes to paint, as `0-9`, `3,5` or `1+4` for two that hold at once; at most 10,000 choices.
package struct ClassList: CustomStringConvertible {
  /// The choices in the order given.
  package let choices: [ClassChoice]
  /// The list as it is typed.
  package let description: String

  private static let most = 10_000

  /// The choices that a text lists; `nil` where it is no list, or one of too many.
  package init?(argument: String) {
    var choices: [ClassChoice] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      if part.contains("+") {
        let numbers = part.split(separator: "+", omittingEmptySubsequences: false)
          .map(Self.number)
        let classes = numbers.compactMap(\.self)
        guard classes.count == numbers.count, Set(classes).count == classes.count,
          choices.count < Self.most
        else { return nil }
        choices.append(ClassChoice(classes))
        continue
      }
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(Self.number)
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last, last - first < Self.most - choices.count
      else { return nil }
      choices += (first...last).map { ClassChoice([$0]) }
    }
    self.choices = choices
    description = argument
  }

  private static func number(_ text: Substring) -> Int? {
    text.allSatisfy { ("0"..."9").contains($0) } ? Int(text) : nil
  }
}

extension NetworkSnapshot {
  /// The choices of a picture's classes that the generator can paint.
  ///
  /// - Parameter list: The choices that are asked for.
  /// - Returns: The choices; one `nil` for a generator without classes.
  /// - Throws: `SamplingError` if classes are missing, unknown, or not what the generator takes.
  package func choices(_ list: ClassList?) throws(SamplingError) -> [ClassChoice?] {
    guard let dimension = generator.labelDimension else {
      guard let list else { return [nil] }
      throw SamplingError("--class \(list): \(path) has no classes; leave --class out")
    }
    let classes = dimension == 1 ? "only class 0" : "classes 0 to \(dimension - 1)"
    guard let list else {
      throw SamplingError("\(path) paints \(classes); choose one by --class")
    }
    guard list.choices.allSatisfy({ $0.classes.allSatisfy { $0 < dimension } }) else {
      throw SamplingError("--class \(list): \(path) paints \(classes)")
    }
    return list.choices
  }
}
