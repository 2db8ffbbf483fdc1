/// What is painted after one text, a picture at a time.
package struct PaintedRow<Picture> {
  /// The text, or whatever else the pictures are painted after.
  package let caption: String
  /// Number of pictures.
  package let count: Int
  /// What a picture is painted from, as "seed0007": the beginning of its file's name.
  package let origin: (Int) -> String
  /// What a picture's file says about how it was painted; `nil` for nothing.
  package let record: (Int) -> PaintingRecord?
  /// Paints a picture.
  package let paint: (Int) throws -> Picture

  /// A row; the functions take a picture's index, from 0.
  package init(
    caption: String,
    count: Int,
    origin: @escaping (Int) -> String,
    record: @escaping (Int) -> PaintingRecord? = { _ in nil },
    paint: @escaping (Int) throws -> Picture
  ) {
    (self.caption, self.count) = (caption, count)
    (self.origin, self.record, self.paint) = (origin, record, paint)
  }

  /// The row with its pictures in another form.
  package func map<Other>(_ transform: @escaping (Picture) throws -> Other) -> PaintedRow<Other> {
    PaintedRow<Other>(caption: caption, count: count, origin: origin, record: record) {
      try transform(try paint($0))
    }
  }
}
