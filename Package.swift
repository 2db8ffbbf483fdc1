// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The targets, from the bottom up: the folders of Sources are the layers, and imports point down.
// Documentation/DESIGN.md says in words what each target is for; scripts/check compares the two.
//
// Two native libraries come from pip wheels that scripts/setup puts under .deps: libtorch (in the
// torch wheel) and Arrow C++ (in the pyarrow wheel). NIFTY_PART=data leaves everything that needs
// libtorch out of the package, so that the data side builds and tests without it. NIFTY_PART=compute leaves
// Arrow out, and with it LAION, tables and the demonstration: the programs for `scripts/package --checks`.

let environment = ProcessInfo.processInfo.environment
let root = Context.packageDirectory
let libtorch = environment["LIBTORCH"] ?? root + "/.deps/libtorch"
let pyarrow = environment["PYARROW"] ?? root + "/.deps/pyarrow"
let benches = environment["NIFTY_BENCH"] != nil
let part = environment["NIFTY_PART"]
let (dataOnly, computeOnly) = (part == "data", part == "compute")
if let part, !["all", "data", "compute", ""].contains(part) {
  fatalError("NIFTY_PART is all, data, compute or not set, not '\(part)'")
}

let swift: [SwiftSetting] =
  (computeOnly ? [.define("COMPUTE_ONLY")] : []) + [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]
let optimised: [CSetting] = [.unsafeFlags(["-O2"])]

typealias Dependency = Target.Dependency

func product(_ name: String, _ from: String) -> Dependency { .product(name: name, package: from) }

let argumentParser = product("ArgumentParser", "swift-argument-parser")
let asyncHTTPClient = product("AsyncHTTPClient", "async-http-client")
let heap = product("HeapModule", "swift-collections")
let hummingbird = product("Hummingbird", "hummingbird")
let hummingbirdTesting = product("HummingbirdTesting", "hummingbird")
let logging = product("Logging", "swift-log")
let httpTypes = product("HTTPTypes", "swift-http-types")
let nioCore = product("NIOCore", "swift-nio")
let nioHTTP1 = product("NIOHTTP1", "swift-nio")
let nioPosix = product("NIOPosix", "swift-nio")
let nioHTTPCompression = product("NIOHTTPCompression", "swift-nio-extras")
let nioHTTPTypes = product("NIOHTTPTypes", "swift-nio-extras")

func library(
  _ layer: String,
  _ name: String,
  _ dependencies: [Dependency] = [],
  resources: [Resource] = []
) -> Target {
  .target(
    name: name,
    dependencies: dependencies,
    path: "Sources/\(layer)/\(name)",
    resources: resources,
    swiftSettings: swift
  )
}

func program(_ name: String, _ dependencies: [Dependency]) -> Target {
  .executableTarget(
    name: name,
    dependencies: dependencies,
    path: "Sources/Program/\(name)",
    swiftSettings: swift
  )
}

/// What tests share.
func support(_ name: String, _ dependencies: [Dependency], exclude: [String] = []) -> Target {
  .target(
    name: name,
    dependencies: dependencies,
    path: "Tests/Support/\(name)",
    exclude: exclude,
    swiftSettings: swift
  )
}

func tests(
  _ layer: String,
  _ name: String,
  _ dependencies: [Dependency],
  exclude: [String] = []
) -> Target {
  .testTarget(
    name: name,
    dependencies: dependencies,
    path: "Tests/\(layer)/\(name)",
    exclude: exclude,
    swiftSettings: swift
  )
}

// MARK: Base and data

