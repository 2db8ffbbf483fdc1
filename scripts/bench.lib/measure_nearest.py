"""scripts/bench nearest: see its help."""
import hashlib
import json
import statistics
import subprocess
import sys
import time
import urllib.request

from processes import Sampler, family

nifty, bench, work, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
clip = hashlib.sha256(open("Models/emoji/clip.safetensors", "rb").read()).hexdigest()


def field(pid, name):
    """A line of /proc/PID/status in MiB, of a process and all that it started."""
    total = 0.0
    for one in family(pid):
        with open(f"/proc/{one}/status") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith(name)) / 1024
    return total


def searched(images):
    """Seconds of requests, and MiB of the server: before, and at the peak."""
    data = f"{work}/{images}.zip"
    subprocess.run([bench, "random", data, str(images), clip], check=True)
    server = subprocess.Popen(
        [nifty, "studio", "--port=0", f"--data={data}"], stdout=subprocess.PIPE, text=True
    )
    try:
        address = next(line.split()[1] for line in server.stdout if line.startswith("open "))
        body = {"prompt": "red heart", "seed": 7}

        def ask(path):
            request = urllib.request.Request(
                address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            start = time.monotonic()
            with urllib.request.urlopen(request) as answer:
                answer.read()
            return time.monotonic() - start

        for _ in range(5):
            ask("/api/paint")
        before = field(server.pid, "VmRSS")
        first = ask("/api/nearest")
        sampler = Sampler(server.pid, 0.005)
        sampler.start()
        times = [ask("/api/nearest") for _ in range(20)]
        sampler.stop()
        after = field(server.pid, "RssAnon")
        return first, sorted(times), before, sampler.peak_mib(), after
    finally:
        server.terminate()
        server.wait()


result = {"features": count}
for name, images in (("few", 100), ("", count)):
    first, times, before, peak, anonymous = searched(images)
    print(images, [round(t, 3) for t in times], file=sys.stderr, flush=True)
    name = f"{name}_" if name else ""
    result[f"{name}first_seconds"] = round(first, 3)
    result[f"{name}seconds"] = round(statistics.median(times), 3)
    result[f"{name}most_seconds"] = round(times[-1], 3)
    result[f"{name}mib_before"] = round(before, 1)
    result[f"{name}mib_peak"] = round(peak, 1)
    result[f"{name}mib_anonymous"] = round(anonymous, 1)
print(json.dumps(result))
