import Glibc
import Testing

@testable import ModelCommands

/// What is said of a process of ours that a signal ended.
@Suite("Processes that a signal ended")
struct SignalEndingTests {
  @Test func `an external SIGKILL is reported as likely out of memory, with flags that need less`()
  {
    let said = ended(by: SIGKILL, advice: "lower --batch")
    let expected = "was killed by signal 9, as the kernel does when memory runs out: lower --batch"
    #expect(said == expected)
  }

  @Test func `other signals, and our own, are only named`() {
    #expect(ended(by: SIGSEGV, advice: "lower --batch") == "was ended by signal 11")
    #expect(ended(by: SIGKILL, advice: nil) == "was ended by signal 9")
  }

  @Test func `a stage of the demo that is killed says so, and one that fails has its status`() {
    let killed = StageFailure(command: "nifty train", status: SIGKILL, isSignal: true)
    #expect(
      killed.description.hasPrefix("the demo stopped: `nifty train` was killed by signal 9, as ")
    )
    let failed = StageFailure(command: "nifty train", status: 9, isSignal: false)
    #expect(failed.description == "the demo stopped: `nifty train` ended with status 9")
  }
}
