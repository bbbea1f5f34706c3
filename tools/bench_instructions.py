"""Instructions a job, counted by callgrind, against the baseline in bench/instructions.json.

usage: bench_instructions.py check BENCH-BUILD     fails when a workload costs 3 % more
       bench_instructions.py move BENCH-BUILD      writes what is measured as the new baseline
                                                   (tools/bench --move-baseline does this)

Counts are exact: the same program gives the same count on each run. They hold for one compiler with one
set of flags, which the baseline names; elsewhere the check says that it does not apply and exits with
77, as where valgrind is missing. The cost of a job is the difference between two replays of different
length, so starting up does not count.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench" / "instructions.json"
TOLERANCE = 0.03
SKIPPED = 77

# Name, jobs of the shorter and the longer replay, and the rest of replay_cost's command line.
WORKLOADS = {
    "fifo, 4 entities": (5_000, 15_000, ["4", "fifo"]),
    "rr, 4 entities": (5_000, 15_000, ["4", "rr"]),
    "fair, 4 entities": (5_000, 15_000, ["4", "fair"]),
    "fifo, 4,096 entities": (8_192, 16_384, ["4096", "fifo"]),
    "fifo, 4 entities, dependencies": (5_000, 15_000, ["4", "fifo", "after"]),
    "fifo, 4 entities, timeouts": (5_000, 15_000, ["4", "fifo", "timeout"]),
}


class Failure(Exception):
    """What could not be measured, in a line."""


def parse_count(text):
    """The count in what callgrind writes to standard error."""
    found = re.search(r"Collected : (\d+)", text)
    if not found:
        raise Failure("callgrind printed no count:\n" + text)
    return int(found[1])


def count_instructions(command):
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)} failed under callgrind:\n{result.stderr}")
    return parse_count(result.stderr)


def per_job(build, shorter, longer, arguments):
    counts = [count_instructions([str(build / "replay_cost"), str(jobs), *arguments])
              for jobs in (shorter, longer)]
    return (counts[1] - counts[0]) / (longer - shorter)


def measure(build):
    return {name: round(per_job(build, *workload), 1) for name, workload in WORKLOADS.items()}


def build_info(build):
    return json.loads((build / "build_info.json").read_text())


def inapplicable(baseline, info):
    """Why the baseline says nothing about this build, or None."""
    for key in ("compiler", "flags", "processor"):
        if baseline[key] != info[key]:
            return f"the baseline is for {key} '{baseline[key]}', this is '{info[key]}'"
    return None


def judge(baseline, measured):
    """(a line for each workload, those that cost more than they may, those that have become better)."""
    lines, worse, better = [], [], []
    for name in sorted(baseline.keys() | measured.keys()):
        if name not in baseline or name not in measured:
            lines.append(f"{name}: NOT IN THE BASELINE" if name in measured else f"{name}: NOT MEASURED")
            worse.append(name)
            continue
        change = measured[name] / baseline[name] - 1
        line = (f"{name}: {measured[name]:,.0f} instructions a job, baseline {baseline[name]:,.0f} "
                f"({100 * change:+.1f} %)")
        if measured[name] > baseline[name] * (1 + TOLERANCE):
            line += ", TOO MANY"
            worse.append(name)
        elif change < -TOLERANCE:
            line += ", better"
            better.append(name)
        lines.append(line)
    return lines, worse, better


def check(build):
    if not shutil.which("valgrind"):
        print("SKIPPED: valgrind is not here")
        return SKIPPED
    baseline = json.loads(BASELINE.read_text())
    if reason := inapplicable(baseline, build_info(build)):
        print(f"SKIPPED: does not apply: {reason}")
        return SKIPPED
    lines, worse, better = judge(baseline["instructions_per_job"], measure(build))
    print("\n".join(lines))
    if worse:
        print(f"A job may cost {100 * TOLERANCE:.0f} % more than the baseline. If the cost is wanted, "
              "tools/bench --move-baseline moves the baseline;\n"
              "commit bench/instructions.json with the change that needs it, and say why.")
    elif better:
        print("Better than the baseline: tools/bench --move-baseline keeps what has been gained.")
    return 1 if worse else 0


def move(build):
    measured = measure(build)
    if BASELINE.exists():
        print("\n".join(judge(json.loads(BASELINE.read_text())["instructions_per_job"], measured)[0]))
    document = build_info(build) | {"instructions_per_job": measured}
    BASELINE.write_text(json.dumps(document, indent=2) + "\n")
    print(f"{BASELINE.relative_to(ROOT)}: written")
    return 0


def main(arguments):
    match arguments:
        case ["check", build]:
            return check(pathlib.Path(build))
        case ["move", build]:
            return move(pathlib.Path(build))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        sys.exit(str(failure))
