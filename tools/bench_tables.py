"""Writes the tables of docs/performance.md from what tools/bench measured, and prints them.

usage: bench_tables.py RESULTS [DOCUMENT]      without a document they are only printed

Each table stands between the markers `<!-- NAME -->` and `<!-- /NAME -->`. Figures are medians; where
something else did the same work in the same run, how many times ours it took stands behind.
"""

import json
import pathlib
import re
import statistics
import sys

VARIANTS = {
    "plain": "no dependencies, no timeouts",
    "dependencies": "dependencies",
    "timeouts": "timeouts",
    "both": "dependencies and timeouts",
    "unchecked": "without the checks of each access (for comparison only)",
}
CONTEXTS = {
    "fiber_there_and_back": "to a fiber and back",
    "fiber_life": "a fiber made, run to its end and destroyed",
    "enter_context/may_block:0": "entering a context that cannot block",
    "enter_context/may_block:1": "entering one that may: on a fiber",
    "sleep_and_wake": "a task that sleeps and is woken",
    "post_event": "an event for the present instant, posted and run",
    "arm_timer": "a timer, armed and run (64 pending)",
    "rcu_callback": "an RCU callback, queued and run",
    "object_life": "an object of 64 bytes, made and freed",
    "object_access": "an access through a handle, checked",
}
PARSERS = {"ours": "Fenceline: read and checked into jobs", "simdjson": "simdjson alone, one field read",
           "nlohmann": "nlohmann's DOM, one field read"}

median = statistics.median


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + \
           ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def number(value):
    """Three digits that mean something, thousands set apart."""
    if value >= 1000:
        digits = len(str(int(value)))
        return f"{round(value, min(0, 3 - digits)):,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def with_ratio(value, ours):
    return f"{number(value)} (×{number(value / ours)})"


def by_pending(figures):
    """Nanoseconds by the number of pending events; ours first, the others with their ratio to it."""
    sizes = sorted({int(size) for runs in figures.values() for size in runs})
    rows = []
    for name, runs in figures.items():
        cells = []
        for size in map(str, sizes):
            if size not in runs:
                cells.append("-")
            elif name == "Fenceline" or "Fenceline" not in figures:
                cells.append(f"**{number(median(runs[size]))}**" if name == "Fenceline" else number(median(runs[size])))
            else:
                cells.append(with_ratio(median(runs[size]), median(figures["Fenceline"][size])))
        rows.append([name] + cells)
    return table(["pending"] + [f"{size:,}" for size in sizes], rows)


def machine_table(results):
    machine = results["machine"]
    rows = [["processor", f"{machine['cpu']}, {machine['cores']} cores"], ["compiler", machine["compiler"]],
            ["kernel", machine["kernel"]],
            ["beside it", ", ".join(f"{n} {v}" for n, v in machine["others"].items()) or "nothing"],
            ["measured", machine["date"] + (", `tools/bench --quick`: small sizes, one run of each"
                                            if results["quick"] else "")
             + f"; load of the machine when it began: {machine['load']}"]]
    return table(["", ""], rows)


def engine_memory_table(results):
    """Of the largest size that all have; what the program needs besides is part of it."""
    figures = results["engine_bytes"]
    size = max(set.intersection(*(set(runs) for runs in figures.values())), key=int)
    ours = median(figures["Fenceline"][size])
    return table([f"{int(size):,} pending", "bytes of the process for each", "times ours"],
                 [[name, number(median(runs[size])), number(median(runs[size]) / ours)]
                  for name, runs in figures.items()])


def network_table(results):
    figures = {name: median(runs) for name, runs in results["network"].items()}
    ours = figures["Fenceline"]
    return table(["", "ns a completion", "times ours"],
                 [[name, number(ns), number(ns / ours)] for name, ns in figures.items()])


