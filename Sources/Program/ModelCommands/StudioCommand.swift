import ArgumentParser
import CommandLine
import Console
import Foundation
import Studio
import Text

/// Pictures and runs in the browser.
struct StudioCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "studio",
    abstract: "Paint pictures and watch runs in the browser.",
    discussion: """
      Serves a page and prints its address. Only this machine reaches it, unless
      --host says otherwise; then the address carries a token. Programs paint
      through POST /v1/images/generations, as OpenAI's clients do. Ctrl-C ends it.

      EXAMPLES
        nifty studio
        nifty studio --network network-snapshot-010000.pkl --clip clip.safetensors
        nifty studio --network runs/00000-coco-auto --runs runs
        nifty studio --network runs/00000-coco-auto --data coco.zip
        nifty studio --host 0.0.0.0 --port 0
      """
  )

  @Option(help: "Snapshot, run folder, or name of a model that comes with nifty.")
  var network = "emoji"

  @Option(help: "CLIP that the generator was trained with; not needed where the network tells it.")
  var clip: String?

  @Option(help: "Folder of runs to watch.")
  var runs: String?

  @Option(help: "Packed zips that pictures are compared with; repeat, or use {0..4}.")
  var data: [String] = []

  @Option(help: "Port; 0 takes a free one.")
  var port = 7770

  @Option(help: "Address to listen on; others than this machine need the printed token.")
  var host = "127.0.0.1"

  @Option(help: "Threads that paint.")
  var threads = 2

  @Option(
    help: """
      Pictures of waiting requests that are painted together: faster for small
      networks, but their pixels may differ by a level from those of nifty generate.
      """
  )
  var batch = 1

  func validate() throws {
    guard (1...64).contains(batch) else {
      throw ValidationError("--batch must be from 1 to 64, not \(batch)")
    }
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be from 0 to 65535, not \(port)")
    }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be from 1 to 1024, not \(threads)")
    }
    guard !host.isEmpty else { throw ValidationError("--host must not be empty") }
  }

  func run() async throws {
    let folder = try runs.map { try RunsFolder($0) }
    let painting = StudioRoutes.Painting()
    let model = try await painting.open(
      network: network,
      clip: clip,
      threads: threads,
      batch: batch
    )
    let access = Access(host: host)
    let training =
      try data.isEmpty
      ? nil
      : TrainingPictures(
        data.flatMap(expandedBraces),
        clip: model.clip,
        dimension: model.features
      )
    let routes = StudioRoutes(
      model: model,
      painting: painting,
      runs: folder,
      access: access,
      training: training
    )
    let host = self.host
    try await routes.serve(with: .init(host: host, port: port)) { port in
      let path = access.token.map { "/?token=\($0)" } ?? "/"
      Console.line("nifty studio with \(model.name), \(model.resolution)²")
      Console.line("open http://\(Access.name(of: host)):\(port)\(path)")
    }
  }
}
