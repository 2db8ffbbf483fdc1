import Foundation
import TestSupport
import Testing

/// `scripts/packages.tsv` and what reads it: which packages `scripts/setup` installs where.
@Suite("Systems that scripts/setup knows")
struct SystemsTests {
  private static let systems = ["debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04"]

  private func rows() throws -> [[String]] {
    try String(contentsOfFile: Repository.path("scripts/packages.tsv"), encoding: .utf8)
      .split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
  }

  /// A function of `scripts/systems.sh`, with the words after it.
  private func run(_ call: String, environment: [String: String] = [:]) throws -> Outcome {
    try nifty(
      ["-c", "set -- && source scripts/lib.sh && source scripts/systems.sh && \(call)"],
      in: Repository.root.path,
      environment: ["NIFTY_SYSTEM": ""].merging(environment) { $1 },
      program: "/bin/bash"
    )
  }

  @Test func `every package has a name on every system, and none is there twice`() throws {
    let rows = try rows()
    let columns = try #require(rows.first)
    #expect(
      columns.dropFirst().dropLast().map { $0.split(separator: " ")[0] }.elementsEqual(
        Self.systems.map { $0[...] }
      )
    )
    for row in rows.dropFirst() {
      #expect(row.count == columns.count, "\(row)")
      #expect(["swift", "build", "drawings", "tests"].contains(row[0]), "\(row)")
      for name in row.dropFirst().dropLast() {
        let isName = name.wholeMatch(of: /[a-z0-9][a-z0-9.+-]+(<[0-9.]+)?/) != nil
        // Only what tests need may be missing: a test says that it was skipped.
        #expect(isName || name == "-" && row[0] == "tests", "\(row)")
      }
      #expect(row.last?.isEmpty == false, "\(row) does not say what it is for")
    }
    for column in 1...Self.systems.count {
      let names = rows.dropFirst().map { $0[column] }.filter { $0 != "-" }
      #expect(Set(names).count == names.count, "\(columns[column]) has a package twice")
    }
  }

  @Test(arguments: [
    ("debian-12", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm"),
    ("debian-13", "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie"),
    ("ubuntu-22.04", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\nUBUNTU_CODENAME=jammy"),
    ("ubuntu-24.04", "ID=ubuntu\nVERSION_ID=24.04\nVERSION_CODENAME=noble"),
    (
      "ubuntu-24.04", "ID=linuxmint\nVERSION_ID='22'\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble"
    ),
    ("ubuntu-22.04", "ID=pop\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\nUBUNTU_CODENAME=jammy"),
    ("debian-12", "ID=linuxmint\nVERSION_ID=6\nVERSION_CODENAME=faye\nDEBIAN_CODENAME=bookworm"),
    ("debian-12", "ID=raspbian\nID_LIKE=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm"),
  ])
  func `a system and what derives from it take its column`(system: String, file: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(file.utf8), to: "os-release")
    let outcome = try run("choose_system '\(folder.file("os-release"))'")
    #expect(outcome.output == system && outcome.status == 0, "\(outcome)")
  }

  @Test(arguments: [
    ("Fedora Linux 41", "ID=fedora\nVERSION_ID=41\nPRETTY_NAME=\"Fedora Linux 41\""),
    (
      "Ubuntu 25.10",
      "ID=ubuntu\nVERSION_ID=25.10\nUBUNTU_CODENAME=questing\nPRETTY_NAME='Ubuntu 25.10'"
    ),
    ("debian", "ID=debian\nVERSION_CODENAME=forky"), ("a system without", ""),
    ("a system without", "ID=\"debian\nVERSION_ID"),
  ])
  func `any other system is named in one line that says what to do`(
    name: String,
    file: String
  ) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(file.utf8), to: "os-release")
    let outcome = try run("choose_system '\(folder.file("os-release"))'")
    #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
    #expect(outcome.errors.contains("error: \(name)"), "\(outcome)")
    #expect(outcome.errors.contains("scripts/packages.tsv"), "\(outcome)")
    #expect(outcome.errors.hasSuffix("repeat with NIFTY_SYSTEM=none\n"), "\(outcome)")
  }

  @Test func `NIFTY_SYSTEM decides where it is set, and a wrong one is refused`() throws {
    for system in Self.systems + ["none"] {
      let outcome = try run("choose_system /nowhere", environment: ["NIFTY_SYSTEM": system])
      #expect(outcome.output == system, "\(outcome)")
    }
    let outcome = try nifty(
      [],
      environment: ["NIFTY_SYSTEM": "debian"],
      program: Repository.path("scripts/setup")
    )
    #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome)")
    #expect(outcome.errors.hasPrefix("setup: error: NIFTY_SYSTEM is none or a column"))
    #expect(outcome.errors.hasSuffix("not 'debian'\n"), "\(outcome)")
  }

  @Test func `a system's packages are those of its column and of the uses that are asked for`()
    throws
  {
    let names = { (arguments: String) in
      try run("packages_of \(arguments)").output.split(separator: "\n").map(String.init)
    }
    #expect(
      try names("debian-13 drawings") == [
        "openclipart-svg", "tuxpaint-stamps-default", "librsvg2-2",
      ]
    )
    #expect(try names("debian-13 swift").contains("libcurl4t64"))
    #expect(try names("ubuntu-22.04 build").contains("python3.11"))
    #expect(try names("debian-12 tests").contains("chromium"))
    #expect(try !names("ubuntu-24.04 tests").contains { $0 == "-" || $0 == "chromium" })
    #expect(try names("ubuntu-22.04 build").contains("libharfbuzz-dev"))
    #expect(
      try run("too_old_of ubuntu-22.04 build").output == "libavif-dev 0.11\nlibharfbuzz-dev 4.0\n"
    )
    #expect(try run("too_old_of debian-12 swift build").output.isEmpty)
    for system in Self.systems {
      let all = try names("\(system) swift build drawings tests")
      #expect(all.count > 30, "\(system)")
    }
  }
}
