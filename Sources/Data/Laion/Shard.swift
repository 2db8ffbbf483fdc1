/// The shard of one of several machines that divide the parts.
///
/// A part belongs to a machine by its number alone, so that a restarted machine has the same shard, also
/// over other files.
package struct Shard: Codable, Equatable, Sendable {
  /// The machine's index, from 0.
  package var index: Int
  /// The number of machines; `nil` for one per part, each with the part of its own index.
  package var count: Int?

  /// Machine `index` of `count`.
  package init(index: Int, count: Int?) {
    self.index = index
    self.count = count
  }

  /// Whether the part of this number belongs to the machine.
  package func takes(_ part: Int) -> Bool {
    guard let count else { return part == index }
    return part % count == index
  }
}

extension Shard {
  /// A numbered task of a cluster: of a Slurm array, or a pod of an indexed Kubernetes job.
  package struct Task: Equatable, Sendable {
    /// Its number in the array or job.
    package var number: Int
    /// The variable that gives the number.
    package var variable: String

    /// The task that this process is; `nil` outside of a cluster.
    package init?(environment: [String: String]) {
      for variable in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"] {
        guard let number = environment[variable].flatMap({ Int($0) }), number >= 0 else { continue }
        self.number = number
        self.variable = variable
        return
      }
      return nil
    }
  }

  /// The shard of a process, with a note for the user.
  package struct Choice: Equatable, Sendable {
    /// The shard; `nil` for all parts.
    package var shard: Shard?
    /// A line for the user, if any.
    package var note: String?
  }

  /// Chooses between the user's flags and the cluster's variables.
  ///
  /// Only the task's own number is taken from the cluster. The number of tasks changes when one of them is
  /// submitted again alone, so the user gives it.
  ///
  /// - Parameters:
  ///   - explicit: The user's shard.
  ///   - parts: The user's parts.
  ///   - count: The number of tasks that divide the parts, if the user gave it.
  ///   - environment: The variables of the process.
  /// - Returns: The shard.
  /// - Throws: `LaionError` for a number of tasks outside of a cluster.
  package static func choose(
    explicit: Shard?,
    parts: ClosedRange<Int>?,
    count: Int?,
    environment: [String: String]
  ) throws(LaionError) -> Choice {
    let task = Task(environment: environment)
    if let explicit {
      let note = task.map { "--shard is given: \($0.variable)=\($0.number) is ignored" }
      return Choice(shard: explicit, note: note)
    }
    if let count {
      try LaionOptions.shards.check(count)
      guard let task else {
        throw .option(
          "--shards \(count) is for tasks of a Slurm array or an indexed job, and this is none; "
            + "say --shard i/\(count)"
        )
      }
      let shard = Shard(index: task.number % count, count: count)
      let note = "\(task.variable)=\(task.number): the parts of shard \(shard.index)/\(count)"
      return Choice(shard: shard, note: note)
    }
    guard let task else { return Choice() }
    if parts != nil {
      let note = "--parts is given: \(task.variable)=\(task.number) is ignored"
      return Choice(note: note)
    }
    return Choice(
      shard: Shard(index: task.number, count: nil),
      note: "\(task.variable)=\(task.number): part \(task.number); for several a task say --shards"
    )
  }
}
