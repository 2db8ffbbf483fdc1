import Files
import ObjectStore
import Web

extension LaionConfiguration {
  /// Checks every option against its range, and those that depend on each other.
  ///
  /// - Throws: `LaionError.option` naming flag, value and what is allowed.
  package func validate() throws(LaionError) {
    for option in LaionOptions.all { try option.check(in: self) }
    try validateShard()
    try validateFilter()
    try validateStore()
    if image.resize != nil, image.size == nil {
      throw .option("--resize says how images get their --size: give it, too, as --size 256")
    }
    if layout == .zip, image.resize == .keepRatio || image.resize == .onlyIfBigger {
      throw .option("--to zip packs squares: --resize must be center-crop or border")
    }
    if layout == .zip, image.size == nil {
      throw .option("--to zip packs squares of one size: add --size, as --size 256")
    }
    if image.format == .original, image.size != nil || layout == .zip {
      throw .option(
        "--format original keeps the bytes that came: no --size and no --to zip beside it"
      )
    }
    if image.format == .original, image.quality != LaionOptions.quality.standard {
      throw .option("--quality is for --format jpg and webp; original keeps the bytes that came")
    }
    if image.format == .png, image.quality != LaionOptions.quality.standard {
      throw .option("--quality is for --format jpg and webp; png is without loss")
    }
    let known = FetchSettings.knownOptOuts
    if let word = fetch.optOutDirectives.first(where: { !known.contains($0) }) {
      throw .option(
        "--opt-out must be none, or some of \(known.joined(separator: ",")), not \(word.debugDescription)"
      )
    }
    for address in fetch.allowedAddresses where IPAddress(address) == nil {
      throw .option(
        "--allow-address must be an IP address, such as 10.0.0.7, not \(address.debugDescription)"
      )
    }
    let isPrintable = fetch.userAgent.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    if fetch.userAgent.isEmpty || !isPrintable {
      throw .option(
        "--user-agent must be printable ASCII, such as \"name/1.0\", "
          + "not \(fetch.userAgent.debugDescription)"
      )
    }
  }

  private func validateStore() throws(LaionError) {
    guard S3Location.isAddress(output) else {
      if work != nil { throw .option("--work is where --out s3://… works; \(output) is a folder") }
      if storeEndpoint != nil {
        throw .option("--s3-endpoint is where --out s3://… goes; \(output) is a folder")
      }
      do throws(FileError) { try OutputName.expectFolder(output) } catch { throw .file(error) }
      return
    }
    do throws(StoreError) {
      _ = try S3Location(output)
      if let storeEndpoint { _ = try StoreSettings.endpoint(storeEndpoint) }
    } catch {
      throw .option(error.description)
    }
    if layout == .folder {
      throw .option("--out s3://… takes --to webdataset or --to zip, not single files")
    }
    if let work, work.isEmpty || S3Location.isAddress(work) {
      throw .option("--work must be a folder of this machine, not \(work.debugDescription)")
    }
  }

  private func validateShard() throws(LaionError) {
    guard let shard else { return }
    let count = shard.count ?? .max
    if shard.index < 0 || shard.index >= count {
      let text = shard.count.map { "\(shard.index)/\($0)" } ?? "\(shard.index)"
      throw .option("--shard must be i/n with i from 0 to n − 1, not \(text)")
    }
  }

  private func validateFilter() throws(LaionError) {
    for name in columns.names.keys where MetadataField(rawValue: name) == nil {
      let known = MetadataField.allCases.map(\.rawValue).joined(separator: ", ")
      throw .option("--column must name one of \(known), not \(name.debugDescription)")
    }
    if let header = columns.header {
      if let twin = Dictionary(grouping: header) { $0 }.first(where: { $0.value.count > 1 }) {
        throw .option(
          "--columns must name each column once, not \(twin.key.debugDescription) twice"
        )
      }
    }
    let taken = SplitIndex.columns.map { $0.name.lowercased() }
    if let name = columns.keptNames?.first(where: { taken.contains($0.lowercased()) }) {
      throw .option("--keep-columns: index.parquet has a column \(name) of its own")
    }
    if let names = columns.keptNames, Set(names).count < names.count || names.contains("") {
      throw .option("--keep-columns must name each column once")
    }
    if let minimum = filter.minimumSide, let maximum = filter.maximumSide, minimum > maximum {
      throw .option("--min-side must be at most --max-side, which is \(maximum), not \(minimum)")
    }
    let (minimum, maximum) = (filter.minimumCaptionLength, filter.maximumCaptionLength)
    if minimum > maximum {
      throw .option(
        "--min-caption must be at most --max-caption, which is \(maximum), not \(minimum)"
      )
    }
  }
}
