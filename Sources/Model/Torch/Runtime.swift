import CTorch

/// Settings and facts of the libtorch in this process.
public enum Runtime {
  /// Threads that one operation may use on the CPU.
  public static var threads: Int {
    get { Int(ct_threads()) }
    set { ct_set_threads(Int32(newValue)) }
  }

  /// Keeps freed memory in the process instead of giving it back to the system after each operation.
  ///
  /// A training step allocates and frees the same few hundred megabytes repeatedly; handing out
  /// fresh zeroed pages each time cost 15 % of a step at 32². To be called once, before any work.
  public static func keepFreedMemory() {
    ct_keep_freed_memory()
  }

  /// Whether convolutions of 3 × 3 may take Winograd's algorithm (arXiv 1509.09308) where a CPU has AVX-512; they
  /// may at the start.
  ///
  /// A value is then about 10⁻⁶ of its size away from that of a direct convolution in float32, and no further than
  /// that in bfloat16.
  ///
  /// - Parameter allowed: `false` for direct convolutions everywhere.
  public static func setWinograd(_ allowed: Bool) { ct_set_winograd(allowed ? 1 : 0) }

  /// Whether this processor has Winograd's algorithm.
  public static var hasWinograd: Bool { ct_has_winograd() != 0 }

  /// How CUDA computes; without CUDA nothing changes.
  ///
  /// - Parameters:
  ///   - benchmark: Lets cuDNN try its algorithms and keep the fastest.
  ///   - tf32: Lets matrix products and convolutions of float32 use TF32's short mantissa.
  public static func setCUDA(benchmark: Bool, tf32: Bool) {
    ct_set_cuda(benchmark ? 1 : 0, tf32 ? 1 : 0)
  }

  /// Number of CUDA devices; 0 where libtorch was built without CUDA or no driver answers.
  public static var cudaDevices: Int { Int(ct_cuda_devices()) }

  /// The most memory that this process's tensors on a device have taken at once since the last call, in
  /// bytes.
  ///
  /// - Parameter device: The device.
  /// - Returns: 0 for the CPU, and where there is no such device.
  public static func takePeakBytes(on device: Device) -> Int {
    guard case .cuda = device else { return 0 }
    defer { ct_device_reset_peak(device.index) }
    return Int(ct_device_peak_bytes(device.index))
  }

  /// CUDA's first device if there is one, else the CPU.
  public static var defaultDevice: Device { cudaDevices > 0 ? .cuda(0) : .cpu }

  /// The device of one of several processes on this machine: CUDA's devices in turn, else the CPU.
  public static func device(local rank: Int) -> Device {
    cudaDevices > 0 ? .cuda(rank % cudaDevices) : .cpu
  }

  /// Number of tensors that Swift holds in the whole process.
  public static var liveTensors: Int { Int(ct_live_handles()) }

  /// libtorch's version.
  public static var version: String { String(cString: ct_version()) }
}

/// Runs a body whose convolutions are direct on this thread, as those of the original on a CPU.
///
/// Their values then differ from it by the rounding of one sum. After Winograd's algorithm a few inputs of a leaky
/// ReLU, those nearest to zero, have the other sign, and gradients differ by 10⁻³ of their size.
public func withDirectConvolutions<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  ct_direct_convolutions(1)
  defer { ct_direct_convolutions(0) }
  return try body()
}
