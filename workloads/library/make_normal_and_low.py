#!/usr/bin/env python3
"""Makes normal-and-low.json: two clients of different priority with a second of work each.

Usage: make_normal_and_low.py [OUTPUT]
"""

import os
import sys

from library_writer import write_workload

JOBS = 125
DURATION = 8_000_000

ABOUT = (
    "Two clients, one of normal and one of low priority, each of which pushes a second of work at once: "
    "125 jobs of 8 ms. With a run queue per priority (fifo and rr) the low client gets nothing until the "
    "normal one is through, at 1 s. Under fair virtual time runs eight times as fast for low as for "
    "normal, so the low client gets one part in nine until the normal one is through, at about 1.125 s. "
    "The pattern is that of the case \"Normal and low\" among the kernel's own tests of the scheduler."
)

ENTITIES = [
    {"id": "normal/gfx", "rings": ["gfx"]},
    {"id": "low/gfx", "rings": ["gfx"], "priority": "low"},
]


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: make_normal_and_low.py [OUTPUT]")
    output = sys.argv[1] if len(sys.argv) == 2 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "normal-and-low.json")
    jobs = [{"id": client * JOBS + number, "at": 0, "entity": entity["id"], "duration": DURATION}
            for client, entity in enumerate(ENTITIES) for number in range(JOBS)]
    write_workload(output, "normal and low", ABOUT, ENTITIES, jobs)


if __name__ == "__main__":
    main()
