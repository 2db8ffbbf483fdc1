import Glibc
import Testing

@testable import Laion

/// Connections are open files, and the system bounds them.
@Suite struct OpenFilesTests {
  @Test func `the limit is raised to what the connections need`() async {
    await #expect(processExitsWith: .success) {
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
      var limit = rlimit(rlim_cur: 100, rlim_max: 2000)
      setrlimit(resource, &limit)
      var settings = FetchSettings()
      settings.concurrency = 512
      settings.decoderThreads = 4
      let needed = OpenFiles.needed(by: settings)
      try OpenFiles.allow(needed)
      getrlimit(resource, &limit)
      exit(limit.rlim_cur == rlim_t(needed) && needed > 1024 ? 0 : 1)
    }
  }

  @Test func `a system that lets too few be opened is an error before the first request`() async {
    await #expect(processExitsWith: .success) {
      var limit = rlimit(rlim_cur: 300, rlim_max: 300)
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      try OpenFiles.allow(300)
      do throws(LaionError) { try OpenFiles.allow(301) } catch {
        exit(error == .tooFewFiles(needed: 301, allowed: 300) ? 0 : 1)
      }
      exit(2)
    }
  }
}
