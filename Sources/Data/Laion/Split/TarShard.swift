import Archives
import Files

/// The members of a tar shard that nifty writes, as far as they are whole.
///
/// Anything that nifty does not write, links for one, ends the list as damage does.
struct TarShard {
  /// Name and byte range of each member, in file order.
  private(set) var members: [(name: String, content: Range<Int>)] = []
  /// Where the last whole member ends: a multiple of a tar block.
  private(set) var end = 0
  /// Whether the blocks that end an archive stand behind the last member, and nothing else.
  private(set) var isFinished = false

  /// Lists the members, at most `limit` of them.
  init(_ data: MappedBytes, limit: Int = .max) {
    var reader = TarReader(MappedStream(data))
    // What is no tar from here on ends the list: callers ask how far it goes.
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
