import Images
import Sampling
import Testing

@testable import Studio

@Suite("Pictures in one batch")
struct BatchTests {
  @Test func `a batch gives each request its picture, but for a level in some pixels`() throws {
    let model = try StudioModel(network: Emoji.path, clip: nil, threads: 1)
    var requests = [("red heart", 3), ("smiling cat", 4), ("red heart", 5)].map { prompt, seed in
      PictureRequest(prompt: prompt, seed: UInt64(seed))
    }
    requests[1].wantsFeature = true
    let batch = try model.pictures(requests).map { try $0.get() }
    #expect(batch.count == 3)
    for (request, painted) in zip(requests, batch) {
      let alone = try model.picture(request)
      #expect(painted.record == alone.record)
      #expect((painted.feature == nil) == (alone.feature == nil))
      let differences = zip(painted.image.pixels, alone.image.pixels).map {
        abs(Int($0) - Int($1))
      }
      #expect(try #require(differences.max()) <= 1)
    }
    #expect(batch[0].image.pixels != batch[1].image.pixels)
    #expect(batch[0].image.pixels != batch[2].image.pixels)
  }

  @Test func `only plain pictures of the same settings are painted together`() {
    let plain = PictureRequest(prompt: "sun", seed: 1)
    #expect(plain.fits(PictureRequest(prompt: "tree", seed: 2)))
    var others = [PictureRequest](repeating: plain, count: 5)
    others[0].truncation = 0.5
    others[1].truncationCutoff = 2
    others[2].noise = .none
    others[3].noise = .random
    others[4].mixed = .init(seed: 3, layers: 0...1)
    for other in others {
      #expect(!plain.fits(other) && !other.fits(plain))
    }
    // Random noise is drawn for each picture by itself.
    #expect(!others[3].fits(others[3]))
  }
}
