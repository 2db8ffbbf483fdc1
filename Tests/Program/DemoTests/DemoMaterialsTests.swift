import Demo
import Foundation
import Glibc
import Images
import Parquet
import TestSupport
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@Suite(.enabled(if: Installed.both, "the emoji packages are not installed"))
struct DemoMaterialsTests {
  static let collection = Result { try EmojiCollection.installed() }

  @Test func `parts are disjoint, complete and the same for the same seed`() throws {
    let collection = try Self.collection.get()
    let pictures = collection.emoji.map { DemoPicture($0) }
    let materials = try DemoMaterials(pictures)
    let names = DemoMaterials.Part.allCases.map { Set(materials.pictures($0).map(\.name)) }
    #expect(names.map(\.count).reduce(0, +) == collection.emoji.count)
    #expect(Set(names.joined()).count == collection.emoji.count)
    #expect(names[2].count >= 64)
    #expect(abs(Double(names[2].count) / Double(names[1].count + names[2].count) - 0.25) < 0.01)
    let again = try DemoMaterials(pictures)
    #expect(again.pictures(.training).map(\.name) == materials.pictures(.training).map(\.name))
    var options = DemoMaterials.Options()
    options.seed = 1
    let other = try DemoMaterials(pictures, options: options)
    #expect(other.pictures(.test).map(\.name) != materials.pictures(.test).map(\.name))
    #expect(other.pictures(.pretraining).count == names[0].count)
  }

  @Test func `too small a collection is refused`() throws {
    let pictures = try Self.collection.get().emoji
      .map { DemoPicture($0, themeGroups: ["nothing has this group"]) }
    #expect(throws: DemoError.self) { try DemoMaterials(pictures) }
  }

