import Files
import Pickle

/// One line that says a plain value exactly, as `Fixtures/canon.py` does.
func canonicalText(_ value: PickleValue) -> String {
  switch value {
  case .none: "N"
  case .bool(let bool): bool ? "T" : "F"
  case .int(let number): "i\(number)"
  case .bigInt(let bytes): "x" + hex(bytes)
  case .double(let number): "d" + hex(withUnsafeBytes(of: number.bitPattern.bigEndian, Array.init))
  case .string(let text): "s" + hex(Array(text.utf8))
  case .bytes(let bytes): (bytes.isMutable ? "B" : "b") + hex(bytes.buffer.array)
  case .tuple(let sequence): "(" + joined(sequence.items) + ")"
  case .list(let sequence): "[" + joined(sequence.items) + "]"
  case .set(let sequence): "<s" + sorted(sequence.items) + ">"
  case .frozenSet(let sequence): "<f" + sorted(sequence.items) + ">"
  case .dictionary(let dictionary):
    "{"
      + dictionary.entries.map { canonicalText($0.key) + ":" + canonicalText($0.value) }
      .joined(separator: ",") + "}"
  case .global(let global): "global " + global.path
  case .object(let object): "object " + canonicalText(object.callable)
  case .persistent(let persistent): "persistent " + canonicalText(persistent.id)
  }
}

private func joined(_ items: [PickleValue]) -> String {
  items.map(canonicalText).joined(separator: ",")
}

private func sorted(_ items: [PickleValue]) -> String {
  items.map(canonicalText).sorted().joined(separator: ",")
}

private func hex(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
