import ArgumentParser
import Training

// Flags take their names and helps from the options' tables.

extension Option {
  /// The flag of an option.
  init<Given: ExpressibleByArgument>(_ option: TrainingOption) where Value == Given? {
    self.init(name: .customLong(option.name), help: ArgumentHelp(stringLiteral: option.help))
  }

  /// The flag of an option that may be given several times.
  init<Given: ExpressibleByArgument>(repeating option: TrainingOption) where Value == [Given] {
    self.init(
      wrappedValue: [],
      name: .customLong(option.name),
      help: ArgumentHelp(stringLiteral: option.help)
    )
  }
}

extension Option {
  /// The flag of an option of packing that has a default.
  init(_ option: PackOption<Value>) where Value: ExpressibleByArgument {
    self.init(
      wrappedValue: option.standard,
      name: .customLong(option.name),
      help: ArgumentHelp(stringLiteral: option.summary)
    )
  }

  /// The flag of an option of packing that may be left out.
  init<Given: ExpressibleByArgument>(optional option: PackOption<Given?>) where Value == Given? {
    self.init(name: .customLong(option.name), help: ArgumentHelp(stringLiteral: option.summary))
  }
}

extension Flag where Value == Bool {
  /// The flag of an option of packing that has no value.
  init(_ option: PackOption<Bool>) {
    self.init(
      wrappedValue: option.standard,
      name: .customLong(option.name),
      help: ArgumentHelp(stringLiteral: option.summary)
    )
  }

  /// The flag of an option that has no value.
  init(_ option: TrainingOption, short: Character? = nil) {
    let names: [NameSpecification.Element] = short.map { [.customShort($0)] } ?? []
    self.init(
      wrappedValue: false,
      name: NameSpecification(names + [.customLong(option.name)]),
      help: ArgumentHelp(stringLiteral: option.help)
    )
  }
}
