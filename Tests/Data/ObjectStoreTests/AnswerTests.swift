import TestSupport
import Testing

@testable import ObjectStore

/// Addresses, and what a store answers.
@Suite("Addresses and answers of a store")
struct AnswerTests {
  @Test func `a bucket and a prefix are read, slashes at the end left out`() throws {
    let place = try S3Location("s3://my-bucket/a/b c/")
    #expect(place.bucket == "my-bucket" && place.prefix == "a/b c" && place.key("x") == "a/b c/x")
    #expect(
      try S3Location("S3://abc").description == "s3://abc"
        && S3Location("s3://abc/").key("x") == "x"
    )
  }

  @Test(
    arguments: [
      "s3:/abc", "s3://", "s3://ab", "s3://Abc", "s3://a_c", "s3://-abc", "s3://a..b",
      "s3://abc//x",
      "s3://abc/../x", "s3://abc/./x", "s3://abc/x\u{7}", "s3://user:word@abc/x", "s3://abc:9000/x",
      "s3://\(String(repeating: "a", count: 64))", "s3://abc/\(String(repeating: "a", count: 256))",
      "s3://abc/\(String(repeating: "abc/", count: 250))x",
    ]
  )
  func `other addresses are refused`(text: String) {
    #expect(throws: StoreError.self) { try S3Location(text) }
  }

  private func parsed(_ text: String) -> XMLElement? { XMLElement(parsing: Array(text.utf8)) }

  @Test func `elements, references and unparsed text are read`() {
    let list = parsed(
      """
      \n<?xml version="1.0"?><!-- a > b --><r:List xmlns:r="x" a='>'><Key>a&amp;b&#x20;&#99;</Key>
      <Empty/><Key><![CDATA[<&]]>d</Key></r:List>\n
      """
    )
    #expect(list?.name == "List" && list?.all("Key").map(\.text) == ["a&b c", "<&d"])
    #expect(list?["Empty"] == "" && list?["None"] == nil)
  }

  @Test(
    arguments: [
      "", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&bomb;</a>", "<a>&#xFFFFFFFF;</a>",
      "<a>&amp</a>", "<a", "< a/>",
      "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a><b></a></b>", "</a>", "<a><![CDATA[</a>",
      String(repeating: "<a>", count: 13) + String(repeating: "</a>", count: 13),
      "<a>" + String(repeating: "<b/>", count: 60_000) + "</a>",
    ]
  )
  func `damaged, deep and expanding documents are refused`(text: String) {
    #expect(parsed(text) == nil)
  }

  @Test(.tags(.slow)) func `damaged lists end in an answer or in none`() {
    let list =
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated>"
      + "<Contents><Key>a%20b</Key><Size>7</Size><ETag>&quot;0a&quot;</ETag></Contents></ListBucketResult>"
    expectSafe(DamagedInputs([Array(list.utf8)]), 3000, refused: 0.3) { bytes in
      struct Refused: Error {}
      if XMLElement(parsing: bytes) == nil { throw Refused() }
    }
  }

  @Test func `short credentials do not make holes into our own words`() throws {
    let credentials = try Credentials(accessKey: "a", secret: "b", token: nil, source: "a test")
    let body = "<Error><Code>NoSuchBucket</Code></Error>"
    let refusal = StoreRefusal(status: 404, body: Array(body.utf8), region: nil)
    let error = refusal.error("list s3://b", bucket: "b", store: "http://x", credentials, date: nil)
    #expect(
      error.description
        == "cannot list s3://b: http://x has no bucket b; make it, or correct the address"
    )
  }

  @Test func `refusals say what to do, in one line and without a credential`() throws {
    let credentials = try Credentials(
      accessKey: "AKID",
      secret: "SEC/RET",
      token: "TOK",
      source: "a test"
    )
    func said(
      _ code: String,
      _ message: String = "",
      status: Int = 403,
      more: String = ""
    ) -> String {
      let body = "<Error><Code>\(code)</Code><Message>\(message)</Message>\(more)</Error>"
      let refusal = StoreRefusal(status: status, body: Array(body.utf8), region: nil)
      return refusal.error("list s3://b", bucket: "b", store: "http://x", credentials, date: "Mon")
        .description
    }
    #expect(
      said("NoSuchBucket")
        == "cannot list s3://b: http://x has no bucket b; make it, or correct the address"
    )
    #expect(said("SignatureDoesNotMatch").contains("does not take the credentials from a test"))
    #expect(said("AccessDenied").contains("denies it to the credentials from a test"))
    #expect(
      said("RequestTimeTooSkewed").contains("clock is wrong")
        && said("RequestTimeTooSkewed").contains("Mon")
    )
    #expect(said("ExpiredToken").contains("has expired; get a new one"))
    let region = said(
      "AuthorizationHeaderMalformed",
      status: 400,
      more: "<Region>eu-west-3</Region>"
    )
    #expect(region.contains("is in region eu-west-3: set AWS_REGION=eu-west-3"))
    let odd = said("Odd<Thing>", "x\n\u{1B}[1m SEC/RET TOK AKID", status: 418)
    #expect(!odd.contains("\n") && !odd.contains("\u{1B}"))
    #expect(!odd.contains("SEC/RET") && !odd.contains("TOK") && !odd.contains("AKID"))
    let none = StoreRefusal(status: 403, body: [], region: nil)
    #expect(none.code == "HTTP 403" && !none.isTransient)
    for status in [429, 500, 503] {
      #expect(StoreRefusal(status: status, body: [], region: nil).isTransient)
    }
  }

  @Test func `parts are as many as stores allow at most`() {
    #expect(FileUpload.partSize(16 << 20, for: 1 << 30) == 16 << 20)
    #expect(FileUpload.partSize(16 << 20, for: 160_000 << 20) == 16 << 20)
    #expect(FileUpload.partSize(16 << 20, for: 160_001 << 20) == 17 << 20)
  }
}