let dataSide: [Target] = [
  .systemLibrary(name: "CFiles", path: "Sources/C/CFiles"),
  .target(name: "CSignals", path: "Sources/C/CSignals", cSettings: optimised),
  library("Base", "BasicAlgorithms"),
  library("Base", "Files", ["BasicAlgorithms", "CFiles", "CSignals"]),
  library("Base", "Threads", []),
  library("Base", "Text"),
  library("Base", "JSON", ["Text"]),
  library("Base", "Protobuf", []),
  library("Base", "Console", ["Files"]),
  .target(
    name: "CImages",
    path: "Sources/C/CImages",
    cSettings: optimised,
    linkerSettings: [
      .linkedLibrary("jpeg"), .linkedLibrary("png16"), .linkedLibrary("webp"),
      .linkedLibrary("avif"), .linkedLibrary("deflate"), .linkedLibrary("harfbuzz"),
      .linkedLibrary("fribidi"),
    ]
  ),
  library("Data", "Images", ["CImages", "Text", "Files"]),
  .target(
    name: "CParquet",
    path: "Sources/C/CParquet",
    cxxSettings: [.unsafeFlags(["-O2", "-isystem", pyarrow + "/include"])],
    linkerSettings: [
      .unsafeFlags([
        "-L" + pyarrow, "-l:libparquet.so.2600", "-l:libarrow.so.2600",
        "-Xlinker", "-rpath", "-Xlinker", pyarrow,
      ])
    ]
  ),
  library("Data", "Parquet", ["CParquet", "Files"]),
  .systemLibrary(name: "CZlib", path: "Sources/C/CZlib"),
  .target(
    name: "CSVG",
    path: "Sources/C/CSVG",
    cSettings: optimised,
    linkerSettings: [.linkedLibrary("dl")]
  ),
  .systemLibrary(name: "CZstd", path: "Sources/C/CZstd"),
  library("Data", "Archives", ["CZlib", "CZstd", "Text", "Files"]),
  library("Data", "Pickle", ["Archives", "Files"]),
  library("Data", "ONNX", ["Protobuf", "Files"]),
  .target(
    name: "CSimdjson",
    path: "Sources/C/CSimdjson",
    cxxSettings: [.unsafeFlags(["-O2"])],
    linkerSettings: [.linkedLibrary("simdjson")]
  ),
  library(
    "Data",
    "Datasets",
    [
      "CSimdjson", "Archives", "Images", "Pickle", "Text", "Threads", "Files", "BasicAlgorithms",
    ]
  ),
  library("Data", "Web", [nioCore, nioHTTP1]),
  library(
    "Data",
    "ObjectStore",
    ["Web", "Text", "Files", asyncHTTPClient, nioCore, nioHTTP1]
  ),
  library(
    "Data",
    "Laion",
    [
      "ObjectStore", "Web", "Datasets", "Archives", "Images", "Parquet", "Text", "Files",
      "BasicAlgorithms",
      "Threads", asyncHTTPClient, heap, nioCore, nioHTTP1, nioHTTPCompression, nioPosix,
    ]
  ),
  library(
    "Data",
    "Fetch",
    ["Web", "Console", "Text", "Files", asyncHTTPClient, nioCore, nioHTTP1]
  ),
  library("Program", "CommandLine", ["Console", "Text", "Threads", "Files", argumentParser]),
  library(
    "Program",
    "DataCommands",
    [
      "CommandLine", "Fetch", "Laion", "Datasets", "Archives", "Images", "Parquet", "Console",
      "Text", "Files", argumentParser,
    ]
  ),
  program("nifty", ["DataCommands", "CommandLine", "Console", "Text", argumentParser]),
  library(
    "Program",
    "Demo",
    [
      "CSVG", "Images", "Parquet", "Text", "Files", "BasicAlgorithms", hummingbird, logging,
      nioCore,
    ]
  ),
  support("TestSupport", [hummingbird, httpTypes, logging, nioCore]),
  tests("Base", "BasicAlgorithmsTests", ["BasicAlgorithms"]),
  tests("Base", "FilesTests", ["Files", "TestSupport"]),
  tests("Base", "TextTests", ["Text"]),
  tests("Base", "ThreadsTests", ["Threads"]),
  tests("Base", "JSONTests", ["JSON"]),
  tests("Base", "ProtobufTests", ["Protobuf"]),
  tests(
    "Data",
    "ImagesTests",
    ["Images", "BasicAlgorithms", "Text", "Files", "TestSupport"],
    exclude: ["Fixtures"]
  ),
  tests("Data", "ParquetTests", ["Parquet", "TestSupport"], exclude: ["Fixtures"]),
  tests("Data", "ArchivesTests", ["Archives", "Files", "TestSupport"]),
  tests(
    "Data",
    "PickleTests",
    ["Pickle", "Archives", "Files", "TestSupport"],
    exclude: ["Fixtures", "Corpus"]
  ),
  tests("Data", "ONNXTests", ["ONNX", "Files", "TestSupport"]),
  tests(
    "Data",
    "DatasetsTests",
    ["Datasets", "Archives", "Images", "Text", "Files", "TestSupport"],
    exclude: ["Fixtures"]
  ),
  tests("Data", "WebTests", ["Web"]),
  tests(
    "Data",
    "LaionTests",
    ["Laion", "Web", "Datasets", "Archives", "Images", "Parquet", "TestSupport", "Files", "Text"]
  ),
  tests("Data", "ObjectStoreTests", ["ObjectStore", "Web", "Files", "TestSupport"]),
  tests("Data", "FetchTests", ["Fetch", "Files", "TestSupport"]),
  tests(
    "Program",
    "DataCommandsTests",
    ["DataCommands", "nifty", "Laion", "Text", "TestSupport", argumentParser]
  ),
  tests("Program", "DemoTests", ["Demo", "Images", "Parquet", "TestSupport"]),
]

