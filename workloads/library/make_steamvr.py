#!/usr/bin/env python3
"""Makes steamvr-amdgpu.json from a table of the jobs in gpuvis's amdgpu capture.

Usage: make_steamvr.py JOBS.csv [OUTPUT]

The table has one line a job, with times in microseconds with three decimals:

    job_id       the kernel's number of the job
    process      who submitted it
    ring         where it ran
    finished_ctx the context of its finished fence, of which drm/sched has one per entity
    submit_us    amdgpu_cs_ioctl
    busy_us      from hardware start (the later of run_job and the end of the job before it on the
                 ring) to the signal of its hardware fence
    complete     1 where the whole life of the job was recorded: the capture's per-CPU buffers start
                 at different times, so what lies before they all have begun is partial, not idle

Only complete jobs are taken. The first one's submission becomes time 0, every time is exact to the
nanosecond, and jobs are numbered from 0 in the order in which the kernel numbered them.
"""

import csv
import os
import sys
from decimal import Decimal

from library_writer import write_workload

ABOUT = (
    "A recorded SteamVR session: 213 frames at 89.5 Hz on the graphics ring of an AMD GPU. Each frame "
    "is three jobs: the compositor's main job (about 5 ms) shortly before the vblank, Xorg's (about "
    "0.36 ms) just after it, and a tiny second one of the compositor 2 ms later. The third is pushed "
    "while the other two are on the ring, and in the recording it was held back for more than a "
    "millisecond, until the first had finished: what a credit limit of 2 does. With that limit, a "
    "wakeup cost of 32.6 us and a free_job cost of 4.7 us, the replay starts every job within 60 us "
    "of the recorded time; with a limit of 1 or 3 it is off by milliseconds."
)

ORIGIN = {
    "source": "gpuvis, https://github.com/mikesart/gpuvis, traces/amdgpu_trace.zip",
    "licence": "MIT, (c) 2018 Valve Corporation",
    "recorded": "2017-07-19, Linux 4.11-rc4, amdgpu, SteamVR compositor",
    "taken": "facts measured from the recording: who submitted what when, and how long the GPU was "
             "busy with it; the recording itself is not included",
}


def nanoseconds(microseconds):
    value = Decimal(microseconds) * 1000
    if value != value.to_integral_value():
        raise ValueError(f"{microseconds} us is not a whole number of nanoseconds")
    return int(value)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: make_steamvr.py JOBS.csv [OUTPUT]")
    output = sys.argv[2] if len(sys.argv) == 3 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "steamvr-amdgpu.json")
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["complete"] == "1"]
    rows.sort(key=lambda row: nanoseconds(row["submit_us"]))
    first_submit = nanoseconds(rows[0]["submit_us"])
    first_id = int(rows[0]["job_id"])

    # One entity per fence context. A process with a second context on a ring would need a number.
    entities = {}
    for row in rows:
        entity_id = f'{row["process"]}/{row["ring"]}'
        entity = entities.setdefault(row["finished_ctx"], {
            "id": entity_id, "client": row["process"], "rings": [row["ring"]]})
        if entity["id"] != entity_id:
            raise ValueError(f'fence context {row["finished_ctx"]} has two owners')
    if len({entity["id"] for entity in entities.values()}) != len(entities):
        raise ValueError("a process has several contexts on one ring")

    jobs = [{"id": int(row["job_id"]) - first_id,
             "at": nanoseconds(row["submit_us"]) - first_submit,
             "entity": entities[row["finished_ctx"]]["id"],
             "duration": nanoseconds(row["busy_us"])} for row in rows]
    origin = dict(ORIGIN)
    origin["window"] = {"first_job": f"job {first_id} of the recording is job 0 here",
                        "begins": f'{rows[0]["submit_us"]} us after the first event recorded',
                        "jobs": len(jobs)}
    write_workload(output, "SteamVR on amdgpu", ABOUT, list(entities.values()), jobs, origin)


if __name__ == "__main__":
    main()
