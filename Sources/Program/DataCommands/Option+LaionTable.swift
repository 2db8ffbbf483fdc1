import ArgumentParser
import Laion

// Flags of `nifty laion` take their names, helps and defaults from the options' tables.

extension Option {
  /// The flag of an option that must be given.
  init(required option: LaionOption<Value>) where Value: ExpressibleByArgument {
    self.init(name: .customLong(option.name), help: ArgumentHelp(option))
  }

  /// The flag of an option that has a default.
  init(_ option: LaionOption<Value>) where Value: ExpressibleByArgument {
    self.init(
      wrappedValue: option.standard,
      name: .customLong(option.name),
      help: ArgumentHelp(option)
    )
  }

  /// The flag of an option that may be left out.
  init<Given: ExpressibleByArgument, Kept>(optional option: LaionOption<Kept?>)
  where Value == Given? {
    self.init(name: .customLong(option.name), help: ArgumentHelp(option))
  }

  /// The flag of an option that may be given several times.
  init<Element: ExpressibleByArgument>(repeating option: LaionOption<[Element]>)
  where Value == [Element] {
    self.init(
      wrappedValue: option.standard,
      name: .customLong(option.name),
      help: ArgumentHelp(option)
    )
  }

  /// The flag of an option that is a list of words; `nil` if it is not given.
  init(list option: LaionOption<[String]>) where Value == WordList? {
    self.init(name: .customLong(option.name), help: ArgumentHelp(option))
  }

  /// The flag of an option each of whose entries is given by itself.
  init<Entry: ExpressibleByArgument, Kept>(entriesOf option: LaionOption<Kept>)
  where Value == [Entry] {
    self.init(wrappedValue: [], name: .customLong(option.name), help: ArgumentHelp(option))
  }
}

extension Flag where Value == Bool {
  /// The flag of an option that has no value.
  init(_ option: LaionOption<Bool>) {
    self.init(
      wrappedValue: option.standard,
      name: .customLong(option.name),
      help: ArgumentHelp(option)
    )
  }
}

extension ArgumentHelp {
  fileprivate init(_ option: some AnyLaionOption) {
    self.init(option.summary, discussion: option.discussion)
  }
}