// MARK: Model, learning, and the program that computes

let torchSide: [Target] = [
  .target(
    name: "CTorch",
    path: "Sources/C/CTorch",
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
  library("Model", "Torch", ["CTorch", "Files", "BasicAlgorithms"]),
  library("Model", "TorchNN", ["Torch"]),
  library("Model", "Pixels", ["Torch", "Images"]),
  library("Model", "Networks", ["TorchNN", "Torch"]),
  library(
    "Model",
    "CLIP",
    ["Pixels", "TorchNN", "Torch", "Fetch", "Datasets", "Pickle", "Images", "Text", "Files"]
  ),
  library("Model", "Snapshots", ["Networks", "TorchNN", "Torch", "Pickle", "JSON", "Files"]),
  library(
    "Model",
    "Export",
    ["ONNX", "Snapshots", "CLIP", "Networks", "TorchNN", "Torch", "Text", "Files"]
  ),
  library("Learning", "Distributed", ["Torch", "Threads"]),
  library(
    "Learning",
    "Sampling",
    [
      "CLIP", "Snapshots", "Networks", "Pixels", "TorchNN", "Torch", "Fetch", "Images", "JSON",
      "Text",
      "Files",
    ]
  ),
  library(
    "Learning",
    "Training",
    [
      "Sampling", "Distributed", "Snapshots", "CLIP", "Networks", "Pixels", "TorchNN", "Torch",
      "Datasets", "Images", "JSON", "Protobuf", "Files", "Text", "Threads",
    ]
  ),
  library(
    "Learning",
    "Evaluation",
    [
      "Snapshots", "CLIP", "Networks", "Pixels", "TorchNN", "Torch", "Datasets", "Archives",
      "Images", "Pickle",
      "Text", "Files",
    ]
  ),
  library(
    "Program",
    "Studio",
    [
      "Sampling", "CLIP", "Snapshots", "Networks", "Pixels", "Torch", "Datasets", "Archives",
      "Images",
      "Console", "JSON", "Text", "Files", "Threads", hummingbird, httpTypes, logging, nioCore,
      nioHTTPTypes,
    ],
    resources: [.embedInCode("Page")]
  ),
  library(
    "Program",
    "ModelCommands",
    [
      "DataCommands", "CommandLine", "Demo", "Studio", "Training", "Evaluation", "Sampling",
      "Distributed", "Export", "ONNX", "Snapshots", "CLIP", "Networks", "Pixels", "TorchNN",
      "Torch", "Fetch", "ObjectStore", "Datasets", "Images", "Console", "JSON", "Text", "Files",
      argumentParser,
      "Threads",
    ]
  ),
  program("nifty-compute", ["ModelCommands"]),
  support(
    "TorchTestSupport",
    ["Networks", "TorchNN", "Torch", "TestSupport"],
    exclude: ["NCCL", "run_onnx.py"]
  ),
  tests("Model", "TorchTests", ["Torch", "TestSupport", "TorchTestSupport"]),
  tests("Model", "TorchNNTests", ["TorchNN", "Torch", "TorchTestSupport"]),
  tests(
    "Model",
    "NetworksTests",
    ["Networks", "CLIP", "TorchNN", "Torch", "TorchTestSupport"],
    exclude: ["Fixtures"]
  ),
  tests(
    "Model",
    "CLIPTests",
    [
      "CLIP", "Networks", "TorchNN", "Torch", "Datasets", "Images", "TestSupport",
      "TorchTestSupport",
    ],
    exclude: ["Fixtures"]
  ),
  tests(
    "Model",
    "SnapshotsTests",
    [
      "Snapshots", "Networks", "TorchNN", "Torch", "Pickle", "JSON", "Files", "TestSupport",
      "TorchTestSupport",
    ],
    exclude: ["Fixtures"]
  ),
  tests(
    "Model",
    "ExportTests",
    [
      "Export", "ONNX", "Snapshots", "CLIP", "Networks", "TorchNN", "Torch", "Files", "TestSupport",
      "TorchTestSupport",
    ]
  ),
  tests(
    "Learning",
    "SamplingTests",
    [
      "Sampling", "Snapshots", "Networks", "Pixels", "Torch", "Images", "TestSupport",
      "TorchTestSupport",
    ]
  ),
  tests("Learning", "DistributedTests", ["Distributed", "Torch", "TorchTestSupport"]),
  tests(
    "Learning",
    "TrainingTests",
    [
      "Training", "Distributed", "Snapshots", "CLIP", "Networks", "Pixels", "TorchNN", "Torch",
      "Datasets", "Archives", "Images", "JSON", "Protobuf", "Text", "Files", "TestSupport",
      "TorchTestSupport",
    ]
  ),
  tests(
    "Learning",
    "EvaluationTests",
    [
      "Evaluation", "CLIP", "Networks", "TorchNN", "Torch", "Datasets", "Archives", "Images",
      "Files", "TestSupport", "TorchTestSupport",
    ],
    exclude: ["Fixtures"]
  ),
  tests(
    "Program",
    "StudioTests",
    [
      "Studio", "Sampling", "CLIP", "Snapshots", "Networks", "Pixels", "Torch", "Datasets",
      "Archives",
      "Images", "JSON", "Files", "TestSupport", hummingbird, hummingbirdTesting, httpTypes, nioCore,
    ]
  ),
  tests(
    "Program",
    "ModelCommandsTests",
    [
      "ModelCommands", "DataCommands", "CommandLine", "Training", "Evaluation", "Snapshots",
      "Sampling", "Networks", "Fetch", "Images", "JSON", "Text", "TestSupport", argumentParser,
    ]
  ),
  tests(
    "Program",
    "NiftyTests",
    [
      "nifty", "nifty-compute", "DataCommands", "Training", "CommandLine", "Console", "Text",
      "Sampling", "Distributed", "Images", "Datasets", "Parquet", "Snapshots", "CLIP", "Networks",
      "TorchNN", "Torch", "Files", "TestSupport", "TorchTestSupport", "Fetch", "Archives",
    ]
  ),
]

// Only scripts/bench asks for it.
let benchSide: [Target] = [program("DataBench", ["Datasets", "Images", "Files"])]

// The two programs: `nifty`, and the one beside it that it hands over to.
let programs: [Product] =
  [.executable(name: "nifty", targets: ["nifty"])]
  + (dataOnly ? [] : [.executable(name: "nifty-compute", targets: ["nifty-compute"])])

var targets = dataSide + (dataOnly ? [] : torchSide) + (benches ? benchSide : [])
if computeOnly {
  let leftOut = ["CParquet", "Parquet", "Laion", "CSVG", "Demo"]
  let files = [
    "DataCommands": [
      "DatasetExport.swift", "LaionCommand.swift", "LaionFlags.swift", "Option+LaionTable.swift",
    ],
    "ModelCommands": [
      "DemoCommand.swift", "DemoData.swift", "DemoPace.swift", "DemoPaths.swift",
      "DemoPictures.swift", "DemoPlan.swift", "DemoSummary.swift",
    ],
  ]
  targets.removeAll { $0.type == .test || leftOut.contains($0.name) }
  for target in targets {
    target.dependencies.removeAll {
      if case .byNameItem(let name, _) = $0 { leftOut.contains(name) } else { false }
    }
    target.exclude += files[target.name] ?? []
  }
}

let package = Package(
  name: "nifty",
  products: programs,
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
  ],
  targets: targets,
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
