import Testing
import Web

@Suite struct BackOffTests {
  @Test func `the delay doubles from one attempt to the next`() {
    #expect((1...4).map { backOff(0.75, afterAttempt: $0) } == [0.75, 1.5, 3, 6])
  }
}
