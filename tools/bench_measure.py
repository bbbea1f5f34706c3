"""Runs the benchmarks and stores what they print.

usage: bench_measure.py BUILD UNCHECKED-BUILD RESULTS [--quick]

Programs that are compared run in turn, round after round, so that all meet the same neighbours; every
run is kept, and bench_tables.py takes medians. RESULTS is JSON.
"""

import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import bench_instructions

ROUNDS = 3
POLICIES = ("fifo", "rr", "fair")
# What replay_cost is told, and whether it is the build without checks.
VARIANTS = {
    "plain": ([], False),
    "dependencies": (["after"], False),
    "timeouts": (["timeout"], False),
    "both": (["after", "timeout"], False),
    "unchecked": ([], True),
}

FULL = {
    "pending": (1_000, 100_000, 1_000_000, 10_000_000), "others_pending": 1_000_000,
    "events": 2_000_000, "slow_events": 200_000,
    "jobs": (1_000_000, 10_000_000), "entities": (1, 4, 64, 1_024, 4_096),
    "flat_jobs": (100_000, 10_000_000), "long_jobs": (1_000_000, 100_000_000), "in_flight": 500_000,
    "min_time": 0.5,
}
QUICK = {
    "pending": (1_000, 100_000), "others_pending": 10_000,
    "events": 500_000, "slow_events": 20_000,
    "jobs": (100_000,), "entities": (4, 1_024),
    "flat_jobs": (20_000, 60_000), "long_jobs": (1_200_000, 2_400_000), "in_flight": 100_000,
    "min_time": 0.05,
}

