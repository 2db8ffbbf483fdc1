import CTorch

/// A moment in the work that an accelerator has been given.
///
/// The host runs ahead of an accelerator: its clock says when work was enqueued, an event when it was done.
public final class DeviceEvent {
  private let handle: OpaquePointer

  /// The moment when the device has done all that it was given so far; `nil` on a CPU.
  public init?(on device: Device) {
    guard case .cuda = device, let handle = ct_event_record(device.index) else { return nil }
    self.handle = handle
  }

  deinit { ct_event_free(handle) }

  /// The device's time between an earlier moment and this one, in nanoseconds; waits for the device.
  ///
  /// - Returns: `nil` if the device gives none.
  public func nanoseconds(since earlier: DeviceEvent) -> Int64? {
    let found = ct_event_nanoseconds(earlier.handle, handle)
    return found < 0 ? nil : found
  }
}
