import ArgumentParser
import Testing

@testable import ModelCommands

@Suite("Notices of metrics")
struct MetricsNoticeTests {
  @Test(arguments: [
    ("fid50k_full,fid_infinity,is50k,clip_score", nil),
    ("kid50k,fid50k,fd_vit_infinity,mmd_vit", "kid50k, mmd_vit compares with the data's"),
  ])
  func `moments that count for Fréchet distances alone are told`(
    metrics: String,
    expected: String?
  ) throws {
    let command = try MetricsCommand.parse([
      "--network=x", "--reference-statistics=a.npz", "--detector=vit.pt", "--metrics=\(metrics)",
    ])
    let notice = command.notice(ofReference: "a.npz")
    #expect((notice == nil) == (expected == nil))
    if let expected { #expect(notice?.hasSuffix(expected) == true, "\(notice ?? "")") }
  }
}
