import Testing

@testable import Files

@Suite("Memory of the process")
struct MemoryTests {
  @Test("the kernel's lines are read in kilobytes, and other lines are not")
  func lines() {
    #expect(Memory.kilobytes("VmHWM:", of: "VmHWM:\t    2048 kB\n") == 2048)
    #expect(Memory.kilobytes("VmHWM:", of: "VmRSS:\t    2048 kB\n") == nil)
    #expect(Memory.kilobytes("VmHWM:", of: "VmHWM:\t\n") == nil)
    #expect(Memory.kilobytes("VmHWM:", of: "VmHWM: many kB") == nil)
  }

  @Test("the peak is at least what is resident, and touched memory raises both")
  func sizes() throws {
    let before = try #require(Memory.bytes(.resident))
    let block = [UInt8](repeating: 1, count: 64 << 20)
    let after = try #require(Memory.bytes(.resident))
    let peak = try #require(Memory.bytes(.peak))
    #expect(block.last == 1)
    #expect(after >= before + (48 << 20))
    #expect(peak >= after)
    #expect(try #require(Memory.available) > 0)
  }
}