def kernel_table(results):
    rows = []
    for policy, by_entities in results["kernel"].items():
        for entities, runs in by_entities.items():
            kernel, ours = median(runs["kernel"]), median(runs["ours"])
            rows.append([f"{int(entities):,}", policy, number(kernel), number(ours), kernel_ratio(runs)])
    return table(["entities", "policy", "kernel's code, jobs/s", "Fenceline, jobs/s", "ratio"], rows)


def kernel_ratio(runs):
    """Of each round by itself, because its two sides met the same neighbours."""
    return number(median(ours / kernel for ours, kernel in zip(runs["ours"], runs["kernel"])))


def replay_table(results):
    rows = []
    entities = []
    for jobs, policies in results["replay"].items():
        for policy, variants in policies.items():
            for variant, runs in variants.items():
                entities = list(runs)
                rows.append([f"{int(jobs):,}", policy, VARIANTS[variant]]
                            + [f"{median(runs[e]) / 1e6:.2f}" for e in entities])
    return table(["jobs", "policy", ""] + [f"{int(e):,}" for e in entities], rows)


def memory_table(results):
    memory = results["memory"]
    rows = [["each further job in flight, all that is kept for it", f"{number(memory['job in flight'])} bytes"],
            ["each further entry of the event queue",
             f"{number(memory['entry of the queue'])} bytes"],
            ["each further timer of the engine, queue entry included",
             f"{number(memory['timer of the engine'])} bytes"]]
    for jobs, policies in results["replay_peak_kb"].items():
        rows += [[f"peak of a replay of {int(jobs):,} jobs, {VARIANTS[variant]}",
                  f"{median(policies['fifo'][variant]['4']) / 1024:.1f} MiB"]
                 for variant in ("plain", "dependencies", "timeouts") if variant in policies["fifo"]]
    for jobs, figures in results["files"].items():
        rows.append([f"peak of a replay of {int(jobs):,} jobs from a file (JSON Lines), reading included",
                     f"{median(figures['peak_kb']) / 1024:.1f} MiB, "
                     f"{median(figures['jobs_per_second']) / 1e6:.2f} million jobs/s"])
    return table(["", ""], rows)


def contexts_table(results):
    return table(["", "ns"], [[CONTEXTS.get(name, name), number(median(runs))]
                              for name, runs in results["contexts"].items()])


def parse_table(results):
    figures = results["parse"]
    rows = []
    for parser, label in PARSERS.items():
        row = [label]
        for kind in ("plain", "after"):
            value = median(figures[f"{parser}_{kind}"])
            ours = median(figures[f"ours_{kind}"])
            row.append(number(value) if parser == "ours" else with_ratio(value, ours))
        rows.append(row)
    return table(["MB/s", "plain jobs", "jobs with `after`"], rows)


def instructions_table(results):
    rows = [[name, number(count)] for name, count in results["instructions"].items()]
    for entities, by_jobs in results["flat"].items():
        rows += [[f"fifo, {int(entities):,} entities, over {int(jobs):,} jobs", number(count)]
                 for jobs, count in by_jobs.items()]
    return table(["", "instructions a job"], rows)


def spread(values):
    """How far the greatest is from the least, in percent."""
    return 100 * (max(values) / min(values) - 1)


