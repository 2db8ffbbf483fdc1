import Testing

@testable import Protobuf

/// The examples of the format's description: https://protobuf.dev/programming-guides/encoding.
@Suite("Messages of Protocol Buffers")
struct ProtobufMessageTests {
  private func bytes(_ build: (inout ProtobufMessage) -> Void) -> [UInt8] {
    var message = ProtobufMessage()
    build(&message)
    return message.bytes
  }

  @Test func `integers take seven bits a byte`() {
    #expect(bytes { $0.add(1, 150) } == [0x08, 0x96, 0x01])
    #expect(bytes { $0.add(1, 0) } == [0x08, 0x00])
    #expect(bytes { $0.add(1, 127) } == [0x08, 0x7F])
    #expect(bytes { $0.add(1, 128) } == [0x08, 0x80, 0x01])
    let nines = [UInt8](repeating: 0xFF, count: 8)
    #expect(bytes { $0.add(1, Int.max) } == [0x08, 0xFF] + nines.dropLast() + [0x7F])
  }

  @Test func `negative integers take ten bytes`() {
    let minusOne = [UInt8](repeating: 0xFF, count: 9) + [0x01]
    #expect(bytes { $0.add(1, -1) } == [0x08] + minusOne)
    #expect(bytes { $0.add(1, -2) } == [0x08, 0xFE] + minusOne.dropFirst())
  }

  @Test func `texts have their length in bytes before them`() {
    #expect(bytes { $0.add(2, "testing") } == [0x12, 0x07] + Array("testing".utf8))
    #expect(bytes { $0.add(2, "é") } == [0x12, 0x02, 0xC3, 0xA9])
    #expect(bytes { $0.add(2, "") } == [0x12, 0x00])
  }

  @Test func `numbers of 32 bits are little-endian`() {
    #expect(bytes { $0.add(2, Float(1)) } == [0x15, 0x00, 0x00, 0x80, 0x3F])
    #expect(bytes { $0.add(2, Float(-0.2)) } == [0x15, 0xCD, 0xCC, 0x4C, 0xBE])
  }

  @Test func `numbers of 64 bits are little-endian`() {
    let one: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
    #expect(bytes { $0.add(1, 1.0) } == [0x09] + one)
  }

  @Test func `a message within a message is its length and its bytes`() {
    var inner = ProtobufMessage()
    inner.add(1, 150)
    #expect(bytes { $0.add(3, inner) } == [0x1A, 0x03, 0x08, 0x96, 0x01])
    #expect(bytes { $0.append(inner) } == inner.bytes)
  }

  @Test func `fields from 16 on and long contents take longer heads`() {
    #expect(bytes { $0.add(20, 1) } == [0xA0, 0x01, 0x01])
    #expect(bytes { $0.addHead(9, length: 300) } == [0x4A, 0xAC, 0x02])
  }
}
