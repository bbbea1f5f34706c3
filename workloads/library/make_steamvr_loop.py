#!/usr/bin/env python3
"""Makes steamvr-loop.json: the closed loop that could have produced steamvr-amdgpu.json.

Usage: make_steamvr_loop.py JOBS.csv [OUTPUT]

The table is the one that make_steamvr.py takes. What the open-loop form lists job by job is here two
programs that repeat once a frame, with the frame time, the gaps and the sizes of the jobs measured
from the recording (means and standard deviations, rounded to a tenth of a microsecond).
"""

import csv
import os
import statistics
import sys

from library_writer import write_workload
from make_steamvr import ORIGIN

ABOUT = (
    "The SteamVR session of steamvr-amdgpu.json as the loop that produced it: 213 frames. The display's "
    "refresh is the clock. The compositor submits its main job (about 5 ms), works on for 3.9 ms, "
    "submits a tiny second one, waits for that and then for the next refresh; Xorg submits its job "
    "(0.36 ms) 1.84 ms into the frame, waits for it and for the next refresh. Sizes and the gap "
    "are drawn from distributions with the recording's means and deviations. Unlike the recording, "
    "the loop answers: with a slower GPU or another client in the way, frames come late and periods "
    "are missed."
)


def us(value):
    return f"{value:.1f}us"


def normal(values):
    return {"normal": [us(statistics.mean(values)), us(statistics.pstdev(values))]}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: make_steamvr_loop.py JOBS.csv [OUTPUT]")
    output = sys.argv[2] if len(sys.argv) == 3 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "steamvr-loop.json")
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["complete"] == "1"]
    rows.sort(key=lambda row: float(row["submit_us"]))
    main_jobs = [row for row in rows if row["process"] == "vrcompositor" and row["num_ibs"] == "3"]
    late_jobs = [row for row in rows if row["process"] == "vrcompositor" and row["num_ibs"] == "1"]
    xorg_jobs = [row for row in rows if row["process"] == "Xorg"]
    frames = len(main_jobs)
    if not frames == len(late_jobs) == len(xorg_jobs) == len(rows) // 3:
        raise ValueError("not three jobs a frame")

    def times(jobs, column="submit_us"):
        return [float(job[column]) for job in jobs]

    def gaps(earlier, later):
        return [b - a for a, b in zip(times(earlier), times(later))]

    period = us((times(rows)[-3] - times(rows)[0]) / (frames - 1))
    compositor = {
        "name": "vrcompositor", "repeat": frames,
        "entities": [{"id": "vrcompositor/gfx", "rings": ["gfx"]}],
        "program": [
            {"submit": {"entity": "vrcompositor/gfx", "duration": normal(times(main_jobs, "busy_us"))}},
            {"sleep": normal(gaps(main_jobs, late_jobs))},
            # Small and very uneven: mean and deviation are about the same.
            {"submit": {"entity": "vrcompositor/gfx", "as": "late", "duration": {
                "exponential": us(statistics.mean(times(late_jobs, "busy_us")))}}},
            {"wait": "late"},
            {"period": period},
        ]}
    xorg = {
        "name": "Xorg", "repeat": frames, "start": us(statistics.mean(gaps(main_jobs, xorg_jobs))),
        "entities": [{"id": "Xorg/gfx", "rings": ["gfx"]}],
        "program": [
            {"submit": {"entity": "Xorg/gfx", "as": "frame",
                        "duration": normal(times(xorg_jobs, "busy_us"))}},
            {"wait": "frame"},
            {"period": period},
        ]}
    write_workload(output, "SteamVR on amdgpu, as a loop", ABOUT, origin=ORIGIN,
                   clients=[compositor, xorg])


if __name__ == "__main__":
    main()
