import Foundation
import TestSupport
import Testing

/// The script at the top of an archive of `scripts/package`: it looks for torch and runs the program.
@Suite("The packaged program")
struct PackagedProgramTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let script = try String(
      contentsOfFile: Repository.path("scripts/packaged-nifty.sh"),
      encoding: .utf8
    )
    try program(
      script.replacing("@VERSION@", with: "1.2").replacing("@TORCH@", with: "2.13")
        .replacing("@WITHOUT@", with: "laion2 demo"),
      "nifty"
    )
    // It stands for nifty and says what it got.
    try program("#!/bin/sh\necho \"ran $* with ${LD_LIBRARY_PATH:-nothing}\"\n", "libexec/nifty")
    // A Python environment without torch.
    try program("#!/bin/sh\necho\n", "bin/python3")
  }

  private func program(_ text: String, _ name: String) throws {
    let path = folder.file(name)
    let parent = URL(filePath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  /// A torch of a version, as pip installs it.
  private func torch(_ name: String, _ version: String, file: String = "version.py") throws {
    let line = file == "version.py" ? "__version__ = '\(version)+cpu'\n" : "\(version)+cpu\n"
    try program("", "\(name)/lib/libtorch.so")
    try program(line, "\(name)/\(file)")
  }

  private func run(_ words: String, torch: String? = nil) throws -> Outcome {
    var environment = ["PATH": "\(folder.file("bin")):/usr/bin:/bin", "LD_LIBRARY_PATH": ""]
    environment["NIFTY_TORCH"] = torch.map(folder.file)
    return try nifty(
      words.split(separator: " ").map(String.init),
      in: folder.path,
      environment: environment,
      program: folder.file("nifty")
    )
  }

  @Test func `a verb that an archive for checks lacks is named, any other is handed over`() throws {
    let outcome = try run("demo --minutes 1")
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.hasPrefix("nifty: demo is not in this archive, which is for checks"))
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(try run("laion --help").output == "ran laion --help with nothing\n")
  }

  @Test func `verbs that compute need torch and say where it was looked for`() throws {
    let outcome = try run("train --data=x")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("nifty: train needs torch 2.13: it is not in NIFTY_TORCH"))
    #expect(outcome.errors.contains("pip install 'torch==2.13.*'"))
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: ["laion --help", "dataset info x.zip", "fetch coco", "--version", ""])
  func `verbs that move data need none`(words: String) throws {
    let outcome = try run(words)
    #expect(outcome.output == "ran \(words) with nothing\n", "\(outcome.errors)")
  }

  @Test(arguments: ["version.py", "build-version"])
  func `a torch of the version is found by its name, beside the script, and by Python`(
    file: String
  ) throws {
    try torch("own", "2.13.1", file: file)
    #expect(try run("train", torch: "own").output == "ran train with \(folder.file("own/lib"))\n")
    try torch("torch", "2.13.0", file: file)
    #expect(try run("train").output.hasSuffix("/torch/lib\n"))
    try FileManager.default.removeItem(atPath: folder.file("torch"))
    try torch("site", "2.13.0", file: file)
    try program("#!/bin/sh\necho \(folder.file("site"))\n", "bin/python3")
    #expect(try run("studio").output == "ran studio with \(folder.file("site/lib"))\n")
  }

  @Test func `another version, and a folder that is no torch, are refused`() throws {
    try torch("old", "2.11.0")
    let old = try run("train", torch: "old")
    #expect(old.status == 1)
    #expect(old.errors.contains("is torch 2.11, and nifty was compiled for 2.13"), "\(old.errors)")
    let none = try run("train", torch: "nowhere")
    #expect(none.errors.contains("/nowhere, which holds no lib/libtorch.so"), "\(none.errors)")
  }

  @Test func `the archive holds neither what torch brings, by whatever link, nor what Linux has`()
    throws
  {
    for name in [
      "site/torch/lib/libtorch.so", "site/nvidia/cu13/lib/libcudart.so.13",
      "site/arrow/libarrow.so",
    ] {
      try program("", name)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("libtorch"),
      withDestinationPath: folder.file("site/torch")
    )
    let says = """
      \tlinux-vdso.so.1 (0x1)
      \tlibtorch.so => \(folder.file("libtorch/lib/libtorch.so")) (0x2)
      \tlibcudart.so.13 => \(folder.file("site/torch/lib/../../nvidia/cu13/lib/libcudart.so.13")) (0x3)
      \tlibarrow.so => \(folder.file("site/arrow/libarrow.so")) (0x4)
      \tlibarrow.so => \(folder.file("site/arrow/libarrow.so")) (0x5)
      \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x6)
      \tlibgone.so => not found
      """
    let outcome = try nifty(
      ["-c", "source scripts/libraries.sh && own_libraries \"$TORCH\" <<< \"$SAYS\""],
      in: Repository.root.path,
      environment: ["SAYS": says, "TORCH": folder.file("site/torch")],
      program: "/bin/bash"
    )
    #expect(outcome.output == "libarrow.so \(folder.file("site/arrow/libarrow.so"))\n")
  }

  @Test func `the newest symbols that an archive needs are found by version, not by text`()
    throws
  {
    try program(
      """
      #!/bin/sh
      echo "$2: 0 DF *UND* 0 (GLIBC_2.9) pipe2"
      echo "$2: 0 DF *UND* 0 (GLIBC_2.35) a"
      echo "$2: 0 DF *UND* 0 (GLIBC_2.4) b"
      echo "$2: 0 DO *UND* 0 (GLIBCXX_3.4.30) c"
      """,
      "bin/objdump"
    )
    let words = "newest_symbol GLIBC x y; newest_symbol GLIBCXX x y"
    let outcome = try nifty(
      ["-c", "source scripts/libraries.sh && \(words)"],
      in: Repository.root.path,
      environment: ["PATH": "\(folder.file("bin")):/usr/bin:/bin"],
      program: "/bin/bash"
    )
    #expect(outcome.output == "2.35\n3.4.30\n")
  }
}
