/// The colours of charts and sheets: dark ink on white, calm lines, and series that stay apart in
/// print and for colour-blind readers.
enum Palette {
  static let paper = Color.white
  static let ink = Color(hex: 0x1d2733)
  static let quiet = Color(hex: 0x66727f)
  static let faint = Color(hex: 0x98a2ad)
  static let axis = Color(hex: 0xb8c0c8)
  static let grid = Color(hex: 0xe9edf0)
  static let band = Color(hex: 0xf5f7f9)

  static let series = [
    Color(hex: 0x2b6cb0), Color(hex: 0xd97706), Color(hex: 0x2f855a), Color(hex: 0xb83280),
    Color(hex: 0x6b46c1), Color(hex: 0x4a5568),
  ]
}
