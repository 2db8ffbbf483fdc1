import Glibc

/// What to say of a process that a signal ended, to follow its name.
///
/// - Parameters:
///   - signal: The number.
///   - advice: What takes less memory: the kernel ends a process by SIGKILL when memory runs out, and it
///     says so to nobody. `nil` where this program itself sent the signal.
/// - Returns: The rest of a sentence.
func ended(by signal: Int32, advice: String?) -> String {
  guard signal == SIGKILL, let advice else { return "was ended by signal \(signal)" }
  return "was killed by signal 9, as the kernel does when memory runs out: \(advice)"
}
