import Files
import Foundation
import TestSupport
import Testing

@testable import Archives

@Suite struct NpyTests {
  /// Keeps bytes mapped, as an archive would.
  private func open(_ bytes: [UInt8]) throws -> NpyArray {
    let folder = try TemporaryFolder()
    let spool = try SpoolFile(in: folder.path)
    try spool.append(bytes)
    return try NpyArray(spool.mapped(), path: "a.zip", entry: "x.npy")
  }

  @Test(arguments: [1, 3, 7, 100])
  func `rows are visited some at a time, in their order`(count: Int) throws {
    let rows = (0..<7).map { row in (0..<5).map { Float(5 * row + $0) } }
    let array = try open(NpyArray.encode(rows, columns: 5, as: .float16))
    var visited: [Range<Int>] = []
    var bytes: [UInt8] = []
    array.forEachRows(count) { part, elements in
      visited.append(part)
      #expect(elements.count == part.count * 5 * 2)
      bytes += elements
    }
    #expect(visited.flatMap { Array($0) } == Array(0..<7))
    #expect(visited.dropLast().allSatisfy { $0.count == count })
    #expect(bytes == rows.flatMap { NpyArray.encode($0, as: .float16) })
  }

  @Test(arguments: [NpyElement.float16, .float32])
  func `floating-point rows come back`(element: NpyElement) throws {
    let rows: [[Float]] = [[1, -2.5, 0.125], [65504, -0.0, 6.103515625e-05]]
    let bytes = NpyArray.encode(rows, columns: 3, as: element)
    #expect((bytes.count - 6 * element.size) % 64 == 0)
    let array = try open(bytes)
    #expect((array.element, array.rows, array.columns) == (element, 2, 3))
    #expect(array.floats(row: 0) == rows[0])
    #expect(array.floats(row: 1) == rows[1])
  }

  @Test func `integers come back`() throws {
    let values = [0, -1, Int.max, Int.min, 7]
    let array = try open(NpyArray.encode(values))
    #expect((array.rows, array.columns) == (5, 1))
    #expect((0..<5).map(array.integer) == values)
  }

  @Test func `our header is NumPy's, byte for byte`() {
    let text =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
      + String(repeating: " ", count: 58) + "\n"
    let expected = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(text.utf8)
    #expect(NpyHeader(element: .float32, shape: [2, 3]).encoded == expected)
  }

  @Test(arguments: [
    ("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 2), }", "<c8"),
    ("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }", ">f4"),
    ("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", "C order"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2), }", "3 dimensions"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "0 dimensions"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2), }", "no list of sizes"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "8 bytes"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4), }", "sizes"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", "8 bytes for 1 × 3"),
    ("{'descr': '<f4', 'fortran_order': False}", "no shape"),
    ("[]", "no element type"),
  ])
  func `other arrays are refused with the reason`(text: String, reason: String) throws {
    var bytes = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes.append(littleEndian: UInt16(text.utf8.count))
    bytes += Array(text.utf8) + [UInt8](repeating: 0, count: 8)
    let error = #expect(throws: ArchiveError.self) { try open(bytes) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test(arguments: ["'>f8', 'fortran_order': False", "'<f4', 'fortran_order': True"])
  func `a valid array of a kind that is not read is no damage`(text: String) throws {
    let header = "{'descr': \(text), 'shape': (1, 2), }"
    var bytes = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes.append(littleEndian: UInt16(header.utf8.count))
    bytes += Array(header.utf8) + [UInt8](repeating: 0, count: 16)
    let error = #expect(throws: ArchiveError.self) { try open(bytes) }
    guard case .unsupported(_, _, let reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("write it again"))
  }

  @Test func `an array cut at any byte is refused`() throws {
    let whole = NpyArray.encode([[1, 2], [3, 4]], columns: 2, as: .float16)
    for length in 0..<whole.count {
      #expect(throws: ArchiveError.self, "\(length) bytes") { try open(Array(whole[..<length])) }
    }
  }

  @Test func `damaged arrays never read outside of their bytes`() throws {
    let whole = NpyArray.encode([[1, 2], [3, 4]], columns: 2, as: .float16)
    var refused = 0
    let inputs = DamagedInputs([whole])
    for copy in (0..<1000).lazy.map(inputs.input) {
      do {
        let array = try open(copy)
        if array.element != .int64 && array.rows < 100 {
          for row in 0..<array.rows { #expect(array.floats(row: row).count == array.columns) }
        }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100)
  }
}
