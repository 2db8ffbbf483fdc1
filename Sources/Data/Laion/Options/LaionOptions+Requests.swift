import Text

// The options of requests.
extension LaionOptions {
  static let requestOptions: [any AnyLaionOption] = [
    connections, connectionsPerHost, requestsPerSecond, timeout, connectTimeout, readTimeout,
    maxBytes, attempts, userAgent, ignoreRobots, optOut, allowAddress, allowPrivateAddresses,
  ]

  static let seconds = OptionRange.above(0, atMost: 3600, "seconds")

  package static let connections = LaionOption<Int>(
    "connections",
    "Downloads at a time.",
    \.fetch.concurrency,
    in: .between(1, 4096)
  )
  package static let connectionsPerHost = LaionOption<Int>(
    "connections-per-host",
    "Downloads at a time from one host.",
    \.fetch.concurrencyPerHost,
    in: .between(1, 4096)
  )
  // A row that waits for hours is of no use, and sums of longer waits could overflow.
  package static let requestsPerSecond = LaionOption<Double?>(
    "requests-per-second",
    "Downloads begun per second at one host; no limit if not given.",
    \.fetch.requestsPerSecondPerHost,
    in: .between(0.001, 1e6, "per second")
  )
  package static let timeout = LaionOption<Double>(
    "timeout",
    "Seconds of one attempt, from the request to the last byte, redirects included.",
    discussion: "DNS lookup, robots.txt and the wait for a slot at the host do not count.",
    \.fetch.totalTimeout,
    in: seconds
  )
  package static let connectTimeout = LaionOption<Double>(
    "connect-timeout",
    "Seconds to connect.",
    \.fetch.connectTimeout,
    in: seconds
  )
  package static let readTimeout = LaionOption<Double>(
    "read-timeout",
    "Seconds without a byte.",
    \.fetch.readTimeout,
    in: seconds
  )
  package static let maxBytes = LaionOption<Int>(
    "max-bytes",
    "Bytes of the largest image that is accepted.",
    \.fetch.maximumBytes,
    in: .between(1, Double(1 << 30), "bytes")
  )
  package static let attempts = LaionOption<Int>(
    "attempts",
    "Attempts per image; only transient failures are retried.",
    \.fetch.attempts,
    in: .between(1, 100)
  )
  package static let userAgent = LaionOption<String>(
    "user-agent",
    "User-Agent header of every request.",
    \.fetch.userAgent
  )
  package static let ignoreRobots = LaionOption<Bool>(
    "ignore-robots",
    "Do not ask for robots.txt, and take images whose X-Robots-Tag opts them out.",
    read: { !$0.fetch.followsRobots },
    write: { settings, ignores in
      settings.fetch.followsRobots = !ignores
      settings.fetch.optOutDirectives = ignores ? [] : FetchSettings().optOutDirectives
    }
  )
  package static let optOut = LaionOption<[String]>(
    "opt-out",
    "Words of X-Robots-Tag that leave an image out, as noai,noindex; or none.",
    discussion: """
      Words: \(FetchSettings.knownOptOuts.joined(separator: ", ")); \
      \(FetchSettings().optOutDirectives.joined(separator: ",")) if not given.
      """,
    \.fetch.optOutDirectives
  )
  package static let allowAddress = LaionOption<[String]>(
    "allow-address",
    "Private address to allow; repeat for several.",
    \.fetch.allowedAddresses
  )
  package static let allowPrivateAddresses = LaionOption<Bool>(
    "allow-private-addresses",
    "Allow private and loopback addresses.",
    \.fetch.allowPrivateAddresses
  )
}
