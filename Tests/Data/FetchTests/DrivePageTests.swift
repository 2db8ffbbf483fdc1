import Files
import Foundation
import TestSupport
import Testing

@testable import Fetch

@Suite("Google Drive's pages")
struct DrivePageTests {
  private let address: URL

  init() throws {
    address = try #require(URL(string: "https://drive.usercontent.google.com/download?id=abc"))
  }

  @Test func `the form of the page about viruses leads to the file with its token`() throws {
    let html = """
      <!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
      <p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
      <form id="download-form" action="https://drive.usercontent.google.com/download" method="get">
      <input type="submit" id="uc-download-link" class="goog" value="Download anyway"/>
      <input type="hidden" name="id" value="abc"><input type="hidden" name="export" value="download">
      <input type="hidden" name="confirm" value="t">
      <input type=hidden name='uuid' value='1f-2&amp;x'></form></body></html>
      """
    guard case .download(let url) = DrivePage(html, at: address) else {
      Issue.record("\(DrivePage(html, at: address))")
      return
    }
    let parts = try #require(URLComponents(url: url, resolvingAgainstBaseURL: true))
    #expect(parts.host == "drive.usercontent.google.com" && parts.path == "/download")
    let items = (parts.queryItems ?? []).map { "\($0.name)=\($0.value ?? "")" }
    #expect(items == ["id=abc", "export=download", "confirm=t", "uuid=1f-2&x"])
  }

  @Test func `the link of an older page leads to the file`() {
    let html =
      #"<a id="uc-download-link" href="/uc?export=download&amp;confirm=Xy_1&amp;id=abc">Download</a>"#
    #expect(
      DrivePage(html, at: address)
        == .download(
          URL(
            string: "https://drive.usercontent.google.com/uc?export=download&confirm=Xy_1&id=abc"
          )!
        )
    )
  }

  @Test func `quota, missing rights and anything else are told apart`() {
    #expect(
      DrivePage(
        "<title>Google Drive - Quota exceeded</title><p>Too many users have viewed or downloaded</p>",
        at: address
      ) == .quotaExceeded
    )
    #expect(DrivePage("<title>x</title><p>You need access</p>", at: address) == .denied)
    #expect(DrivePage("hello", at: URL(string: "https://accounts.google.com/x")!) == .denied)
    #expect(
      DrivePage("<title> Sorry\n&amp; so on </title>", at: address)
        == .unknown("the page “Sorry & so on”")
    )
  }

  @Test func `damaged pages are read without harm`() {
    let seed = Array(
      """
      <title>a</title><form id="download-form" action="/download?a=b"><input type="hidden" name="id"
      value='x'></form><a href="/uc?export=download&confirm=1">
      """.utf8
    )
    let alphabet = Array("<>\"'=/ &?#%aid\u{0}\u{e9}".utf8)
    let report = DamagedInputs([seed], alphabet: alphabet).read(3000) {
      _ = DrivePage(String(decoding: $0, as: UTF8.self), at: address)
    }
    #expect(report.refused == 0 && report.slowest < .seconds(2))
  }

  @Test(arguments: [
    ("https://drive.google.com/file/d/1aB_c-DEFghij/view?usp=sharing", "1aB_c-DEFghij"),
    ("https://drive.google.com/uc?id=1aB_c-DEFghij&export=download", "1aB_c-DEFghij"),
    ("1aB_c-DEFghij", "1aB_c-DEFghij"), ("https://drive.google.com/", nil), ("../../etc", nil),
    ("1aB_c DEFghij", nil), ("", nil),
  ])
  func `a link holds an id`(text: String, id: String?) { #expect(DriveDownload.id(in: text) == id) }

  @Test func `cookies are sent only to the hosts that set them`() {
    var jar = CookieJar()
    let drive = URL(string: "https://drive.google.com/uc")!
    jar.take(
      ["a=1; Domain=.google.com; Secure", "b=2; Path=/", "c=3; Domain=other.com"],
      from: drive
    )
    jar.take(["a=4; domain=google.com"], from: drive)
    #expect(jar.header(for: drive) == "b=2; a=4")
    #expect(jar.header(for: URL(string: "https://x.usercontent.google.com/")!) == "a=4")
    #expect(jar.header(for: URL(string: "https://evilgoogle.com/")!) == nil)
  }
}
