#!/usr/bin/env python3
"""Makes the mixes of interactive and batch clients, desktop-loop.json and workstation-loop.json.

Usage: make_mixes.py [FOLDER]

All clients repeat for ever: the run's `until` ends them.
"""

import os
import sys

from library_writer import write_workload

DESKTOP = (
    "A busy desktop in closed loop, until the run ends: a game that draws 60 frames a second in three "
    "jobs each, a compositor with high priority that puts the game's latest frame on the screen, a "
    "browser that rasters bursts of tiles at random times, a video player at 24 frames a second "
    "whose decoder has a ring of its own, and a batch compute job of low priority that always has two "
    "jobs of about 6 ms in the queue (an iteration is 21 of them). The batch job takes what the others leave, and a ring cannot be "
    "preempted: see what that does to frame times, under which policy and credit limit, or with the "
    "batch job at normal priority."
)

WORKSTATION = (
    "A workstation shared by interactive and batch clients of the same priority, until the run ends: an "
    "editor that redraws 5 ms after the frame before is done, a head-mounted display at 90 frames a "
    "second, an inference service whose requests come at random and are three dependent jobs each, "
    "and a training job that keeps four jobs of 12 ms in the queue. Nothing but the policy stands "
    "between the training job and the others."
)


def client(name, entities, program, **more):
    return {"name": name, "repeat": "forever", **more, "entities": entities, "program": program}


def entity(name, ring="gfx", **more):
    return {"id": name, "rings": [ring], **more}


def submit(entity_id, duration, **more):
    return {"submit": {"entity": entity_id, "duration": duration, **more}}


def desktop():
    return [
        client("game", [entity("game/gfx")], [
            submit("game/gfx", {"normal": ["2.4ms", "300us"]}, count=3, **{"as": "frame"}),
            {"export": {"fence": "frame", "to": "syncobj", "as": "game frame"}},
            {"wait": "frame"},
            {"period": "16.667ms"},
        ]),
        client("compositor", [entity("compositor/gfx", priority="high")], [
            {"import": "game frame"},
            submit("compositor/gfx", "1.1ms", after=["game frame"], **{"as": "screen"}),
            {"wait": "screen"},
            {"period": "16.667ms"},
        ], start="4ms"),
        client("browser", [entity("browser/gfx")], [
            {"sleep": {"exponential": "45ms"}},
            submit("browser/gfx", {"uniform": ["400us", "1.8ms"]}, count=5, **{"as": "tiles"}),
            {"wait": "tiles"},
        ]),
        client("player", [entity("player/decode", "video"), entity("player/gfx")], [
            submit("player/decode", {"normal": ["4ms", "800us"]}, **{"as": "decoded"}),
            submit("player/gfx", "900us", after=["decoded"], **{"as": "shown"}),
            {"wait": "shown"},
            {"period": "41.667ms"},
        ]),
        client("batch", [entity("batch/compute", priority="low")], [
            submit("batch/compute", {"normal": ["6ms", "500us"]}, **{"as": "first"}),
            {"loop": {"count": 10, "steps": [
                submit("batch/compute", {"normal": ["6ms", "500us"]}, **{"as": "second"}),
                {"wait": "first"},
                submit("batch/compute", {"normal": ["6ms", "500us"]}, **{"as": "first"}),
                {"wait": "second"},
            ]}},
        ]),
    ]


def workstation():
    return [
        client("editor", [entity("editor/gfx")], [
            submit("editor/gfx", {"uniform": ["800us", "2ms"]}, **{"as": "view"}),
            {"wait": "view"},
            {"sleep": "5ms"},
        ]),
        client("headset", [entity("headset/gfx")], [
            submit("headset/gfx", {"normal": ["2.2ms", "200us"]}, **{"as": "eyes"}),
            {"wait": "eyes"},
            {"period": "11.111ms"},
        ]),
        client("inference", [entity("inference/compute")], [
            {"sleep": {"exponential": "25ms"}},
            submit("inference/compute", "1ms", **{"as": "embed"}),
            submit("inference/compute", {"normal": ["2.5ms", "600us"]}, after=["embed"],
                   **{"as": "layers"}),
            submit("inference/compute", "500us", after=["layers"], **{"as": "answer"}),
            {"wait": "answer"},
        ]),
        client("training", [entity("training/compute")], [
            submit("training/compute", "12ms", count=4, **{"as": "batch"}),
            {"wait": "batch"},
            {"sleep": "300us"},
        ]),
    ]


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: make_mixes.py [FOLDER]")
    folder = sys.argv[1] if len(sys.argv) == 2 else os.path.dirname(os.path.abspath(__file__))
    write_workload(os.path.join(folder, "desktop-loop.json"), "desktop in closed loop", DESKTOP,
                   clients=desktop())
    write_workload(os.path.join(folder, "workstation-loop.json"), "workstation in closed loop",
                   WORKSTATION, clients=workstation())


if __name__ == "__main__":
    main()
