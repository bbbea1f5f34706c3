#!/usr/bin/env python3
"""Makes desktop-mix.json: five seconds of an ordinary desktop on three rings.

Usage: make_desktop_mix.py [OUTPUT]

Nothing is drawn at random: sizes vary by the remainder of a multiplication, so that the file can be
made again from this text alone. All times are nanoseconds.
"""

import os
import sys

from library_writer import write_workload

US = 1_000
MS = 1_000_000
END = 5_000 * MS
FRAME = 16_666_667  # 60 Hz
FILM = 41_666_667   # 24 Hz

ABOUT = (
    "Five seconds of a desktop: a compositor at 60 Hz, a browser that rasters three or four tiles a "
    "frame, a video player at 24 Hz, and the kernel's own page-table updates and buffer moves. The "
    "kernel's jobs run with kernel priority on the copy ring (sdma); decoding runs on the video ring; "
    "everything else on gfx. Jobs wait for each other across rings: tiles for their page-table update "
    "and their upload, the player's colour conversion for the decoder, the compositor's frame for the "
    "latest tile and the latest film frame. Big tiles take two credits. Use it to see what a "
    "credit limit does: with a small one jobs stay in the scheduler, where order and priority still "
    "count; with a large one they go to the ring early, and nothing overtakes them there. The player's "
    "completion latency shows it best."
)

ENTITIES = [
    {"id": "kernel/pagetables", "rings": ["sdma"], "priority": "kernel"},
    {"id": "kernel/moves", "rings": ["sdma"], "priority": "kernel"},
    {"id": "compositor/gfx", "rings": ["gfx"], "priority": "high"},
    {"id": "browser/gfx", "rings": ["gfx"]},
    {"id": "browser/upload", "rings": ["sdma"]},
    {"id": "player/decode", "rings": ["video"]},
    {"id": "player/gfx", "rings": ["gfx"]},
]


def spread(n, step, modulus):
    """Numbers that look irregular and are not."""
    return n * step % modulus


def browser_frame(n, at):
    """Page tables and an upload on sdma, then the tiles, each of which needs both."""
    update = ("pagetables", n)
    upload = ("upload", n)
    yield at + 300 * US, update, "kernel/pagetables", 20 * US + spread(n, 7, 30) * US, [], 1
    yield at + 350 * US, upload, "browser/upload", 150 * US + spread(n, 37, 400) * US, [update], 1
    for tile in range(3 + n % 2):
        big = spread(n + tile, 13, 8) == 0
        duration = (4_500 if big else 1_500 + spread(3 * n + tile, 131, 1_600)) * US
        yield (at + 600 * US + tile * 250 * US, ("tile", n, tile), "browser/gfx", duration,
               [update, upload], 2 if big else 1)


def film_frame(n, at):
    decoded = ("decoded", n)
    yield at, decoded, "player/decode", 3_500 * US + spread(n, 211, 2_500) * US, [], 1
    yield at + 100 * US, ("converted", n), "player/gfx", 900 * US, [decoded], 1


def compositor_frame(n, at):
    """Draws what was submitted last: the tiles of this frame, the newest film frame before it."""
    newest_film = (at + FRAME) // FILM - 1
    after = [("tile", n, 2 + n % 2)]
    if newest_film >= 0:
        after.append(("converted", newest_film))
    # Once a second the whole screen changes.
    duration = 5_200 * US if n % 60 == 59 else 2_100 * US + spread(n, 17, 400) * US
    yield at + 3 * MS, ("frame", n), "compositor/gfx", duration, after, 1


def all_jobs():
    for n in range(END // FRAME):
        yield from browser_frame(n, n * FRAME)
        yield from compositor_frame(n, n * FRAME)
    for n in range(END // FILM):
        yield from film_frame(n, n * FILM)
    for n in range(END // (100 * MS)):
        # Memory is short now and then: a buffer of some megabytes is moved out.
        yield n * 100 * MS + 40 * MS, ("move", n), "kernel/moves", 600 * US + n % 5 * 300 * US, [], 1


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: make_desktop_mix.py [OUTPUT]")
    output = sys.argv[1] if len(sys.argv) == 2 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "desktop-mix.json")
    ids = {}
    jobs = []
    for at, key, entity, duration, after, credits in sorted(all_jobs(), key=lambda job: job[0]):
        ids[key] = len(jobs)
        job = {"id": ids[key], "at": at, "entity": entity, "duration": duration}
        if credits != 1:
            job["credits"] = credits
        if after:
            job["after"] = [ids[name] for name in after]
        jobs.append(job)
    write_workload(output, "desktop mix", ABOUT, ENTITIES, jobs)


if __name__ == "__main__":
    main()
