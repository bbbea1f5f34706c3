"""Writes the tables of docs/performance.md from what tools/bench measured, and prints them.

usage: bench_tables.py RESULTS [DOCUMENT]      without a document they are only printed

Each table stands between the markers `<!-- NAME -->` and `<!-- /NAME -->`. Figures are medians. Each comes
with a ratio: to ours where something else did the same work in the same run, else to what the table's head or
the text before it names.
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


def by_pending(figures, base):
    """Nanoseconds by the number of pending events; the others with their ratio to the row `base`."""
    sizes = sorted({int(size) for runs in figures.values() for size in runs})
    rows = []
    for name, runs in figures.items():
        cells = []
        for size in map(str, sizes):
            if size not in runs:
                cells.append("-")
            elif name == base:
                cells.append(f"**{number(median(runs[size]))}**")
            else:
                cells.append(with_ratio(median(runs[size]), median(figures[base][size])))
        rows.append([name] + cells)
    return table(["pending"] + [f"{size:,}" for size in sizes], rows)


def machine_table(results):
    machine = results["machine"]
    rows = [["processor", f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB of memory"],
            ["compiler", machine["compiler"]],
            ["kernel", machine["kernel"]],
            ["beside it", ", ".join(f"{n} {v}" for n, v in machine["others"].items()) or "nothing"],
            ["measured", machine["date"] + (", `tools/bench --quick`: small sizes, one run of each"
                                            if results["quick"] else "")
             + f"; load of the machine when it began: {machine['load']}; took {machine['minutes']} minutes"]]
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
    """As the program gives it: of passes by themselves, because their two sides met the same neighbours."""
    return number(median(runs["ratio"]))


def replay_table(results):
    rows = []
    entities = []
    for jobs, policies in results["replay"].items():
        for policy, variants in policies.items():
            for variant, runs in variants.items():
                entities = list(runs)
                cells = [f"{median(runs[e]) / 1e6:.2f}" for e in entities]
                if variant != "plain":
                    cells = [f"{cell} (×{number(median(runs[e]) / median(variants['plain'][e]))})"
                             for cell, e in zip(cells, entities)]
                rows.append([f"{int(jobs):,}", policy, VARIANTS[variant]] + cells)
    return table(["jobs", "policy", ""] + [f"{int(e):,}" for e in entities], rows)


def memory_table(results):
    rows = []
    for name, what, mark in (("job in flight", "each further job in flight, all that is kept for it", 256),
                             ("entry of the queue", "each further entry of the event queue", 48),
                             ("timer of the engine", "each further timer of the engine, queue entry included", 0)):
        size = results["memory"][name]
        rows.append([what, f"{number(size)} bytes", f"{number(size / mark)} of the mark" if mark else "-"])
    return table(["", "", "ratio"], rows)


def peaks_table(results):
    """Peaks by the number of jobs, and what the longest takes beside the shortest."""
    lengths = sorted({int(jobs) for peaks in all_peaks(results).values() for jobs in peaks})
    rows = [[name] + [f"{peaks[jobs] / 1024:.1f}" if jobs in peaks else "-" for jobs in lengths]
            + [f"{growth(peaks):.2f}"] for name, peaks in all_peaks(results).items()]
    return table(["MiB"] + [f"{jobs:,} jobs" for jobs in lengths] + ["longest : shortest"], rows)


def all_peaks(results):
    """KiB by what was replayed and the number of jobs."""
    peaks = {name: {int(jobs): kb for jobs, kb in by_jobs.items()} for name, by_jobs in results["long"].items()}
    for jobs, policies in results["replay_peak_kb"].items():
        for variant in ("dependencies", "timeouts"):
            if runs := policies["fifo"].get(variant):
                peaks.setdefault(f"4 entities, {variant}", {})[int(jobs)] = median(runs["4"])
    for jobs, figures in results["files"].items():
        peaks.setdefault("64 entities, JSON Lines from a file", {})[int(jobs)] = median(figures["peak_kb"])
    return peaks


def growth(peaks):
    return peaks[max(peaks)] / peaks[min(peaks)]


def files_table(results):
    rates = {jobs: median(figures["jobs_per_second"]) for jobs, figures in results["files"].items()}
    first = next(iter(rates.values()))
    return table(["jobs", "million jobs/s", "ratio"],
                 [[f"{int(jobs):,}", f"{rate / 1e6:.2f}", number(rate / first)] for jobs, rate in rates.items()])


def contexts_table(results):
    rates = next(iter(results["replay"].values()))["fifo"]["plain"]["4"]
    job = 1e9 / median(rates)
    return table(["", "ns", f"of a job ({number(job)} ns)"],
                 [[CONTEXTS.get(name, name), number(median(runs)), number(median(runs) / job)]
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
    counts = results["instructions"] | {
        f"fifo, {int(entities):,} entities, over {int(jobs):,} jobs": count
        for entities, by_jobs in results["flat"].items() for jobs, count in by_jobs.items()}
    first = next(iter(counts.values()))
    return table(["", "instructions a job", "ratio to the first"],
                 [[name, number(count), f"{count / first:.3f}"] for name, count in counts.items()])


def marks(results):
    """(what, mark, measured, ratio to the mark, reached) of DESIGN's marks that these figures speak to."""
    def most(what, mark, unit, value):
        return what, f"at most {mark:,}{unit}", number(value) + unit, value / mark, value <= mark

    def least(what, mark, unit, value):
        return what, f"at least {mark:,}{unit}", number(value) + unit, value / mark, value >= mark

    def same(what, ratio):
        """Of figures that may differ by 10 %."""
        return what, "within 10 %", f"{100 * (ratio - 1):+.1f} %", ratio, ratio <= 1.1

    for entities, mark in (("4", 3), ("64", 3), ("1024", 50)):
        for policy, by_entities in results.get("kernel", {}).items():
            if entities in by_entities:
                yield least(f"replay beside the kernel's own code, {int(entities):,} entities, {policy}", mark,
                            " times", median(by_entities[entities]["ratio"]))
    yield most("instructions a job, all checks on", 1000, "", results["instructions"]["fifo, 4 entities"])
    flat = results["flat"]
    for jobs in flat["4"]:
        counts = [flat[entities][jobs] for entities in flat]
        yield same(f"instructions a job at 4 and 4,096 entities, {int(jobs):,} jobs", max(counts) / min(counts))
    lengths = [f"{int(jobs):,}" for jobs in flat["4"]]
    if len(lengths) > 1:
        for entities, counts in flat.items():
            yield same(f"instructions a job over {lengths[0]} and {lengths[-1]} jobs, {int(entities):,} entities",
                       max(counts.values()) / min(counts.values()))
    yield most("event queue, HOLD with 100,000 pending", 80, " ns", median(results["queue"]["Fenceline"]["100000"]))
    yield most("memory per pending event", 48, " bytes", median(results["queue_bytes"]["100000"]))
    yield least("JSON Lines read and checked into jobs", 500, " MB/s",
                min(median(results["parse"][kind]) for kind in ("ours_plain", "ours_after")))
    yield most("memory per job in flight", 256, " bytes", results["memory"]["job in flight"])
    for name, peaks in all_peaks(results).items():
        if len(peaks) > 1:
            yield same(f"peak of memory, {max(peaks):,} jobs beside {min(peaks):,}: {name}", growth(peaks))


def marks_table(results):
    return table(["what", "mark", "measured", "measured : mark", ""],
                 [[what, mark, measured, f"{ratio:.2f}", "reached" if reached else "**not reached**"]
                  for what, mark, measured, ratio, reached in marks(results)])


def all_tables(results):
    tables = {
        "machine": machine_table(results),
        "marks": marks_table(results),
        "queue": by_pending(results["queue"], "Fenceline"),
        "distributions": by_pending(results["distributions"], "exponential"),
        "engine": by_pending(results["engine"], "Fenceline"),
        "engine-memory": engine_memory_table(results),
        "network": network_table(results),
        "kernel": kernel_table(results) if "kernel" in results else
        ["The kernel's source (package linux-source-6.12) was not there."],
        "replay": replay_table(results),
        "instructions": instructions_table(results),
        "memory": memory_table(results),
        "peaks": peaks_table(results),
        "files": files_table(results),
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