  @Test func `metadata has the form of LAION's`() async throws {
    let materials = try DemoMaterials(Self.collection.get().emoji.map { DemoPicture($0) })
    try await withTemporaryFolder { folder in
      let folders = try materials.writeMetadata(to: folder, baseURL: "http://127.0.0.1:99")
      var ids: Set<Int> = []
      for (part, files) in [(DemoMaterials.Part.pretraining, 2), (.training, 1), (.test, 1)] {
        let target = try #require(folders[part])
        let names = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
        #expect(names.count == files)
        #expect(names[0].hasPrefix("part-00000-"))
        #expect(names[0].hasSuffix("-c000.snappy.parquet"))
        var texts: [String] = []
        for name in names {
          let reader = try ParquetReader(
            path: "\(target)/\(name)",
            columns: ["SAMPLE_ID", "URL", "TEXT", "HEIGHT", "WIDTH", "NSFW"]
          )
          while let batch = try reader.next() {
            for row in 0..<batch.rowCount {
              ids.insert(try #require(batch["SAMPLE_ID"].int(row)))
              texts.append(try #require(batch["TEXT"].string(row)))
              #expect(batch["URL"].string(row)?.hasPrefix("http://127.0.0.1:99/images/") == true)
              #expect(batch["HEIGHT"].int(row) == 128)
              #expect(batch["WIDTH"].int(row) == 136)
              #expect(batch["NSFW"].string(row) == "UNLIKELY")
            }
          }
        }
        let expected = materials.pictures(part).map { $0.captions.joined(separator: "\n") }
        #expect(texts == expected)
      }
      #expect(ids.count == (try Self.collection.get().emoji.count))
    }
  }

  @Test func `images are served as they were drawn`() async throws {
    let materials = try DemoMaterials(smallCollection().emoji.map { DemoPicture($0) })
    let all = DemoMaterials.Part.allCases.flatMap { materials.pictures($0) }
    try await withTemporaryFolder { folder in
      try materials.writeImages(to: folder)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/images")
      #expect(Set(names) == Set(all.map { $0.name + ".png" }))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["images"])
      try await withDemoServer(folder) { url in
        for emoji in all.prefix(8) {
          let (data, status) = try await get("\(url)/images/\(emoji.name).png")
          #expect(status == 200)
          #expect(try RGBImage(decoding: Array(data)) == emoji.image())
        }
        #expect(try await get("\(url)/images/nothing.png").status == 404)
      }
    }
  }

  @Test func `images that are there stay, and an incomplete folder is rebuilt`() async throws {
    let materials = try DemoMaterials(smallCollection().emoji.map { DemoPicture($0) })
    let name = materials.pictures(.test)[0].name + ".png"
    try await withTemporaryFolder { folder in
      try materials.writeImages(to: folder)
      let path = "\(folder)/images/\(name)"
      let inode = try inode(path)
      try materials.writeImages(to: folder)
      #expect(try self.inode(path) == inode)
      try FileManager.default.removeItem(atPath: path)
      try materials.writeImages(to: folder)
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  private func inode(_ path: String) throws -> Int? {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.systemFileNumber] as? NSNumber)?.intValue
  }

  /// The faces and the animals of two small ranges.
  private func smallCollection() throws -> EmojiCollection {
    let emoji = (0x1F600...0x1F60F).map { $0 } + (0x1F400...0x1F40F)
    let rows = emoji.compactMap(Unicode.Scalar.init).map {
      "<annotation cp='\($0)' type='tts'>name of \($0)</annotation>"
    }
    let names = try Annotations(xml: "<l>\(rows.joined())</l>")
    return try EmojiCollection(
      font: ColorEmojiFont(),
      english: names,
      japanese: names,
      groups: EmojiGroups()
    )
  }
}

@Suite struct DemoServerTests {
  @Test func `stops with the scope and hands results and errors on`() async throws {
    try await withTemporaryFolder { folder in
      let address = try await withDemoServer(folder) { $0 }
      await #expect(throws: (any Error).self) { try await get(address) }
      struct Failure: Error {}
      await #expect(throws: Failure.self) {
        try await withDemoServer(folder) { _ in throw Failure() }
      }
    }
  }

  @Test func `nothing outside of the folder is served`() async throws {
    try await withTemporaryFolder { folder in
      let served = folder + "/served"
      try FileManager.default.createDirectory(atPath: served, withIntermediateDirectories: true)
      try Data("open".utf8).write(to: URL(filePath: served + "/inside"))
      try Data("secret".utf8).write(to: URL(filePath: folder + "/outside"))
      try await withDemoServer(served) { address in
        #expect(try rawGet(address, "/inside").contains("open"))
        for path in ["/../outside", "/%2e%2e/outside", "/x/../../outside", "//../outside"] {
          let answer = try rawGet(address, path)
          #expect(answer.hasPrefix("HTTP/1.1 4"), "\(path)")
          #expect(!answer.contains("secret"), "\(path)")
        }
      }
    }
  }

  @Test func `a taken port is an error of one line`() async throws {
    try await withTemporaryFolder { folder in
      try await withDemoServer(folder) { address in
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        await #expect {
          try await withDemoServer(folder, port: port) { _ in }
        } throws: { error in
          if case .server? = error as? DemoError { true } else { false }
        }
      }
    }
  }
}

private func get(_ address: String) async throws -> (data: Data, status: Int) {
  let url = try #require(URL(string: address))
  let (data, response) = try await URLSession.shared.data(from: url)
  return (data, try #require(response as? HTTPURLResponse).statusCode)
}

/// The answer to a request whose path is sent as it is; clients would tidy it up.
private func rawGet(_ address: String, _ path: String) throws -> String {
  let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
  let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(socket) }
  var target = sockaddr_in()
  target.sin_family = sa_family_t(AF_INET)
  target.sin_port = port.bigEndian
  target.sin_addr.s_addr = inet_addr("127.0.0.1")
  let connected = withUnsafePointer(to: &target) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  try #require(connected == 0)
  let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
  try #require(send(socket, request, request.count, 0) == request.count)
  var answer: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while case let count = recv(socket, &buffer, buffer.count, 0), count > 0 {
    answer += buffer[..<count]
  }
  return String(decoding: answer, as: UTF8.self)
}