def marks(results):
    """(what, mark, measured, reached) of DESIGN's marks that these figures speak to."""
    kernel = results.get("kernel", {})
    for entities, least in (("4", 3), ("1024", 50)):
        ratios = [float(kernel_ratio(runs[entities]).replace(",", ""))
                  for runs in kernel.values() if entities in runs]
        if ratios:
            yield (f"replay beside the kernel's own code, {int(entities):,} entities", f"at least {least} times",
                   f"{number(min(ratios))} times", min(ratios) >= least)
    plain = results["instructions"]["fifo, 4 entities"]
    yield "instructions a job, all checks on", "at most 1,000", number(plain), plain <= 1000
    flat = results["flat"]
    for jobs in list(flat["4"])[-1:]:
        change = spread([flat[entities][jobs] for entities in flat])
        yield "the same from 4 to 4,096 entities", "within 10 %", f"{change:.1f} %", change <= 10
    if len(flat["4"]) > 1:
        lengths = [f"{int(jobs):,}" for jobs in flat["4"]]
        change = spread(flat["4"].values())
        yield (f"the same from {lengths[0]} to {lengths[-1]} jobs", "within 10 %", f"{change:.1f} %", change <= 10)
    hold = median(results["queue"]["Fenceline"]["100000"])
    yield "event queue, HOLD with 100,000 pending", "at most 80 ns", f"{number(hold)} ns", hold <= 80
    entry = median(results["queue_bytes"]["100000"])
    yield "memory per pending event", "at most 48 bytes", f"{number(entry)} bytes", entry <= 48
    parse = min(median(results["parse"][kind]) for kind in ("ours_plain", "ours_after"))
    yield "JSON Lines read and checked into jobs", "at least 500 MB/s", f"{number(parse)} MB/s", parse >= 500
    job = results["memory"]["job in flight"]
    yield "memory per job in flight", "at most 256 bytes", f"{number(job)} bytes", job <= 256
    lengths = list(results["replay_peak_kb"])
    if len(lengths) > 1:
        first, last = (results["replay_peak_kb"][length]["fifo"] for length in (lengths[0], lengths[-1]))
        growth, variant = max((median(last[v]["4"]) / median(first[v]["4"]), v) for v in first)
        yield (f"memory of {int(lengths[-1]):,} jobs beside {int(lengths[0]):,}, the worst case: {VARIANTS[variant]}",
               "the same", f"{growth:.2f} times", growth <= 1.1)
    peaks = [median(figures["peak_kb"]) for figures in results["files"].values()]
    if len(peaks) > 1:
        lengths = [f"{int(jobs):,}" for jobs in results["files"]]
        yield (f"memory of a file of {lengths[-1]} jobs beside one of {lengths[0]}", "the same",
               f"{peaks[-1] / peaks[0]:.2f} times", peaks[-1] <= 1.1 * peaks[0])


def marks_table(results):
    return table(["what", "mark", "measured", ""],
                 [[what, mark, measured, "reached" if reached else "**not reached**"]
                  for what, mark, measured, reached in marks(results)])


def all_tables(results):
    tables = {
        "machine": machine_table(results),
        "marks": marks_table(results),
        "queue": by_pending(results["queue"]),
        "distributions": by_pending(results["distributions"]),
        "engine": by_pending(results["engine"]),
        "engine-memory": engine_memory_table(results),
        "network": network_table(results),
        "kernel": kernel_table(results) if "kernel" in results else
        ["The kernel's source (package linux-source-6.12) was not there."],
        "replay": replay_table(results),
        "instructions": instructions_table(results),
        "memory": memory_table(results),
        "contexts": contexts_table(results),
        "parse": parse_table(results),
    }
    return tables


def write_tables(text, tables):
    """The document's text with every table in its place."""
    for name, rows in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        text, found = pattern.subn(lambda m, rows=rows: m[1] + "\n".join(rows) + "\n" + m[2], text)
        if found != 1:
            raise ValueError(f"found {found} places for the table '{name}', expected 1")
    return text


def main(arguments):
    tables = all_tables(json.loads(pathlib.Path(arguments[0]).read_text()))
    for name, rows in tables.items():
        print(f"\n{name}\n" + "\n".join(rows))
    if len(arguments) > 1:
        document = pathlib.Path(arguments[1])
        try:
            text = write_tables(document.read_text(), tables)
        except ValueError as error:
            sys.exit(f"{document}: {error}")
        partial = document.with_suffix(".md.part")
        partial.write_text(text)
        partial.replace(document)
        print(f"\n{document}: tables written")


if __name__ == "__main__":
    main(sys.argv[1:])
