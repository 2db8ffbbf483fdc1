import Testing
import Web

@Suite struct WebURLTests {
  @Test(arguments: [
    ("http://example.com", "http://example.com:80/"),
    ("https://example.com/a.jpg", "https://example.com:443/a.jpg"),
    ("HTTP://EXAMPLE.com:8080/A?b=c#d", "http://example.com:8080/A?b=c"),
    ("  https://example.com./x \n", "https://example.com:443/x"),
    ("http://example.com?q=1", "http://example.com:80/?q=1"),
    ("http://example.com/a b/ü|\"<>.png", "http://example.com:80/a%20b/%C3%BC%7C%22%3C%3E.png"),
    ("http://example.com/100%/%2F%zz", "http://example.com:80/100%25/%2F%25zz"),
    ("http://example.com\\a\\b", "http://example.com:80/a/b"),
    ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
    ("http://bücher.example/x", "http://xn--bcher-kva.example:80/x"),
    ("http://Ｅｘａｍｐｌｅ。日本語.jp/x", "http://example.xn--wgv71a119e.jp:80/x"),
    ("http://münchen-ost.de/x", "http://xn--mnchen-ost-9db.de:80/x"),
    ("http://1.2.3.4:/x", "http://1.2.3.4:80/x"),
  ])
  func `an address is written in one form`(text: String, written: String) throws {
    let url = try #require(WebURL(text))
    #expect(url.description == written)
    // What is written is read as itself: no second parser finds another host in it.
    #expect(WebURL(url.description) == url)
  }

  @Test(arguments: [
    "", "example.com/a.jpg", "//example.com/a", "ftp://example.com/a", "file:///etc/passwd",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/x", "data:image/png;base64,AAAA", "javascript:alert(1)",
    "http://", "http:///path", "http://user@example.com/", "http://user:pass@example.com/",
    "http://example.com:99999/", "http://example.com:22/", "http://example.com:0/",
    "http://example.com:8o/", "http://exa mple.com/", "http://exa%6Dple.com/", "http://[::1/",
    "http://[1.2.3.4]/", "http://[::1]x/", "http://a..b/", "http://.example.com/",
    "http://example.com@127.0.0.1/", "http://127.0.0.1:80:80/",
  ])
  func `a URL that cannot be an image's is refused`(text: String) {
    #expect(WebURL(text) == nil)
  }

  @Test func `an endless address is refused`() {
    #expect(WebURL("http://example.com/" + String(repeating: "a", count: 5000)) == nil)
    #expect(WebURL("http://" + String(repeating: "a", count: 64) + ".com/") == nil)
  }

  @Test(arguments: [
    ("/other.png", "https://example.com:8443/other.png"),
    ("other.png", "https://example.com:8443/dir/other.png"),
    ("?size=2", "https://example.com:8443/dir/image.jpg?size=2"),
    ("//cdn.example.com/x", "https://cdn.example.com:443/x"),
    ("http://plain.example.com/x", "http://plain.example.com:80/x"),
    ("../up.png", "https://example.com:8443/dir/../up.png"),
  ])
  func `a redirect is resolved against its own URL`(location: String, target: String) throws {
    let url = try #require(WebURL("https://example.com:8443/dir/image.jpg?size=1"))
    #expect(url.resolving(location)?.description == target)
  }

  @Test(arguments: ["", "ftp://example.com/x", "file:///etc/passwd", "http://u@example.com/"])
  func `a redirect to an invalid URL is refused`(location: String) throws {
    let url = try #require(WebURL("https://example.com/a"))
    #expect(url.resolving(location) == nil)
  }

  @Test func `the host header names the port only when it is unusual`() {
    #expect(WebURL("https://example.com/")?.hostHeader == "example.com")
    #expect(WebURL("http://example.com:443/")?.hostHeader == "example.com:443")
    #expect(WebURL("http://[2001:db8::1]/")?.hostHeader == "[2001:db8::1]")
  }
}
