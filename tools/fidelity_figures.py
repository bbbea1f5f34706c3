"""Writes the figures of docs/fidelity.md from what tools/fidelity measured.

usage: fidelity_figures.py BUILD-DIRECTORY DOCUMENT

Counts the lines of the kernel's scheduler that differential workloads executed (gcov). What does not
count is named here, with its reason; so is what counts and was not executed.
"""

import json
import pathlib
import re
import subprocess
import sys

FILES = ("sched_main.c", "sched_entity.c", "sched_fence.c")

NOT_COUNTED = {
    "drm_sched_fence_slab_init": "module init",
    "drm_sched_fence_slab_fini": "module exit",
    "drm_sched_suspend_timeout": "by name",
    "drm_sched_resume_timeout": "by name",
    "drm_sched_tdr_queue_imm": "by name",
    "drm_sched_fault": "exported, no caller in the harness",
    "drm_sched_wqueue_ready": "exported, no caller in the harness",
    "drm_sched_job_add_syncobj_dependency": "exported, no caller in the harness",
    "drm_sched_job_add_implicit_dependencies": "exported, no caller in the harness",
    "drm_sched_entity_error": "exported, no caller in the harness",
}

WHY_NOT_EXECUTED = {
    "drm_sched_can_queue": "update_job_credits: an operation no driver of the harness has",
    "drm_sched_job_timedout": "a timeout with nothing pending needs a second CPU",
    "drm_sched_start": "a resubmitted job whose fence has signalled at once",
    "drm_sched_job_init": "credits of 0 are refused by the format; an entity without a run queue faults in "
    "drm_sched_job_arm before its next job",
    "drm_sched_job_add_dependency": "no fence at all; failure of the list to grow",
    "drm_sched_job_add_resv_dependencies": "failure of the list to grow",
    "drm_sched_job_cleanup": "a job given up before it was armed",
    "drm_sched_fence_free": "a job given up before it was armed",
    "drm_sched_free_job_work": "stopped between queueing and running: needs a second CPU",
    "drm_sched_run_job_work": "stopped between queueing and running; errors of dma_fence_add_callback",
    "drm_sched_init": "wrong arguments; a workqueue from the driver",
    "drm_sched_entity_init": "wrong arguments",
    "drm_sched_entity_kill_jobs_cb": "a dependency on `scheduled`, which no format can name",
    "drm_sched_entity_kill_jobs_work": "a dependency on `scheduled`, which no format can name",
    "drm_sched_entity_kill": "an entity without a run queue",
    "drm_sched_entity_flush": "an entity without a run queue; an exiting task that has time to wait",
    "drm_sched_job_dependency": "prepare_job: an operation no driver of the harness has",
    "drm_sched_entity_pop_job": "an empty queue, once chosen: needs a second CPU",
    "drm_sched_fence_alloc": "failure of the allocation",
}


def allocation_failures(source):
    """Line numbers of error paths of allocation failure."""
    lines = set()
    unwinding = False
    for number, text in enumerate(source, 1):
        if re.match(r"Out_\w+:", text):
            unwinding = True
        elif text.startswith("}"):
            unwinding = False
        if unwinding or "-ENOMEM" in text or "goto Out_" in text:
            lines.add(number)
    return lines


def functions(source):
    """(first line, last line, name) of each function. gcov files those that a header declares there."""
    spans, start, name, opened = [], 0, None, False
    for number, text in enumerate(source, 1):
        found = re.match(r"(?:[a-z][^;=(]*[\s*])?(\w+)\(", text)
        if name is None and found and not text.rstrip().endswith(";"):
            start, name, opened = number, found[1], False
        elif name is None:
            continue
        elif text.startswith("{"):
            opened = True
        elif text.startswith("}"):
            spans.append((start, number, name))
            name = None
        elif not opened and text.rstrip().endswith(";"):
            name = None  # a declaration
    return spans


