"""Processor time and memory of a running program, read from /proc."""
import os
import subprocess
import threading
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def family(pid):
    """A process and all that it started: `nifty` runs its compute verbs as another process."""
    found = [pid]
    for parent in found:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return found


def processor_seconds(pid):
    """User and system seconds of a process and of its children that were waited for."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS_PER_SECOND


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


class Sampler(threading.Thread):
    """Samples (wall time, processor seconds, resident MiB) of a family of processes."""

    def __init__(self, pid, interval=0.02):
        super().__init__(daemon=True)
        self.pid, self.interval, self.rows, self.stopped = pid, interval, [], False

    def run(self):
        while not self.stopped:
            seconds = memory = 0.0
            for pid in family(self.pid):
                try:
                    seconds += processor_seconds(pid)
                    memory += resident_mib(pid)
                except (OSError, ValueError):
                    pass  # it ended in between
            if memory:
                self.rows.append((time.time(), seconds, memory))
            time.sleep(self.interval)

    def stop(self):
        self.stopped = True
        self.join()

    def processor_at(self, when):
        """Processor seconds at a wall time, linearly between samples."""
        before = None
        for row in self.rows:
            if row[0] >= when:
                if before is None:
                    return row[1]
                part = (when - before[0]) / max(row[0] - before[0], 1e-9)
                return before[1] + part * (row[1] - before[1])
            before = row
        return before[1] if before else 0.0

    def peak_mib(self):
        return max((row[2] for row in self.rows), default=0.0)


def measured(command, environment=None):
    """Runs a command to its end: (wall seconds, processor seconds)."""
    before, start = os.times(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    after = os.times()
    used = after.children_user + after.children_system
    return time.monotonic() - start, used - before.children_user - before.children_system