# Whose peaks of memory are compared between the lengths of long_jobs: entities, and what replay_cost is
# told besides. None: as JSON Lines through a pipe, reading included.
LONG = {
    "4 entities": (4, []),
    "4,096 entities": (4096, []),
    "4 entities, dependencies and timeouts": (4, ["after", "timeout"]),
    "64 entities, JSON Lines from a pipe": (64, None),
}


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def run(*command):
    """The standard output of a program that has to succeed."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed ({result.returncode}):\n{result.stderr or result.stdout}")
    return result.stdout


def run_fed(producer, consumer):
    """The standard output of `consumer`, which reads what `producer` writes; both have to succeed."""
    words = [list(map(str, command)) for command in (producer, consumer)]
    with subprocess.Popen(words[0], stdout=subprocess.PIPE) as feeding:
        result = subprocess.run(words[1], stdin=feeding.stdout, capture_output=True, text=True, check=False)
        feeding.stdout.close()
        if feeding.wait() != 0 or result.returncode != 0:
            sys.exit(f"{' '.join(words[0])} | {' '.join(words[1])} failed ({feeding.returncode}, "
                     f"{result.returncode}):\n{result.stderr}")
    return result.stdout


def add(results, value, *keys):
    """Appends a value to the list under nested keys."""
    for key in keys[:-1]:
        results = results.setdefault(str(key), {})
    results.setdefault(str(keys[-1]), []).append(value)


class Bench:
    def __init__(self, build, unchecked, quick):
        self.programs, self.unchecked = build / "bench", unchecked / "bench"
        self.throughput = build / "tests/conformance/throughput"
        self.quick = quick
        self.sizes = QUICK if quick else FULL
        self.results = {"format": "fenceline/bench", "version": 1, "quick": quick}
        others = pathlib.Path(__file__).resolve().parent.parent / "bench/others"
        ns3, systemc = self.programs / "others/ns3_model", self.programs / "others/systemc_model"
        # Name: command, what follows the sizes, whether it is slow.
        self.simulators = {"Fenceline": ([self.programs / "engine_model"], [], False)}
        self.queues = {name: ([self.programs / "engine_model"], [variant], limit) for name, variant, limit in (
            ("Fenceline", "ours", None), ("std::priority_queue", "std", None),
            ("4-ary heap", "4-ary", None), ("calendar queue", "calendar", 1_000_000))}
        if ns3.exists():
            self.simulators |= {"ns-3 (default: map)": ([ns3], ["Map"], False),
                                "ns-3 (priority queue)": ([ns3], ["PriorityQueue"], False)}
            limit = self.sizes["others_pending"]
            self.queues |= {f"ns-3 {name}": ([ns3], [name], limit) for name in ("Map", "Heap", "PriorityQueue")}
        if systemc.exists():
            self.simulators["SystemC"] = ([systemc], [], False)
        if self.simpy_version():
            self.simulators["simpy"] = (["/usr/bin/python3", others / "simpy_model.py"], [], True)

    def simpy_version(self):
        probe = subprocess.run(["/usr/bin/python3", "-c", "import simpy; print(simpy.__version__)"],
                               capture_output=True, text=True, check=False)
        return probe.stdout.strip()

    def rounds(self, what, limit):
        """At most ROUNDS, and no further one once `limit` seconds have passed."""
        start = time.monotonic()
        for number in range(1 if self.quick else ROUNDS):
            if time.monotonic() - start > limit:
                break
            say(f"{what}, round {number + 1}")
            yield number

    # Sections, in the order in which they run.

    def same_work(self):
        """Ends unless every simulator comes to the same end of the same work."""
        for task in (["hold", 1000, 5000], ["network", 5000]):
            ends = {name: json.loads(run(*command, *task, *rest))["end"]
                    for name, (command, rest, _) in self.simulators.items()}
            if len(set(ends.values())) != 1:
                sys.exit(f"The simulators do not do the same work: {task} ends at {ends}.")

    def queue(self):
        for _ in self.rounds("event queue", 90):
            for pending in self.sizes["pending"]:
                for name, (command, rest, limit) in self.queues.items():
                    if limit is None or pending <= limit:
                        figures = json.loads(run(*command, "queue", pending, self.sizes["events"], *rest))
                        add(self.results, 1e9 * figures["seconds"] / figures["events"], "queue", name, pending)
                        if figures["bytes"]:
                            add(self.results, figures["bytes"] / pending, "queue_bytes", pending)

    def distributions(self):
        """How our queue takes times that are not smooth."""
        sizes = "|".join(map(str, self.sizes["pending"]))
        for _ in self.rounds("event queue, distributions", 60):
            for entry in self.google("event_queue_bench", f"^hold<sim::EventQueue, .*/({sizes})/"):
                kind, pending = re.match(r"hold<sim::EventQueue, k(\w+)>/(\d+)/", entry["name"]).groups()
                add(self.results, entry["real_time"], "distributions", kind.lower(), pending)

    def engine(self):
        for number in self.rounds("HOLD on the whole engine", 90):
            for pending in self.sizes["pending"]:
                for name, (command, rest, slow) in self.simulators.items():
                    if name != "Fenceline" and pending > self.sizes["others_pending"]:
                        continue
                    if slow and pending > 100_000 and number > 0:
                        continue  # a minute for each run
                    events = self.sizes["slow_events" if slow else "events"]
                    figures = json.loads(run(*command, "hold", pending, events, *rest))
                    add(self.results, 1e9 * figures["seconds"] / figures["events"], "engine", name, pending)
                    add(self.results, figures["peak_kb"] * 1024 / pending, "engine_bytes", name, pending)

    def network(self):
        for _ in self.rounds("closed network", 60):
            for name, (command, rest, slow) in self.simulators.items():
                completions = self.sizes["slow_events" if slow else "events"]
                figures = json.loads(run(*command, "network", completions, *rest))
                add(self.results, 1e9 * figures["seconds"] / figures["events"], "network", name)

    def kernel(self):
        if not self.throughput.exists():
            say("the kernel's code is not built here: not compared")
            return
        for _ in self.rounds("the kernel's own code", 60):
            for entities, policy, *figures in parse_throughput(run(self.throughput)):
                for name, value in zip(("kernel", "ours", "ratio"), figures):
                    add(self.results, value, "kernel", policy, entities, name)

    def replay(self):
        for jobs in self.sizes["jobs"]:
            for _ in self.rounds(f"replay of {jobs:,} jobs", 100 if jobs <= 1_000_000 else 0):
                for policy in POLICIES:
                    for entities in self.sizes["entities"]:
                        self.replay_variants(jobs, policy, entities)

    def replay_variants(self, jobs, policy, entities):
        for variant, (options, unchecked) in VARIANTS.items():
            program = (self.unchecked if unchecked else self.programs) / "replay_cost"
            figures = json.loads(run(program, jobs, entities, policy, *options))
            add(self.results, jobs / figures["seconds"], "replay", jobs, policy, variant, entities)
            add(self.results, figures["peak_kb"], "replay_peak_kb", jobs, policy, variant, entities)

    def google(self, program, pattern="."):
        """The entries of a program built on Google Benchmark."""
        output = run(self.programs / program, f"--benchmark_filter={pattern}", "--benchmark_format=json",
                     f"--benchmark_min_time={self.sizes['min_time']}")
        return json.loads(output)["benchmarks"]

    def parts(self):
        for _ in self.rounds("contexts and parsing", 60):
            for entry in self.google("context_bench"):
                add(self.results, entry["real_time"], "contexts", entry["name"])
            for entry in self.google("parse_bench"):
                name = entry["name"].removeprefix("parse/").removesuffix("/real_time")
                add(self.results, entry["bytes_per_second"] / 1e6, "parse", name)

    def files(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "jobs.jsonl"
            for jobs in self.sizes["jobs"]:
                with open(path, "wb") as file:
                    subprocess.run([self.programs / "generate_jobs", str(jobs), "64"], stdout=file, check=True)
                for _ in self.rounds(f"a file of {jobs:,} jobs", 60):
                    figures = json.loads(run(self.programs / "replay_file", path))
                    add(self.results, jobs / figures["seconds"], "files", jobs, "jobs_per_second")
                    add(self.results, figures["peak_kb"], "files", jobs, "peak_kb")

    def long(self):
        """Peaks of short and very long replays. Two at a time: memory does not depend on what else runs."""
        def peak(task):
            (entities, options), jobs = LONG[task[0]], task[1]
            if options is None:
                output = run_fed([self.programs / "generate_jobs", jobs, entities],
                                 [self.programs / "replay_file", "/dev/stdin"])
            else:
                output = run(self.programs / "replay_cost", jobs, entities, "fifo", *options)
            return json.loads(output)["peak_kb"]

        say(f"peaks of memory, up to {max(self.sizes['long_jobs']):,} jobs")
        tasks = [(name, jobs) for name in LONG for jobs in self.sizes["long_jobs"]]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for (name, jobs), kb in zip(tasks, pool.map(peak, tasks)):
                self.results.setdefault("long", {}).setdefault(name, {})[str(jobs)] = kb

    def memory(self):
        """Bytes for each further job in flight and pending event, from the peaks of two sizes."""
        say("memory")
        count = self.sizes["in_flight"]

        def growth(command):
            peaks = [json.loads(run(*command(n)))["peak_kb"] for n in (count, 2 * count)]
            return 1024 * (peaks[1] - peaks[0]) / count

        replay, model = self.programs / "replay_cost", self.programs / "engine_model"
        self.results["memory"] = {
            "job in flight": growth(lambda n: [replay, n, 4, "fifo", "backlog"]),
            "timer of the engine": growth(lambda n: [model, "hold", n, 1000]),
            "entry of the queue": growth(lambda n: [model, "queue", n, 1000, "ours"]),
        }

    def instructions(self):
        say("instructions a job")
        self.results["instructions"] = bench_instructions.measure(self.programs)
        # Counts do not depend on what else runs, so the long ones run side by side.
        seconds_per_job = 0
        for jobs in self.sizes["flat_jobs"]:
            if jobs * seconds_per_job > 400:
                say(f"{jobs:,} jobs under callgrind would take {jobs * seconds_per_job:.0f} s: left out")
                break
            start = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                costs = pool.map(lambda entities, jobs=jobs: bench_instructions.per_job(
                    self.programs, 10_000, jobs, [str(entities), "fifo"]), (4, 4096))
                for entities, cost in zip((4, 4096), costs):
                    self.results.setdefault("flat", {}).setdefault(str(entities), {})[str(jobs)] = cost
            seconds_per_job = (time.monotonic() - start) / jobs

    def machine(self):
        info = bench_instructions.build_info(self.programs)
        cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
        self.results["machine"] = {
            "cpu": cpu[1] if cpu else platform.processor(), "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "compiler": f"{info['compiler']}, {info['flags']}", "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 1), "date": time.strftime("%Y-%m-%d"),
            "others": {name: version for name, version in (
                ("ns-3", package_version("libns3-dev")), ("SystemC", package_version("libsystemc-dev")),
                ("simpy", self.simpy_version())) if version},
        }
        if os.getloadavg()[0] > 0.5:
            say(f"other programs are running (load {os.getloadavg()[0]:.1f}): times will be rough")


def package_version(package):
    found = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True,
                           check=False)
    return found.stdout.strip() if found.returncode == 0 else ""


def parse_throughput(text):
    """(entities, policy, the kernel's jobs a second, ours, ratio) of each line that
    tests/conformance/throughput prints below its head."""
    rows = []
    for line in text.splitlines()[1:]:
        entities, policy, *figures = line.split()
        rows.append((int(entities), policy, *map(float, figures)))
    return rows


SECTIONS = ("machine", "same_work", "queue", "distributions", "engine", "network", "kernel", "replay", "parts",
            "files", "long", "memory", "instructions")


def main(arguments):
    quick = "--quick" in arguments
    build, unchecked, output = (pathlib.Path(a).resolve() for a in arguments if a != "--quick")
    bench = Bench(build, unchecked, quick)
    start = time.monotonic()
    for section in SECTIONS:
        getattr(bench, section)()
    bench.results["machine"]["minutes"] = round((time.monotonic() - start) / 60, 1)
    partial = output.with_suffix(".part")
    partial.write_text(json.dumps(bench.results, indent=1) + "\n")
    partial.replace(output)


if __name__ == "__main__":
    main(sys.argv[1:])
