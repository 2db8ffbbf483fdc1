import Foundation
import TestSupport
import Testing

@testable import Datasets

/// What is told of images that are left out.
@Suite struct ReportTests {
  private static let causes: [DropCause] = [
    .unreadable, .undecodable("corrupt image"), .tooSmall, .grey, .mismatched, .unusableLabel,
    .tooManyCaptions, .strayCaption, .strayLabel, .repeatedName, .missingEnd, .repairedCaption,
    .repeatedLabel, .unappliedOrientation, .damagedOrientation, .noLabels, .unreadKind, .wordLabel,
  ]

  @Test func `causes have distinct names that parse back`() {
    for cause in Self.causes { #expect(DropCause(cause.description) == cause) }
    #expect(Set(Self.causes.map(\.description)).count == 18)
  }

  @Test func `eight causes skip an image, ten only warn`() {
    let told = Self.causes.filter { !$0.leavesOutImage }
    let expected: [DropCause] = [
      .strayCaption, .strayLabel, .missingEnd, .repairedCaption, .repeatedLabel,
      .unappliedOrientation, .damagedOrientation, .noLabels, .unreadKind, .wordLabel,
    ]
    #expect(told == expected)
  }

  @Test func `causes are counted by name, damaged images by what is wrong with them`() {
    let causes: [DropCause] = [
      .grey, .tooSmall, .grey, .undecodable("empty"), .undecodable("corrupt image"),
      .undecodable("empty"),
    ]
    let dropped = causes.enumerated().map { number, cause in
      PackReport.Dropped(name: "\(number)", cause: cause, reason: "")
    }
    #expect(dropped.counts == ["grey": 2, "too small": 1, "empty": 2, "corrupt image": 1])
    #expect([PackReport.Dropped]().counts.isEmpty)
  }

  @Test func `the list has a line for each, without tabs or line ends of names in it`() throws {
    let folder = try TemporaryFolder()
    let list = folder.file("a.zip.left-out.tsv")
    let dropped: [PackReport.Dropped] = [
      .init(name: "a\tb\nc\r\nd.png", cause: .tooSmall, reason: "4×4"),
      .init(name: "ä.png", cause: .undecodable("corrupt image"), reason: "line\u{2028}end"),
    ]
    try SkippedItems.write(dropped, beside: folder.file("a.zip"))
    let expected =
      "name\tcause\treason\na b c d.png\ttoo small\t4×4\nä.png\tcorrupt image\tline end\n"
    #expect(try String(contentsOfFile: list, encoding: .utf8) == expected)
    // Where nothing is left out any more the earlier list would be wrong.
    try SkippedItems.write([], beside: folder.file("a.zip"))
    #expect(folder.contents == [])
  }
}
