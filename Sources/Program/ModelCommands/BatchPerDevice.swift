import ArgumentParser
import JSON
import Training

/// Images that a device computes at once: a number, or the largest that fits.
enum BatchPerDevice: ExpressibleByArgument, Equatable, JSONConvertible {
  case images(Int)
  case auto

  init?(argument: String) {
    if argument == "auto" {
      self = .auto
    } else if let images = Int(argument) {
      self = .images(images)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] { ["N", "auto"] }

  var json: OptionValue {
    switch self {
    case .images(let images): .int(images)
    case .auto: .string("auto")
    }
  }

  init?(json: OptionValue) {
    switch json {
    case .int(let images): self = .images(images)
    case .string("auto"): self = .auto
    default: return nil
    }
  }
}
