/// FNV-1a with 64 bits (Fowler, Noll, Vo): detects torn lines and changed settings, not forgeries.
package enum FNV {
  /// The hash of bytes.
  package static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
