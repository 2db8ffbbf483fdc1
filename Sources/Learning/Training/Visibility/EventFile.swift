import Files
import Foundation
import Glibc
import Protobuf

/// An event file, which TensorBoard reads while it grows.
///
/// It is a sequence of TFRecords: a length of eight bytes, its checksum, an event as protocol buffer, its
/// checksum; checksums are CRC-32C, rotated and shifted so that a checksum of checksums means something
/// (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto). The step of an event is
/// the number of images seen. Each session of a run begins a new file, whose start event makes TensorBoard
/// discard the later steps of other files.
final class EventFile {
  /// Its path.
  let path: String
  private let descriptor: Int32

  /// Begins a file in a run folder.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - imagesSeen: Images seen so far; `nil` for a new run.
  /// - Throws: `FileError` if it cannot be written.
  init(in folder: RunFolder, imagesSeen: Int?) throws(FileError) {
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    let name = String(
      decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
      as: UTF8.self
    )
    let seconds = String(Int(Date().timeIntervalSince1970))
    let stem = "events.out.tfevents.\(seconds).\(name).\(getpid())"
    // Two sessions of one process within a second.
    var number = 0
    while access(folder.file("\(stem).\(number)"), F_OK) == 0 { number += 1 }
    path = folder.file("\(stem).\(number)")
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw FileError("create", path: path) }
    var version = ProtobufMessage()
    version.add(3, "brain.Event:2")
    try append(version)
    if let imagesSeen {
      var start = ProtobufMessage()
      start.add(1, 1)  // SessionLog.START
      var event = ProtobufMessage()
      event.add(2, imagesSeen + 1)
      event.add(7, start)
      try append(event)
    }
  }

  deinit { close(descriptor) }

  /// Appends numbers under their names.
  func scalars(_ values: [(name: String, value: Double)], step: Int) throws(FileError) {
    var summary = ProtobufMessage()
    for (name, value) in values {
      var entry = ProtobufMessage()
      entry.add(1, name)
      entry.add(2, Float(value))
      summary.add(1, entry)
    }
    try append(summary, step: step)
  }

  /// Appends a picture.
  func image(_ name: String, png: [UInt8], width: Int, height: Int, step: Int) throws(FileError) {
    var image = ProtobufMessage()
    image.add(1, height)
    image.add(2, width)
    image.add(3, 3)  // RGB
    image.add(4, png)
    var entry = ProtobufMessage()
    entry.add(1, name)
    entry.add(4, image)
    var summary = ProtobufMessage()
    summary.add(1, entry)
    try append(summary, step: step)
  }

  private func append(_ summary: ProtobufMessage, step: Int) throws(FileError) {
    var event = ProtobufMessage()
    event.add(2, step)
    event.add(5, summary)
    try append(event)
  }

  private func append(_ event: ProtobufMessage) throws(FileError) {
    var timed = ProtobufMessage()
    timed.add(1, Date().timeIntervalSince1970)
    let record = Self.record(timed.bytes + event.bytes)
    try appendRecord(record, to: descriptor, path: path)
  }

  /// A record of the file: length, checksum, data, checksum.
  static func record(_ data: [UInt8]) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(data.count).littleEndian) { Array($0) }
    return length + masked(length) + data + masked(data)
  }

  private static func masked(_ bytes: [UInt8]) -> [UInt8] {
    let crc = bytes.withUnsafeBytes(CRC32C.of)
    let value = (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    return withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
