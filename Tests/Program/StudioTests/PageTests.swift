import Datasets
import Files
import Foundation
import Images
import JSON
import TestSupport
import Testing

@testable import Studio

@Suite(
  "The page in Chromium",
  .enabled(if: Browser.program != nil, "Debian's chromium is not installed"),
  .serialized,
  .timeLimit(.minutes(5))
)
struct PageTests {
  /// The pixels that the page shows, from a canvas.
  private static let shown = """
    (() => {
      const image = document.getElementById("picture");
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL().split(",")[1];
    })()
    """

  private func image(_ browser: Browser) async throws -> RGBImage {
    let data = Data(base64Encoded: try await browser.value(Self.shown).string ?? "") ?? Data()
    return try RGBImage(decoding: [UInt8](data))
  }

  /// Names of controls that have none, and texts with less contrast than 4.5.
  private static let audit = """
    (() => {
      const faults = [];
      const parse = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const behind = (element) => {
        for (; element; element = element.parentElement) {
          const colour = parse(getComputedStyle(element).backgroundColor);
          if ((colour[3] ?? 1) > 0.99) return colour;
        }
        return [255, 255, 255];
      };
      const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.textContent.trim() || !isSeen(element)) continue;
        const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))];
        const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        if (contrast < 4.5) faults.push(`${contrast}: ${node.textContent}`);
      }
      for (const element of document.querySelectorAll("button, input, select, textarea, a, summary, progress, canvas")) {
        if (!isSeen(element)) continue;
        const words = element.getAttribute("aria-label") || element.textContent.trim()
          || [...(element.labels ?? [])].map((label) => label.textContent.trim()).join("")
          || element.querySelector("img")?.alt;
        if (!words) faults.push(element.outerHTML);
      }
      if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the window");
      return faults.join("; ");
    })()
    """

  @Test func `a permalink paints the very pixels, a file brings its settings back, cancel ends`()
    async throws
  {
    let folder = try TemporaryFolder()
    let expected = try await withStudio {
      try await $0.post(
        "/api/paint",
        #"{"prompt": "smiling cat", "seed": 42, "truncation": 0.7, "noise": "random"}"#
      ).bytes
    }
    try folder.write(expected, to: "cat.png")
    let routes = try await Emoji.routes()
    try await serving(routes) { port in
      let browser = try await Browser()
      let link = "#prompt=smiling+cat&seed=42&truncation=0.7&noise=random&count=2"
      try await browser.visit("http://127.0.0.1:\(port)/\(link)")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 2")
      #expect(try await image(browser) == RGBImage(decoding: expected))
      #expect(try await browser.value(Self.audit) == "")

      // A text that is typed and sent paints under another seed.
      _ = try await browser.value(
        "document.getElementById('prompt').value = 'pizza';"
          + "document.getElementById('lock').click();"
          + "document.getElementById('form').requestSubmit()"
      )
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 4")
      #expect(try await browser.value("document.getElementById('seed').value") != "42")

      try await browser.choose(folder.file("cat.png"), in: "#file")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 5")
      let settings = try await browser.value(
        "['prompt', 'seed', 'truncation'].map((id) => document.getElementById(id).value).join()"
      )
      #expect(settings == "smiling cat,42,0.7")
      #expect(try await image(browser) == RGBImage(decoding: expected))

      _ = try await browser.value(
        "document.getElementById('count').value = 16;"
          + "document.getElementById('form').requestSubmit();"
          + "document.getElementById('cancel').click()"
      )
      try await browser.wait(for: "document.querySelectorAll('.waiting').length === 0")
      try await browser.wait(for: "document.getElementById('cancel').hidden")
      #expect(browser.complaints == [])
    }
  }

