import ModelCommands

/// The program that `nifty` hands over to: all verbs, and libtorch.
@main
enum Main {
  @MainActor static func main() async { await NiftyCompute.main() }
}
