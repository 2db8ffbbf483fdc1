import Files
import Testing

@testable import ObjectStore

/// Signatures that AWS publishes: “Authenticating Requests: Using the Authorization Header (AWS Signature
/// Version 4)”, its examples.
@Suite("Signatures")
struct SignatureTests {
  private let signer: Signature
  private static let host = "examplebucket.s3.amazonaws.com"
  private static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  init() throws {
    signer = Signature(
      credentials: try Credentials(
        accessKey: "AKIAIOSFODNN7EXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        source: "the documentation"
      ),
      region: "us-east-1"
    )
  }

  private func signature(
    _ method: String,
    _ path: String,
    _ query: [(String, String)] = [],
    _ headers: [(String, String)] = [],
    hash: String = emptyHash
  ) -> String {
    let time = "20130524T000000Z"
    let all = [("host", Self.host), ("x-amz-content-sha256", hash), ("x-amz-date", time)] + headers
    let value = signer.authorization(
      of: .init(
        method: method,
        path: Signature.encoded(path, isPath: true),
        query: Signature.query(query),
        headers: all,
        bodyHash: hash
      ),
      time: time
    )
    #expect(
      value.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
      )
    )
    return String(value.suffix(64))
  }

  @Test func `a part of an object is asked for as AWS signs it`() {
    #expect(
      signature("GET", "/test.txt", [], [("range", "bytes=0-9")])
        == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
  }

  @Test func `an object is uploaded as AWS signs it`() {
    let hash = Array("Welcome to Amazon S3.".utf8).withUnsafeBytes { SHA256.digest(of: $0) }
    #expect(hash == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
    let headers = [
      ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ]
    #expect(
      signature("PUT", "/test$file.text", [], headers, hash: hash)
        == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )
  }

  @Test func `a setting of a bucket is asked for as AWS signs it`() {
    #expect(
      signature("GET", "/", [("lifecycle", "")])
        == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )
  }

  @Test func `a bucket is listed as AWS signs it`() {
    #expect(
      signature("GET", "/", [("prefix", "J"), ("max-keys", "2")])
        == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )
  }

  @Test func `moments are written in Greenwich's time`() {
    #expect(Signature.time(0) == "19700101T000000Z")
    #expect(Signature.time(1_369_353_600) == "20130524T000000Z")
    #expect(Signature.time(1_709_251_199) == "20240229T235959Z")
  }

  @Test func `all but letters, digits and four signs is encoded, slashes where they separate`() {
    #expect(Signature.encoded("a b/ü+~-._%") == "a%20b%2F%C3%BC%2B~-._%25")
    #expect(Signature.encoded("a b/c", isPath: true) == "a%20b/c")
    #expect(Signature.query([("b", "2"), ("a+", "x y"), ("a", "")]) == "a=&a%2B=x%20y&b=2")
  }

  /// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
  @Test func `keyed hashes are those of the RFC`() {
    func code(_ message: String, _ key: [UInt8]) -> String {
      hexadecimal(SHA256.authenticationCode(of: Array(message.utf8), key: key))
    }
    #expect(
      code("Hi There", .init(repeating: 0x0B, count: 20))
        == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    #expect(
      code("what do ya want for nothing?", Array("Jefe".utf8))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    #expect(
      code(
        "Test Using Larger Than Block-Size Key - Hash Key First",
        .init(repeating: 0xAA, count: 131)
      ) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    )
  }

  /// RFC 1321, appendix A.5.
  @Test func `digests of messages are those of the RFC`() {
    #expect(hexadecimal(MD5.digest(of: [])) == "d41d8cd98f00b204e9800998ecf8427e")
    #expect(hexadecimal(MD5.digest(of: Array("abc".utf8))) == "900150983cd24fb0d6963f7d28e17f72")
  }
}
