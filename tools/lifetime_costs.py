"""Writes the tables of docs/lifetime-costs.md from runs of the program.

usage: lifetime_costs.py PROGRAM [--check]     with --check nothing is written: exit 1 if the page differs

Each table stands between the markers `<!-- NAME -->` and `<!-- /NAME -->`. Everything comes from virtual time
and from counts, so the figures do not depend on the machine.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "lifetime-costs.md"
WORKLOADS = {"SteamVR on amdgpu": "capture", "browser mix": "browser", "compute mix": "compute"}


def compare(program, config, *options):
    """The runs of a comparison, in order."""
    output = subprocess.run([program, "compare", str(ROOT / "configs" / config), *options, "--json", "-"],
                            stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output)["runs"]


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)] + \
           ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def duration(ns):
    for size, unit in ((10**9, "s"), (10**6, "ms"), (10**3, "µs")):
        if ns >= size:
            return f"{ns / size:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{ns} ns"


def preset(run):
    return f"`{run['lifetime']['policy']}`"


def costs(runs):
    """What is pinned after the signal, what was alive, what a job costs."""
    rows = []
    for run in runs:
        life = run["lifetime"]
        pinned, longest = life["pinned"], life["pinned"]["longest"]
        rows.append([preset(run), f"{pinned['byte_seconds']:,.1f}",
                     f"{pinned['byte_seconds'] * 1000 / run['jobs']['submitted']:,.1f}",
                     f"{pinned['peak_bytes']:,} in {pinned['peak_objects']}",
                     f"{duration(longest['duration'])}, {longest['what']}, {longest['holder']}",
                     f"{life['peak_fences']:,}", f"{life['atomics_per_job']:.2f}", f"{life['locks_per_job']:.2f}"])
    return table(["policy", "pinned, B·s", "B·ms a job", "peak, B", "longest: how long, what, held by",
                  "fences alive at peak", "atomics a job", "locks a job"], rows)


def holders(runs):
    """Byte-seconds by who held on last."""
    names = sorted({holder["holder"] for run in runs for holder in run["lifetime"]["pinned"]["by_holder"]})
    rows = []
    for run in runs:
        by_holder = {h["holder"]: h["byte_seconds"] for h in run["lifetime"]["pinned"]["by_holder"]}
        rows.append([preset(run)] + [f"{by_holder[n]:,.2f}" if n in by_holder else "-" for n in names])
    return table(["policy"] + names, rows)


def sizes(runs):
    """Bytes of a job's fences as the allocator gives them."""
    rows = []
    for run in runs:
        by_kernel = run["lifetime"]["bytes_by_configuration"]
        rows.append([preset(run)] + [
            f"{by_kernel[kernel]['scheduler_fence']} + {by_kernel[kernel]['hardware_fence']}"
            for kernel in ("plain", "rt", "lockdep")])
    return table(["policy", "plain", "PREEMPT_RT", "lockdep"], rows)


def unload(runs):
    """What rmmod waits for with jobs on the ring, and what comes of it."""
    rows = []
    for run in runs:
        waits = run["lifetime"]["unload"]["waits"]
        waited = "; ".join(f"{duration(w['duration'])} for {w['for']}" for w in waits if w["duration"] > 0)
        rows.append([preset(run), run["first"] or "nothing", duration(run["lifetime"]["unload"]["longest"]),
                     waited or "nothing"])
    return table(["policy", "what breaks first", "unload takes", "of which it waits"], rows)


def tables(program):
    runs = compare(program, "lifetime-costs.json")
    found = {"sizes": sizes([run for run in runs if run["workload"]["name"] == "SteamVR on amdgpu"])}
    for name, marker in WORKLOADS.items():
        of_workload = [run for run in runs if run["workload"]["name"] == name]
        found[marker] = costs(of_workload)
        found[marker + "-holders"] = holders(of_workload)
    found["unload"] = unload(compare(program, "unload.json"))
    return found


def main():
    program, check = sys.argv[1], sys.argv[2:] == ["--check"]
    old = PAGE.read_text(encoding="utf-8")
    new = old
    for name, lines in tables(program).items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        if not pattern.search(new):
            sys.exit(f"{PAGE}: found no markers for the table '{name}', expected <!-- {name} --> and its end")
        new = pattern.sub(lambda m: m[1] + "\n".join(lines) + "\n" + m[2], new)
    if check:
        if new != old:
            sys.exit(f"{PAGE} is not what {program} gives: run tools/lifetime-costs")
        return
    temporary = PAGE.with_suffix(".part")
    temporary.write_text(new, encoding="utf-8")
    temporary.replace(PAGE)
    print(f"{PAGE}: written")


if __name__ == "__main__":
    main()
