// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The targets, from the bottom up. Who may import whom is stated once more in words in
// Documentation/DESIGN.md and enforced by scripts/check.
//
// Two native libraries come from pip wheels that scripts/setup puts under .deps: libtorch (in the
// torch wheel) and Arrow C++ (in the pyarrow wheel). NIFTY_PART=data leaves everything that needs
// libtorch out of the package, so that the data side builds and tests without it.

let environment = ProcessInfo.processInfo.environment
let root = Context.packageDirectory
let libtorch = environment["LIBTORCH"] ?? root + "/.deps/libtorch"
let pyarrow = environment["PYARROW"] ?? root + "/.deps/pyarrow"
let benches = environment["NIFTY_BENCH"] != nil
let dataOnly = environment["NIFTY_PART"] == "data"

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
let optimised: [CSetting] = [.unsafeFlags(["-O2"])]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)
let asyncHTTPClient: Target.Dependency = .product(
  name: "AsyncHTTPClient",
  package: "async-http-client"
)
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPCompression: Target.Dependency = .product(
  name: "NIOHTTPCompression",
  package: "swift-nio-extras"
)
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swift)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: swift)
}

let dataSide: [Target] = [
  .systemLibrary(name: "CFiles"),
  library("Files", ["CFiles"]),
  .target(
    name: "CImages",
    cSettings: optimised,
    linkerSettings: [
      .linkedLibrary("jpeg"), .linkedLibrary("png16"), .linkedLibrary("webp"),
      .linkedLibrary("avif"), .linkedLibrary("deflate"), .linkedLibrary("harfbuzz"),
    ]
  ),
  library("Images", ["CImages", "Files"]),
  .target(
    name: "CParquet",
    cxxSettings: [.unsafeFlags(["-O2", "-isystem", pyarrow + "/include"])],
    linkerSettings: [
      .unsafeFlags([
        "-L" + pyarrow, "-l:libparquet.so.2600", "-l:libarrow.so.2600",
        "-Xlinker", "-rpath", "-Xlinker", pyarrow,
      ])
    ]
  ),
  library("Parquet", ["CParquet", "Files"]),
  library("Pickle", ["Files"]),
  .systemLibrary(name: "CZlib"),
  .target(
    name: "CSimdjson",
    cxxSettings: [.unsafeFlags(["-O2"])],
    linkerSettings: [.linkedLibrary("simdjson")]
  ),
  library("Datasets", ["CSimdjson", "CZlib", "Images", "Pickle", "Files"]),
  library(
    "Laion",
    [
      "Datasets", "Images", "Parquet", "Files", asyncHTTPClient, nioCore, nioHTTP1,
      nioHTTPCompression, nioPosix,
    ]
  ),
  library(
    "DataVerbs",
    [
      "Laion", "Datasets", "Images", "Parquet", "Files", argumentParser, asyncHTTPClient, nioCore,
      nioHTTP1,
    ]
  ),
  .executableTarget(
    name: "nifty",
    dependencies: ["DataVerbs", argumentParser],
    swiftSettings: swift
  ),
  library("Demo", ["Images", "Parquet", "Files", hummingbird, logging, nioCore]),
  library("TestSupport", ["Images", hummingbird, httpTypes, logging, nioCore]),
  tests("FilesTests", ["Files"]),
  .testTarget(
    name: "ImagesTests",
    dependencies: ["Images", "TestSupport"],
    exclude: ["Fixtures"],
    swiftSettings: swift
  ),
  .testTarget(
    name: "ParquetTests",
    dependencies: ["Parquet", "TestSupport"],
    exclude: ["Fixtures"],
    swiftSettings: swift
  ),
  .testTarget(
    name: "PickleTests",
    dependencies: ["Pickle"],
    exclude: ["Fixtures", "Corpus"],
    swiftSettings: swift
  ),
  .testTarget(
    name: "DatasetsTests",
    dependencies: ["Datasets", "Images", "Files", "TestSupport"],
    exclude: ["Fixtures"],
    swiftSettings: swift
  ),
  tests("LaionTests", ["Laion", "Datasets", "Images", "Parquet", "TestSupport"]),
  tests("DemoTests", ["Demo", "Images", "Parquet", "TestSupport"]),
]