  @Test func `styles are mixed, a loop is kept, and the training pictures are shown`() async throws
  {
    let folder = try TemporaryFolder()
    let zip = try await Emoji.pack(["red heart", "pizza", "full moon"], in: folder)
    let routes = try await Emoji.routes(data: [zip])
    let mixed = try await withStudio {
      try await $0.post(
        "/api/paint",
        #"{"prompt": "sun", "seed": 7, "mix_seed": 8, "mix_layers": "2-3"}"#
      ).bytes
    }
    try await serving(routes) { port in
      let browser = try await Browser()
      try await browser.visit("http://127.0.0.1:\(port)/#prompt=sun&seed=7&count=2")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 2")

      _ = try await browser.value("document.getElementById('mix').click()")
      _ = try await browser.value("document.querySelectorAll('.tile')[1].click()")
      _ = try await browser.value(
        "document.getElementById('layer-first').value = 2;"
          + "document.getElementById('layer-first').dispatchEvent(new Event('input'))"
      )
      try await browser.wait(
        for: "document.getElementById('caption-settings').textContent.startsWith('layers 2-3')"
      )
      try await browser.wait(for: "document.getElementById('picture').complete")
      #expect(try await image(browser) == RGBImage(decoding: mixed))
      #expect(try await browser.value(Self.audit) == "")
      _ = try await browser.value("document.getElementById('keep').click()")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 3")

      _ = try await browser.value("document.getElementById('loop').click()")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 4")
      try await browser.wait(for: "document.getElementById('save').download.endsWith('.webp')")
      try await browser.wait(for: "document.getElementById('picture').naturalWidth === 64")
      #expect(try await browser.value("document.getElementById('blend').hidden") == true)

      _ = try await browser.value("document.querySelectorAll('.tile')[2].click()")
      _ = try await browser.value("document.getElementById('nearest').click()")
      try await browser.wait(for: "document.querySelectorAll('#alike img').length === 3")
      #expect(try await browser.value(Self.audit) == "")
      #expect(browser.complaints == [])
    }
  }

