import Foundation
import Images
import Parquet
import TestSupport
import Testing

/// A wall clock that jumps by years is no concern of a download.
@Suite("Clock")
struct ClockTests {
  /// Lays itself over the C library: the wall clock goes an hour back and ten years ahead by turns.
  private static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <sys/time.h>
    #include <time.h>
    static long jump(void) {
      static int calls;
      return __sync_fetch_and_add(&calls, 1) / 20 % 2 ? 315360000L : -3600L;
    }
    int clock_gettime(clockid_t clock, struct timespec *now) {
      static int (*real)(clockid_t, struct timespec *);
      if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, now);
      if (clock == CLOCK_REALTIME) now->tv_sec += jump();
      return result;
    }
    int gettimeofday(struct timeval *now, void *zone) {
      static int (*real)(struct timeval *, void *);
      if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
      int result = real(now, zone);
      now->tv_sec += jump();
      return result;
    }
    time_t time(time_t *out) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (out) *out = now.tv_sec;
      return now.tv_sec;
    }
    """

  /// Runs a program under the jumping clock, on a thread of its own: the server needs the others.
  private func jumping(_ library: String, _ words: [String]) async throws -> ProcessResult {
    let result = try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          with: Result { try runProgram("/usr/bin/env", ["LD_PRELOAD=\(library)"] + words) }
        )
      }
    }
    return try #require(result)
  }

  @Test func `the pairs are those of a steady clock`() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(Self.shim.utf8), to: "clock.c")
    let library = folder.file("clock.so")
    let built = try runProgram(
      "/usr/bin/env",
      ["clang", "-shared", "-fPIC", "-o", library, folder.file("clock.c"), "-ldl"]
    )
    #expect(built?.status == 0, "\(built?.output ?? "")")
    let date = try await jumping(library, ["date", "+%s"])
    let told = try #require(Double(date.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(abs(told - Date().timeIntervalSince1970) > 3000)

    var routes: [String: LoopbackServer.Answer] = [:]
    for i in 0..<40 {
      let pixels = [UInt8](repeating: UInt8(6 * i), count: 40 * 40 * 3)
      let image = LoopbackServer.Answer.bytes(
        try RGBImage(width: 40, height: 40, pixels: pixels).encodedPNG()
      )
      routes["/\(i)"] = i % 5 == 0 ? .sequence([.status(503), image]) : image
    }
    try await LoopbackServer.run(routes) { server in
      let writer = try ParquetWriter(
        path: folder.file("part-00000.parquet"),
        columns: [("URL", .string), ("TEXT", .string)]
      )
      for i in 0..<40 { try writer.append([.string(server.url("/\(i)")), .string("text \(i)")]) }
      try writer.finish()
      let (out, nifty) = (folder.file("out"), try program())
      // Stopped when 15 are there, and gone on with.
      for most in ["15", "40"] {
        let result = try await jumping(
          library,
          [
            nifty, "laion", "--metadata", folder.file("part-00000.parquet"), "--out", out,
            "--allow-private-addresses", "--ignore-robots", "--per-split", most,
            // The server shares its threads with tests that wait for programs.
            "--timeout", "300", "--connect-timeout", "300", "--read-timeout", "300",
          ]
        )
        #expect(result.status == 0, "\(result.output)")
      }
      let statistics = try String(contentsOfFile: "\(out)/split0/stats.json", encoding: .utf8)
      let texts = try (0..<40).map {
        try String(contentsOfFile: "\(out)/split0/\($0).txt", encoding: .utf8)
      }
      #expect(texts == (0..<40).map { "text \($0)" }, "\(statistics)")
      let verified = try await jumping(library, [nifty, "laion", "verify", "--out", out])
      #expect(verified.status == 0 && verified.output.contains("split0: 40 pairs, ok"))
    }
  }
}