def coverage(build, name):
    """(executed, counted, {function: [lines not executed]}) of one file."""
    [gcda] = build.rglob(f"kernel_oracle_kernel.dir/**/{name}.gcda")
    report = subprocess.run(
        ["gcov", "--json-format", "--stdout", gcda.relative_to(build)],
        cwd=build, check=True, capture_output=True, text=True)
    [document] = [f for f in json.loads(report.stdout)["files"] if f["file"].endswith("/" + name)]
    [path] = build.rglob(f"kernel/drivers/gpu/drm/scheduler/{name}")
    source = path.read_text().splitlines()
    excluded = allocation_failures(source)
    spans = functions(source)
    counts = {}
    for line in document["lines"]:
        number = line["line_number"]
        function = next((name for first, last, name in spans if first <= number <= last), "")
        if function in NOT_COUNTED or number in excluded or source[number - 1].startswith("module_"):
            continue
        key = (function, number)
        counts[key] = counts.get(key, 0) + line["count"]
    missing = {}
    for (function, number), count in counts.items():
        if count == 0:
            missing.setdefault(function, []).append(number)
    return sum(count > 0 for count in counts.values()), len(counts), missing


def ranges(numbers):
    numbers = sorted(numbers)
    parts = []
    while numbers:
        first = last = numbers.pop(0)
        while numbers and numbers[0] == last + 1:
            last = numbers.pop(0)
        parts.append(str(first) if first == last else f"{first}-{last}")
    return ", ".join(parts)


def workload_table(build):
    rows = ["| form | workloads | jobs | events compared | ended by a fault of the kernel's |", "|---|---|---|---|---|"]
    totals = [0, 0, 0, 0]
    for path in sorted(build.glob("form-*.json")):
        form = path.with_suffix(".txt").read_text().strip()
        name, options = form.split("|")
        figures = json.loads(path.read_text())
        values = [figures[key] for key in ("workloads", "jobs", "events", "hazards")]
        totals = [a + b for a, b in zip(totals, values)]
        label = f"{name} (`{options}`)" if options else name
        rows.append("| " + " | ".join([label] + [f"{v:,}" for v in values]) + " |")
    rows.append("| **all** | " + " | ".join(f"**{v:,}**" for v in totals) + " |")
    return rows


def coverage_tables(build):
    rows = ["| file | lines counted | executed | |", "|---|---|---|---|"]
    gaps = ["| function | lines not executed | why |", "|---|---|---|"]
    executed_all = counted_all = 0
    for name in FILES:
        executed, counted, missing = coverage(build, name)
        executed_all += executed
        counted_all += counted
        rows.append(f"| {name} | {counted} | {executed} | {100 * executed / counted:.1f} % |")
        for function, numbers in sorted(missing.items(), key=lambda item: item[1]):
            why = WHY_NOT_EXECUTED.get(function) or "open"
            gaps.append(f"| `{function}` | {name}:{ranges(numbers)} | {why} |")
    rows.append(f"| **all** | **{counted_all}** | **{executed_all}** | "
                f"**{100 * executed_all / counted_all:.1f} %** |")
    return rows, gaps


def throughput_table(build):
    lines = (build / "throughput.txt").read_text().splitlines()[1:]
    rows = ["| entities | policy | kernel's code, jobs/s | Fenceline, jobs/s | ratio |", "|---|---|---|---|---|"]
    for line in lines:
        entities, policy, kernel, ours, ratio = line.split()
        rows.append(f"| {int(entities):,} | {policy} | {int(kernel):,} | {int(ours):,} | {ratio} |")
    return rows


def main():
    build, document = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    executed, gaps = coverage_tables(build)
    sections = {
        "workloads": workload_table(build),
        "coverage": executed,
        "gaps": gaps,
        "throughput": throughput_table(build),
    }
    text = document.read_text()
    for name, rows in sections.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        text, found = pattern.subn(lambda m: m[1] + "\n".join(rows) + "\n" + m[2], text)
        if found != 1:
            sys.exit(f"{document}: found {found} sections '{name}', expected 1")
    partial = document.with_suffix(".md.part")
    partial.write_text(text)
    partial.replace(document)
    print(f"{document}: figures written")
    print("\n".join(executed))


if __name__ == "__main__":
    main()