  @Test func `the way between two pictures is kept as a loop or one way`() async throws {
    let routes = try await Emoji.routes()
    try await serving(routes) { port in
      let browser = try await Browser()
      try await browser.visit("http://127.0.0.1:\(port)/#prompt=sun&seed=7&count=2")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 2")
      _ = try await browser.value(
        "window.orders = []; const real = fetch; window.fetch = (path, rest) => {"
          + "if (path === '/api/walk') orders.push(JSON.parse(rest.body)); return real(path, rest); }; 0"
      )
      let ways = [("film", "loop of 32 frames", true), ("once", "one way in 17 frames", false)]
      for (number, (id, line, isLoop)) in ways.enumerated() {
        _ = try await browser.value(
          "document.querySelector('.batch:last-child .tile').click();"
            + "document.getElementById('blend').click();"
            + "document.querySelectorAll('.batch:last-child .tile')[1].click()"
        )
        try await browser.wait(for: "!document.getElementById('way').hidden")
        #expect(try await browser.value(Self.audit) == "")
        _ = try await browser.value("document.getElementById('\(id)').click()")
        try await browser.wait(
          for: "document.querySelectorAll('.tile img').length === \(3 + number)"
        )
        let caption = "document.getElementById('caption-settings').textContent"
        try await browser.wait(for: "\(caption).startsWith('\(line)')")
        #expect(try await browser.value("orders[\(number)].loop") == .bool(isLoop))
        try await browser.wait(for: "document.getElementById('picture').naturalWidth === 64")
        #expect(
          try await browser.value("document.getElementById('save').download.endsWith('.webp')")
            == true
        )
      }
      #expect(browser.complaints == [])
    }
  }

  @Test func `a picture from elsewhere is painted after, until words are used again`() async throws
  {
    let folder = try TemporaryFolder()
    let photo = try RGBImage(width: 40, height: 30, filledWith: Color(200, 30, 30)).encodedPNG()
    try folder.write(photo, to: "photo.png")
    try folder.write([1, 2, 3], to: "nothing.png")
    let routes = try await Emoji.routes()
    try await serving(routes) { port in
      let browser = try await Browser()
      try await browser.visit("http://127.0.0.1:\(port)/")
      try await browser.wait(for: "document.querySelectorAll('.chips button').length > 0")
      try await browser.choose(folder.file("nothing.png"), in: "#file")
      try await browser.wait(
        for: "document.getElementById('toast').textContent.includes('cannot be used')"
      )
      try await browser.choose(folder.file("photo.png"), in: "#file")
      try await browser.wait(for: "!document.getElementById('source').hidden")
      _ = try await browser.value("document.getElementById('form').requestSubmit()")
      try await browser.wait(for: "document.querySelectorAll('.tile img').length === 4")
      let title = try await browser.value("document.getElementById('caption-prompt').textContent")
      #expect(title == "after photo.png")
      #expect(try await browser.value(Self.audit) == "")
      _ = try await browser.value("document.getElementById('source-away').click()")
      #expect(try await browser.value("document.activeElement.id") == "prompt")
      // The picture that is refused is answered with a status, which the browser notes.
      #expect(browser.complaints.allSatisfy { $0.contains("400") }, "\(browser.complaints)")
    }
  }

  @Test func `a Japanese browser gets Japanese`() async throws {
    let routes = try await Emoji.routes()
    try await serving(routes) { port in
      let browser = try await Browser(language: "ja")
      try await browser.visit("http://127.0.0.1:\(port)/")
      try await browser.wait(for: "document.querySelectorAll('.chips button').length > 0")
      #expect(try await browser.value("document.documentElement.lang") == "ja")
      #expect(try await browser.value("document.getElementById('paint').textContent") == "描く")
      #expect(browser.complaints == [])
    }
  }

  @Test func `a run that grows moves its curve, and the slider its grids`() async throws {
    let folder = try TemporaryFolder()
    let lines = (0..<3).map { RunsTests.line(tick: $0, kimg: Double($0), loss: "\($0).5") }
    try folder.write(Array(lines.joined().utf8), to: "00000-a/stats.jsonl")
    let png = try RGBImage(width: 8, height: 8, filledWith: Color(200, 30, 30)).encodedPNG()
    for kimg in [0, 2] { try folder.write(png, to: "00000-a/fakes00000\(kimg).png") }
    try folder.write(Array(#"{"ending": "collapsed"}"#.utf8), to: "00000-a/ending.json")
    let options = #"{"nifty": {"data": ["/nowhere.zip"]}}"#
    try folder.write(Array(options.utf8), to: "00000-a/training_options.json")
    let routes = try await Emoji.routes(runs: folder.path)
    try await serving(routes) { port in
      let browser = try await Browser()
      try await browser.visit("http://127.0.0.1:\(port)/#watch")
      try await browser.wait(
        for: "document.querySelector('.chart canvas')?.ariaLabel?.includes('2.5')"
      )
      try await browser.wait(
        for: "document.querySelector('#grids figcaption')?.textContent.includes('2 kimg')"
      )
      #expect(try await browser.value(Self.audit) == "")
      _ = try await browser.value(
        "step.value = 0; step.dispatchEvent(new Event('input')); document.querySelector('#grids img').alt"
      )
      #expect(
        try await browser.value("document.querySelector('#grids img').alt") == "00000-a, 0 kimg"
      )
      #expect(
        try await browser.value("document.querySelector('#runs .pill').textContent") == "collapsed"
      )
      _ = try await browser.value(
        "compare.open = true; document.getElementById('data').open = true"
      )
      try await browser.wait(for: "document.getElementById('wipe-left').alt === '00000-a, 0 kimg'")
      #expect(
        try await browser.value("document.getElementById('wipe-right').alt") == "00000-a, 2 kimg"
      )
      _ = try await browser.value(
        "const wipe = document.getElementById('wipe-share'); wipe.value = 20;"
          + "wipe.dispatchEvent(new Event('input'))"
      )
      #expect(
        try await browser.value("document.getElementById('wipe-left').style.clipPath")
          == "inset(0px 80% 0px 0px)"
      )
      try await browser.wait(for: "document.querySelector('#sets .trouble') !== null")
      #expect(try await browser.value(Self.audit) == "")
      let more = lines + [RunsTests.line(tick: 3, kimg: 3, loss: "7.25")]
      try folder.write(Array(more.joined().utf8), to: "00000-a/stats.jsonl")
      try await browser.wait(
        for: "document.querySelector('.chart canvas').ariaLabel.includes('7.25')"
      )
      // The discriminator had no loss so far: its curve comes by itself, the generator's stays.
      let both = RunsTests.line(tick: 4, kimg: 4, loss: "6.5").replacing(
        "{\"Loss/G/loss\"",
        with: "{\"Loss/D/loss\": {\"num\": 1, \"mean\": 1.25, \"std\": 0.0}, \"Loss/G/loss\""
      )
      try folder.write(Array((more + [both]).joined().utf8), to: "00000-a/stats.jsonl")
      try await browser.wait(for: "document.querySelectorAll('.chart canvas').length === 2")
      try await browser.wait(
        for: "document.querySelectorAll('.chart canvas')[1].ariaLabel.includes('1.25')"
      )
      #expect(browser.complaints == [])
    }
  }

  @Test func `pages that are left keep no connection from the next one`() async throws {
    let folder = try TemporaryFolder()
    let lines = (0..<3).map { RunsTests.line(tick: $0, kimg: Double($0), loss: "\($0).5") }
    try folder.write(Array(lines.joined().utf8), to: "00000-a/stats.jsonl")
    let routes = try await Emoji.routes(runs: folder.path)
    try await serving(routes) { port in
      let browser = try await Browser()
      // A browser has six connections to a server.
      for _ in 0..<8 {
        try await browser.visit("http://127.0.0.1:\(port)/#watch")
        try await browser.wait(
          for: "document.querySelector('.chart canvas')?.ariaLabel?.includes('2.5')"
        )
        try await browser.visit("about:blank")
      }
      #expect(browser.complaints == [])
    }
  }

  @Test func `a download and a packing are followed while they go on`() async throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "laion/split0/.ledger")
    try folder.write([], to: ".coco.zip.packing/journal")
    let log = open(folder.file("laion/split0/.ledger"), O_RDWR | O_CLOEXEC)
    defer { close(log) }
    try FileLock.take(log, on: "ledger", to: "test")
    @Sendable func note(_ done: Int, _ name: String) {
      WorkProgress(done: done, total: 2000, images: done, leftOut: 7, rate: 12.34, secondsLeft: 95)
        .note(in: folder.file(name))
    }
    note(500, "laion/split0")
    note(300, ".coco.zip.packing")
    let routes = try await Emoji.routes(runs: folder.path)
    try await serving(routes) { port in
      for (language, state) in [("en", "at work"), ("ja", "実行中")] {
        let browser = try await Browser(language: language)
        try await browser.visit("http://127.0.0.1:\(port)/#watch")
        try await browser.wait(for: "document.querySelectorAll('#works tbody tr').length === 2")
        let rows = "document.querySelectorAll('#works tbody tr')"
        #expect(
          try await browser.value("\(rows)[0].querySelector('.pill').textContent")
            == .string(state)
        )
        let text = try await browser.value("\(rows)[0].textContent").string ?? ""
        for part in ["laion/split0", "500 / 2,000", "7", "12.3", "1m 35s"] {
          #expect(text.contains(part), "\(text)")
        }
        #expect(try await browser.value("\(rows)[1].lastChild.textContent") == "")
        #expect(try await browser.value(Self.audit) == "")
        note(501, "laion/split0")
        try await browser.wait(for: "\(rows)[0].textContent.includes('501 / 2,000')")
        note(500, "laion/split0")
        #expect(browser.complaints == [])
      }
    }
  }
}
