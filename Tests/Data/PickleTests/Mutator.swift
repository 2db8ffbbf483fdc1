import Foundation
import TestSupport

/// Makes hostile inputs out of seeds: what one mutation does depends only on the generator.
struct Mutator {
  let seeds: [[UInt8]]

  /// An input: a seed with a few mutations, or now and then a program of random opcodes.
  func input(_ generator: inout SeededGenerator) -> [UInt8] {
    if Int.random(in: 0..<12, using: &generator) == 0 {
      let count = Int.random(in: 1...80, using: &generator)
      return (0..<count).flatMap { _ in instruction(&generator) } + [0x2E]
    }
    var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
    for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, &generator) }
    return bytes
  }

  private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    if bytes.isEmpty { return }
    let offset = Int.random(in: 0..<bytes.count, using: &generator)
    let run = offset..<min(bytes.count, offset + Int.random(in: 1...64, using: &generator))
    switch Int.random(in: 0..<10, using: &generator) {
    case 0, 1: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 2: bytes[offset] = UInt8.random(in: 0...255, using: &generator)
    case 3: bytes.removeSubrange(offset...)
    case 4: bytes.removeSubrange(run)
    case 5: bytes.insert(contentsOf: bytes[run], at: offset)
    case 6:
      // A piece of another seed.
      let other = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
      let start = Int.random(in: 0..<other.count, using: &generator)
      let length = Int.random(in: 1...96, using: &generator)
      let piece = other[start..<min(other.count, start + length)]
      if Bool.random(using: &generator) {
        bytes.insert(contentsOf: piece, at: offset)
      } else {
        bytes.replaceSubrange(offset..<min(bytes.count, offset + piece.count), with: piece)
      }
    case 7, 8: overwriteLength(&bytes, offset, &generator)
    default: bytes.insert(contentsOf: instruction(&generator), at: offset)
    }
  }

  /// Lengths and offsets that break careless arithmetic.
  private static let edges: [UInt64] = [
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
    0x1_0000_0000, 1 << 40, .max >> 1, .max >> 1 + 1, .max - 1, .max,
  ]

  private func overwriteLength(
    _ bytes: inout [UInt8],
    _ offset: Int,
    _ generator: inout SeededGenerator
  ) {
    let width = [1, 2, 4, 8][Int.random(in: 0..<4, using: &generator)]
    var value = Self.edges[Int.random(in: 0..<Self.edges.count, using: &generator)]
    if Bool.random(using: &generator) {
      value = UInt64(bytes.count - offset) &+ UInt64(Int.random(in: 0..<4, using: &generator)) &- 2
    }
    for index in 0..<min(width, bytes.count - offset) {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
    }
  }

  private static let words = [
    "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_init_kwargs", "state",
    "type", "class", "class_name", "storage", "G_ema", "weight", "cpu", "0",
  ]

  private static let globals = [
    "torch_utils.persistence\n_reconstruct_persistent_obj", "torch._utils\n_rebuild_tensor_v2",
    "torch._utils\n_rebuild_parameter", "torch.storage\n_load_from_bytes", "torch\nFloatStorage",
    "numpy.core.multiarray\nscalar", "numpy\ndtype", "collections\nOrderedDict",
    "_codecs\nencode", "builtins\nset", "dnnlib.util\nEasyDict", "os\nsystem", "torch\nSize",
  ]

  /// One opcode with its argument.
  private func instruction(_ generator: inout SeededGenerator) -> [UInt8] {
    let small = UInt8.random(in: 0..<24, using: &generator)
    switch Int.random(in: 0..<12, using: &generator) {
    case 0, 1: return [0x68, small]
    case 2: return [0x71, small]
    case 3:
      let word = Self.words[Int.random(in: 0..<Self.words.count, using: &generator)]
      return [0x8C, UInt8(word.utf8.count)] + Array(word.utf8)
    case 4:
      let global = Self.globals[Int.random(in: 0..<Self.globals.count, using: &generator)]
      return [0x63] + Array(global.utf8) + [0x0A]
    case 5: return [0x4B, small]
    case 6: return [0x8A, 8] + (0..<8).map { _ in UInt8.random(in: 0...255, using: &generator) }
    case 7: return [0x43, 2, small, 0xFF]
    default:
      // Without an argument: constants, containers, stack and calls.
      let opcodes = Array("N)]}(0122teasuRRbbod\u{5C}l".utf8)
      let binary: [UInt8] = [
        0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8F, 0x90, 0x91, 0x92, 0x93, 0x94,
      ]
      let all = opcodes + binary + [0x51]
      return [all[Int.random(in: 0..<all.count, using: &generator)]]
    }
  }
}
