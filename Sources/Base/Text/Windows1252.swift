/// The characters of Windows-1252's bytes 0x80 … 0x9F; undefined bytes are left out.
package let windows1252: [UInt32: Unicode.Scalar] = {
  let characters = "€_‚ƒ„…†‡ˆ‰Š‹Œ_Ž__‘’“”•–—˜™š›œ_žŸ".unicodeScalars
  let pairs = zip(UInt32(0x80)..., characters).filter { $0.1 != "_" }
  return Dictionary(uniqueKeysWithValues: pairs.map { ($0, $1) })
}()
