/// A bounded round-robin queue over clients: a hundred requests of one client do not delay the single
/// request of another.
struct FairQueue<Element> {
  /// The most waiting elements of all clients.
  let capacity: Int
  /// The most waiting elements of one client.
  let capacityOfClient: Int
  /// The number of waiting elements.
  private(set) var count = 0

  private var lines: [String: [(id: UInt64, element: Element)]] = [:]
  /// Clients with waiting elements, the next one first.
  private var order: [String] = []

  /// An empty queue.
  init(capacity: Int, capacityOfClient: Int) {
    (self.capacity, self.capacityOfClient) = (capacity, capacityOfClient)
  }

  /// Appends an element to its client's queue.
  ///
  /// - Parameters:
  ///   - element: The element.
  ///   - id: A unique number, to remove it by.
  ///   - client: Its client.
  /// - Returns: Whether there was room.
  mutating func add(_ element: Element, id: UInt64, of client: String) -> Bool {
    let waiting = lines[client]?.count ?? 0
    guard count < capacity, waiting < capacityOfClient else { return false }
    if waiting == 0 { order.append(client) }
    lines[client, default: []].append((id, element))
    count += 1
    return true
  }

  /// Removes the first element of the next client.
  ///
  /// - Parameter isWanted: Whether that element is to be removed; any is if not given.
  /// - Returns: The element; `nil` if the queue is empty, or the element is not wanted.
  mutating func next(if isWanted: (Element) -> Bool = { _ in true }) -> Element? {
    guard let client = order.first, let first = lines[client]?.first, isWanted(first.element)
    else { return nil }
    order.removeFirst()
    take(client, at: 0)
    if lines[client] != nil { order.append(client) }
    return first.element
  }

  /// Removes an element; `nil` if it is not in the queue.
  mutating func remove(_ id: UInt64) -> Element? {
    for (client, line) in lines {
      guard let index = line.firstIndex(where: { $0.id == id }) else { continue }
      take(client, at: index)
      if lines[client] == nil { order.removeAll { $0 == client } }
      return line[index].element
    }
    return nil
  }

  private mutating func take(_ client: String, at index: Int) {
    lines[client]?.remove(at: index)
    if lines[client]?.isEmpty == true { lines[client] = nil }
    count -= 1
  }
}