let torchSide: [Target] = [
  .target(
    name: "CTorch",
    exclude: ["gloo"],
    cxxSettings: [
      .headerSearchPath("gloo"),
      .unsafeFlags([
        "-O2", "-isystem", libtorch + "/include",
        "-isystem", libtorch + "/include/torch/csrc/api/include",
      ]),
    ],
    linkerSettings: [
      .unsafeFlags(["-L" + libtorch + "/lib", "-Xlinker", "-rpath", "-Xlinker", libtorch + "/lib"]),
      .linkedLibrary("torch"), .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
    ]
  ),
  library("Torch", ["CTorch", "Files"]),
  library("TorchNN", ["Torch"]),
  library("Networks", ["TorchNN", "Torch"]),
  library("Snapshots", ["Networks", "TorchNN", "Torch", "Pickle", "Files"]),
  library(
    "Training",
    ["Networks", "Snapshots", "TorchNN", "Torch", "Datasets", "Images", "Files"]
  ),
  library(
    "Evaluation",
    ["Networks", "Snapshots", "TorchNN", "Torch", "Datasets", "Images", "Pickle", "Files"]
  ),
  .executableTarget(
    name: "ComputeVerbs",
    dependencies: [
      "DataVerbs", "Demo", "Training", "Evaluation", "Snapshots", "Networks", "TorchNN", "Torch",
      "Datasets", "Images", "Parquet", "Files", argumentParser,
    ],
    swiftSettings: swift
  ),
  .target(
    name: "TorchTestSupport",
    dependencies: ["Networks", "Torch", "TestSupport"],
    exclude: ["NCCL"],
    swiftSettings: swift
  ),
  tests("TorchTests", ["Torch", "TorchTestSupport"]),
  tests("TorchNNTests", ["TorchNN", "Torch", "TorchTestSupport"]),
  .testTarget(
    name: "NetworksTests",
    dependencies: ["Networks", "TorchNN", "Torch", "TorchTestSupport"],
    exclude: ["Fixtures"],
    swiftSettings: swift
  ),
  .testTarget(
    name: "SnapshotsTests",
    dependencies: [
      "Snapshots", "Networks", "TorchNN", "Torch", "Pickle", "Files", "TestSupport",
      "TorchTestSupport",
    ],
    exclude: ["Fixtures"],
    swiftSettings: swift
  ),
  tests(
    "TrainingTests",
    [
      "Training", "Snapshots", "Networks", "TorchNN", "Torch", "Datasets", "Images", "Files",
      "TestSupport", "TorchTestSupport",
    ]
  ),
  .testTarget(
    name: "EvaluationTests",
    dependencies: [
      "Evaluation", "Networks", "TorchNN", "Torch", "Datasets", "Images", "Files", "TestSupport",
      "TorchTestSupport",
    ],
    exclude: ["Fixtures"],
    swiftSettings: swift
  ),
  tests(
    "NiftyTests",
    [
      "nifty", "ComputeVerbs", "DataVerbs", "Training", "Images", "Datasets", "Parquet",
      "Snapshots",
      "Networks", "TorchNN", "Torch", "Files", "TestSupport", "TorchTestSupport",
    ]
  ),
]

// Only scripts/bench asks for it.
let benchSide: [Target] = [
  .executableTarget(
    name: "DataBench",
    dependencies: ["Datasets", "Images"],
    swiftSettings: swift
  )
]

// The two programs: `nifty`, and the one beside it that it hands over to.
let programs: [Product] =
  [.executable(name: "nifty", targets: ["nifty"])]
  + (dataOnly ? [] : [.executable(name: "nifty-compute", targets: ["ComputeVerbs"])])

let package = Package(
  name: "nifty",
  products: programs,
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
  ],
  targets: dataSide + (dataOnly ? [] : torchSide) + (benches ? benchSide : []),
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
