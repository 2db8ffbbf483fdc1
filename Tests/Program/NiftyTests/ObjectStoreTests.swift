import Datasets
import Files
import Foundation
import TestSupport
import Testing

/// Downloads into an object store, against moto's server on this machine, which checks every signature.
@Suite(
  "Object stores",
  .serialized,
  .enabled(if: ObjectStoreServer.isAvailable, "needs moto, which scripts/setup --tests installs")
)
struct ObjectStoreTests {
  /// Tars of 20 MB, which go in two parts; small zips, which go in one piece.
  private static let layouts: [(name: String, padding: Int, flags: [String])] = [
    ("tars", 2_500_000, ["--to=webdataset", "--pairs-per-shard=8", "--format=original"]),
    ("zip", 0, ["--to=zip", "--size=32"]),
  ]

  @Test(.tags(.slow), arguments: layouts.indices, [0, 7])
  func `a download into a store that is killed again and again ends as one on this machine`(
    layout: Int,
    failsEvery: Int
  ) async throws {
    let (name, padding, flags) = Self.layouts[layout]
    var weather = ObjectStoreServer.Weather()
    (weather.failsEvery, weather.delay) = (failsEvery, 0.03)
    let fixture = try ObjectStoreFixture(rows: 36, padding: padding, flags, weather: weather)
    let start = ContinuousClock.now
    let whole = try await fixture.twin()
    // The first kills come early, so that there are some on a fast machine, too.
    var last = start.duration(to: .now) / .seconds(1) / 2
    var (said, kills) = ("", 0)
    while kills < 6 {
      let latest = kills < 2 ? min(0.5, last) : last
      let (words, isDone) = try await fixture.killed(after: .random(in: min(0.3, last)...latest))
      said += words
      if isDone { break }
      kills += 1
      last *= 1.3
      // What is there under a final name is whole at any moment.
      for (path, bytes) in try fixture.objects().files {
        #expect(whole[path] == bytes, "\(path) after kill \(kills)")
      }
    }
    let outcome = try await fixture.run()
    #expect(outcome.status == 0, "\(outcome.errors)")
    let (files, leftUploads) = try fixture.objects()
    print("\(name), failing every \(failsEvery): \(kills) kills, \(files.count) objects")
    #expect(kills >= 2)
    #expect(ObjectStoreFixture.differences(files, whole) == [])
    #expect(leftUploads == 0)
    #expect(
      try fixture.leaks() == []
        && !(said + outcome.output + outcome.errors).contains(fixture.store.secret)
    )
    // Full tars and the zip have left this machine.
    let work = try FileManager.default.subpathsOfDirectory(atPath: fixture.folder.file("work"))
    #expect(!work.contains { $0.hasSuffix(".tar") || $0.hasSuffix(".zip") }, "\(work)")
    let again = try await fixture.run()
    #expect(again.output.contains("uploaded 0 objects"), "\(again.output)")
  }

  @Test(arguments: [["--to=webdataset", "--pairs-per-shard=10"], ["--to=zip", "--size=32"]])
  func `more pairs continue the last file, which comes back for it`(flags: [String]) async throws {
    let fixture = try ObjectStoreFixture(rows: 50, flags)
    let first = try await fixture.run(["--per-split=14"])
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("split0: 14 pairs"))
    for _ in 0..<4 {
      _ = try await fixture.killed(after: .random(in: 0.1...1.2), ["--per-split=33"])
    }
    let second = try await fixture.run(["--per-split=33"])
    #expect(second.status == 0, "\(second.errors)")
    #expect(
      second.output.contains("split0: 33 pairs") || second.output.contains("complete already, 33")
    )
    let whole = try await fixture.twin(["--per-split=33"])
    #expect(ObjectStoreFixture.differences(try fixture.objects().files, whole) == [])
  }

  @Test func `wrong credentials, buckets and endpoints are told in a line, without the secret`()
    async throws
  {
    let fixture = try ObjectStoreFixture(rows: 3, ["--to=webdataset"])
    let wrong = "wrong-secret-0123456789"
    for (environment, flags, expected) in [
      (["AWS_SECRET_ACCESS_KEY": wrong], [], "does not take the credentials from the environment"),
      (["AWS_ACCESS_KEY_ID": "AKIANOBODY"], [], "(InvalidAccessKeyId)"),
      ([:], ["--out=s3://nothing-there/x"], "has no bucket nothing-there; make it"),
      (
        [:], ["--s3-endpoint=http://127.0.0.1:1"],
        "http://127.0.0.1:1 does not answer (Connection refused)"
      ),
      (
        ["AWS_SECRET_ACCESS_KEY": ""], [],
        "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"
      ),
      (
        ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""], [],
        "no credentials for s3:// addresses"
      ),
      (["AWS_PROFILE": "absent"], [], "AWS_PROFILE names the profile absent"),
      ([:], ["--s3-endpoint=http://user:\(wrong)@127.0.0.1"], "has a user name or password"),
      ([:], ["--to=folder"], "takes --to webdataset or --to zip"),
      ([:], ["--out=s3://UPPER/x"], "small letters, digits"),
      ([:], ["--out=s3://pairs/../x"], "it has a part . or .."),
    ] as [([String: String], [String], String)] {
      let outcome = try await fixture.run(flags, environment: environment)
      #expect(
        outcome.status != 0 && outcome.errors.contains(expected),
        "\(expected): \(outcome.errors)"
      )
      #expect(!outcome.errors.contains(wrong) && !outcome.errors.contains(fixture.store.secret))
    }
    #expect(try fixture.leaks() == [])
  }

  @Test func `objects of another download are not overwritten, and lost ones are told`()
    async throws
  {
    let fixture = try ObjectStoreFixture(rows: 12, ["--to=webdataset", "--pairs-per-shard=5"])
    #expect(try await fixture.run().status == 0)
    let other = try await fixture.run(["--work=other"])
    #expect(
      other.status != 0 && other.errors.contains("is there already, and other did not upload it")
    )
    let elsewhere = try await fixture.run(["--out=s3://pairs/else"])
    #expect(
      elsewhere.errors.contains("is of uploads to s3://pairs/some/laion/split0"),
      "\(elsewhere.errors)"
    )
    try fixture.store.python(
      "s3.delete_object(Bucket='pairs', Key='some/laion/split0/index.parquet')"
    )
    let mended = try await fixture.run()
    #expect(mended.status == 0 && mended.output.contains("uploaded 1 object,"), "\(mended)")
    try fixture.store.python(
      "s3.put_object(Bucket='pairs', Key='some/laion/split0/00000.tar', Body=b'other')"
    )
    let lost = try await fixture.run()
    #expect(lost.status != 0)
    #expect(
      lost.errors.contains("some/laion/split0/00000.tar was uploaded, and is gone or changed")
    )
  }

  @Test(.enabled(if: SmallDisk.isAvailable, SmallDisk.reason))
  func `a disk smaller than the download suffices, and a full one loses nothing`() async throws {
    let fixture = try ObjectStoreFixture(
      rows: 60,
      padding: 200_000,
      pause: 0.1,
      ["--to=webdataset", "--pairs-per-shard=4", "--format=original", "--connections=1"]
    )
    let whole = try await fixture.twin()
    #expect(whole.values.reduce(0) { $0 + $1.count } > 10_000_000)
    let work = fixture.folder.file("work")
    try makeFolder(work)
    try #require(try SmallDisk.mount(work, kilobytes: 1500))
    defer { SmallDisk.unmount(work) }
    let full = try await fixture.run()
    #expect(full.status != 0 && full.errors.contains("No space left on device"), "\(full.errors)")
    try #require(try SmallDisk.resize(work, kilobytes: 8500))
    let outcome = try await fixture.run()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(ObjectStoreFixture.differences(try fixture.objects().files, whole) == [])
  }

  @Test func `a store that is gone for good ends the download, which goes on when it is back`()
    async throws
  {
    let fixture = try ObjectStoreFixture(rows: 40, ["--to=webdataset", "--pairs-per-shard=5"])
    try fixture.store.python(
      """
      s3.put_bucket_policy(Bucket="pairs", Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Deny",'
        '"Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::pairs/*"}]}')
      """
    )
    let denied = try await fixture.run()
    #expect(
      denied.status != 0 && denied.errors.contains("denies it to the credentials"),
      "\(denied)"
    )
    try fixture.store.python("s3.delete_bucket_policy(Bucket='pairs')")
    let outcome = try await fixture.run()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      ObjectStoreFixture.differences(try fixture.objects().files, try await fixture.twin()) == []
    )
  }

  @Test(.tags(.slow)) func `a dataset packed from a store is the one packed from this machine`()
    async throws
  {
    let fixture = try ObjectStoreFixture(
      rows: 30,
      padding: 400_000,
      ["--to=webdataset", "--pairs-per-shard=10", "--format=original"],
      weather: {
        var weather = ObjectStoreServer.Weather()
        weather.failsEvery = 5
        return weather
      }()
    )
    _ = try await fixture.twin()
    #expect(try await fixture.run().status == 0)
    func pack(_ source: String, _ name: String) async throws -> Outcome {
      try await niftyAside(
        [
          "pack", "--source=\(source)", "--dest=\(name)", "--no-clip", "--width=32", "--height=32",
          "--transform=center-crop",
        ],
        in: fixture.folder.path,
        environment: fixture.store.environment.merging(["NIFTY_CACHE": fixture.folder.file("cache")]
        ) { $1 }
      )
    }
    let here = try await pack("local/split0/*.tar", "here.zip")
    #expect(here.status == 0, "\(here.errors)")
    let there = try await pack("s3://pairs/some/laion/split0", "there.zip")
    #expect(there.status == 0, "\(there.errors)")
    #expect(
      there.errors.contains("3 objects, ") && there.errors.contains("3 downloaded now"),
      "\(there.errors)"
    )
    #expect(there.errors.contains("not read: 2 objects beside archives"), "\(there.errors)")
    let sets = try ["here.zip", "there.zip"].map {
      try PackedDataset(fixture.folder.file($0), requiresFeatures: false)
    }
    try #require(sets[0].count == sets[1].count && sets[0].count == 26)
    for index in 0..<sets[0].count {
      #expect(try sets[0].encodedImage(at: index) == sets[1].encodedImage(at: index))
      #expect(try sets[0].captions(at: index) == sets[1].captions(at: index))
    }
    // The same object again is a file already; another one under its key is not.
    let again = try await pack("s3://pairs/some/laion/split0", "again.zip")
    #expect(again.errors.contains("0 downloaded now"), "\(again.errors)")
    try fixture.store.python(
      """
      s3.copy_object(Bucket="pairs", Key="some/laion/split0/00002.tar",
        CopySource="pairs/some/laion/split0/00001.tar")
      """
    )
    let one = try await pack("s3://pairs/some/laion/split0/00002.tar", "one.zip")
    #expect(one.status == 0 && one.errors.contains("1 downloaded now"), "\(one.errors)")
    let missing = try await pack("s3://pairs/nothing", "nothing.zip")
    #expect(
      missing.status != 0 && missing.errors.contains("s3://pairs/nothing has no archives or images")
    )
    #expect(try fixture.leaks() == [])
  }

  @Test func `verify says that the pairs are in the store`() async throws {
    let fixture = try ObjectStoreFixture(rows: 4, ["--to=webdataset"])
    #expect(try await fixture.run().status == 0)
    let work = try nifty(["laion", "verify", "--out=work"], in: fixture.folder.path)
    #expect(
      work.status == 1 && work.errors.contains("are in s3://pairs/some/laion/split0"),
      "\(work.errors)"
    )
    let there = try nifty(["laion", "verify", "--out=s3://pairs/some"], in: fixture.folder.path)
    #expect(there.status == 1 && there.errors.contains("must be a folder of this machine"))
  }
}
