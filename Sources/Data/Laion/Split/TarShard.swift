import Archives
import Files

/// The complete members of a tar shard that nifty writes.
///
/// Anything that nifty does not write, links for one, ends the list as damage does.
struct TarShard {
  /// Name and byte range of each member, in file order.
  private(set) var members: [(name: String, content: Range<Int>)] = []
  /// The end of the last complete member: a multiple of a tar block.
  private(set) var end = 0
  /// Whether the end-of-archive blocks follow the last member, and nothing else.
  private(set) var isFinished = false

  /// Lists the members, at most `limit` of them.
  init(_ data: MappedBytes, limit: Int = .max) {
    var reader = TarReader(MappedStream(data))
    // Bytes that are no tar end the list; callers check `end`.
    while members.count < limit, let member = try? reader.member(), member.target == nil,
      reader.next <= data.count
    {
      let content = member.start..<member.start + member.size
      members.append((String(decoding: member.path, as: UTF8.self), content))
      end = reader.next
    }
    isFinished = reader.end == .marked && data.count == end + Tar.end.count
  }
}
