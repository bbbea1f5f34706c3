#!/usr/bin/env python3
"""Makes compute-hog.json: an interactive client against one that keeps the ring full.

Usage: make_compute_hog.py [OUTPUT]
"""

import os
import sys

from library_writer import write_workload

MS = 1_000_000
SECONDS = 3
FRAME = 16_666_667       # 60 Hz
FRAME_JOB = 2 * MS
BATCH = 500 * MS         # the hog submits in batches,
BATCH_JOBS = 40          # each of so many jobs,
HOG_JOB = 10 * MS        # each so long: 80 % of the ring

ABOUT = (
    "A client that draws at 60 Hz (2 ms a frame) and a batch client that pushes forty compute jobs of "
    "10 ms twice a second, both of normal priority on one ring that has room for both (80 % and 12 %). "
    "Under fifo the entity whose oldest job was pushed first goes first, so a frame waits behind the "
    "whole batch that was pushed before it. Under rr the two entities take turns, and a frame waits for "
    "what is on the ring and one more hog job at most. Under fair a frame joins in front of the hog, "
    "whose jobs are longer than the average, and waits for what is on the ring. Compare the frames' "
    "queue delay."
)

ENTITIES = [
    {"id": "interactive/gfx", "rings": ["gfx"]},
    {"id": "hog/compute", "rings": ["gfx"]},
]


def all_jobs():
    for n in range(SECONDS * 1_000 * MS // BATCH):
        for _ in range(BATCH_JOBS):
            yield n * BATCH, "hog/compute", HOG_JOB
    for n in range(SECONDS * 1_000 * MS // FRAME):
        yield n * FRAME + 1 * MS, "interactive/gfx", FRAME_JOB


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: make_compute_hog.py [OUTPUT]")
    output = sys.argv[1] if len(sys.argv) == 2 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "compute-hog.json")
    jobs = [{"id": number, "at": at, "entity": entity, "duration": duration}
            for number, (at, entity, duration) in enumerate(sorted(all_jobs(), key=lambda j: j[0]))]
    write_workload(output, "compute hog", ABOUT, ENTITIES, jobs)


if __name__ == "__main__":
    main()
