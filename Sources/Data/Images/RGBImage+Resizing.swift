import CImages

extension RGBImage {
  /// The picture at another size, byte for byte as PIL's `resize` makes it.
  ///
  /// Rows are filtered first, and only those that the second pass reads; the result of the first
  /// pass is rounded to bytes; an axis whose length does not change is not filtered. All three are
  /// visible in the result. (Pillow 13 takes some reductions of height in the other order, whether the
  /// width grows or shrinks, but no square that becomes a square, and no enlargement of height; here
  /// it is always the order of its predecessors.)
  package func resized(
    width: Int,
    height: Int,
    filter: ResampleFilter = .lanczos
  ) -> RGBImage {
    resized(width: width, height: height, filter: filter, mostIntermediateBytes: 512 << 20)
  }

  /// The picture at another size.
  ///
  /// - Parameters:
  ///   - width: Of the result.
  ///   - height: Of the result.
  ///   - filter: The filter.
  ///   - most: What the pixels between the two passes may take, unless one column takes more: a picture
  ///     of one column and a hundred million rows would else need a hundred gigabytes.
  /// - Returns: The same pixels, whatever `most` is.
  func resized(
    width: Int,
    height: Int,
    filter: ResampleFilter = .lanczos,
    mostIntermediateBytes most: Int
  ) -> RGBImage {
    precondition(
      (1...Self.maximumSide).contains(width) && (1...Self.maximumSide).contains(height),
      "cannot resize to \(width)×\(height)"
    )
    let rowPlan =
      width == self.width
      ? nil : ResamplePlan(inputs: self.width, outputs: width, filter: filter)
    let columnPlan: ResamplePlan?
    if height == self.height {
      columnPlan = nil
    } else if self.width == self.height, width == height {
      columnPlan = rowPlan
    } else {
      columnPlan = ResamplePlan(inputs: self.height, outputs: height, filter: filter)
    }
    let rows = columnPlan?.usedInputs ?? 0..<self.height
    if let rowPlan, let columnPlan, width * rows.count * 3 > most {
      return banded(rowPlan, columnPlan, columns: max(1, most / (rows.count * 3)))
    }
    let narrowed = rowPlan.map { filteredRows(rows, $0) }
    guard let columnPlan else { return narrowed ?? self }
    guard let narrowed else { return filteredColumns(columnPlan, firstRow: 0) }
    return narrowed.filteredColumns(columnPlan, firstRow: rows.lowerBound)
  }

  /// Both passes over so many columns of the result at a time.
  private func banded(_ rowPlan: ResamplePlan, _ columnPlan: ResamplePlan, columns: Int) -> RGBImage
  {
    let (width, rows) = (rowPlan.windows.count, columnPlan.usedInputs)
    var result = RGBImage(width: width, height: columnPlan.windows.count, filledWith: .black)
    for start in stride(from: 0, to: width, by: columns) {
      let band = rowPlan.band(start..<min(start + columns, width))
      let part = filteredRows(rows, band).filteredColumns(columnPlan, firstRow: rows.lowerBound)
      result.paste(part, x: start, y: 0)
    }
    return result
  }

  /// The longest side that is made or read here.
  private static let maximumSide = 1 << 20

  private func filteredRows(_ rows: Range<Int>, _ plan: ResamplePlan) -> RGBImage {
    let outWidth = plan.windows.count
    let size = outWidth * rows.count * 3
    let rowBytes = width * 3
    let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      pixels.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
        cimages_resample_horizontal(
          from + rows.lowerBound * rowBytes,
          rowBytes,
          Int32(width),
          Int32(rows.count),
          to,
          Int32(outWidth),
          plan.windows,
          plan.weights,
          Int32(plan.taps)
        )
        count = size
      }
    }
    return RGBImage(width: outWidth, height: rows.count, pixels: result)
  }

  private func filteredColumns(_ plan: ResamplePlan, firstRow: Int) -> RGBImage {
    let outHeight = plan.windows.count
    let size = width * outHeight * 3
    let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      cimages_resample_vertical(
        pixels,
        width * 3,
        buffer.baseAddress,
        Int32(outHeight),
        plan.windows(from: firstRow),
        plan.weights,
        Int32(plan.taps)
      )
      count = size
    }
    return RGBImage(width: width, height: outHeight, pixels: result)
  }
}
