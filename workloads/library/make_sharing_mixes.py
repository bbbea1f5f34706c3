#!/usr/bin/env python3
"""Makes the mixes in which fences travel between processes, browser-mix.json and compute-mix.json.

Usage: make_sharing_mixes.py [FOLDER]

They are what docs/lifetime-costs.md is made from: who holds on to a fence, and for how long, is what
a lifetime policy has to pay for.
"""

import os
import sys

from library_writer import write_workload

BROWSER = (
    "Five seconds of a browser under a compositor. Six tabs raster their tiles and put the fence of the last one "
    "into the dma_resv of their buffer; a compositor with high priority waits for all of them and puts "
    "its frame into a sync_file that the display holds until the next one replaces it. A recorder "
    "holds on to a frame of each tab until it has encoded them, a second later; a debugging tool has the "
    "display's sync_file open and looks at it at the end. Tabs come and go: two close after two seconds, one is killed after three, and what "
    "they shared stays where it is. Compare what is pinned under each lifetime policy, and who holds it."
)

COMPUTE = (
    "Five seconds of a compute node. A training job keeps batches of four kernels of 8 ms in its queue "
    "and puts each batch on a timeline syncobj; a second process checkpoints behind every batch on the copy "
    "ring; three inference clients of normal priority answer requests at random times and share the result's "
    "fence through a syncobj each; a monitor has all of them open and polls them twice a second. "
    "Compare what is pinned under each lifetime policy, and what each job costs."
)


def client(name, entities, program, **more):
    return {"name": name, **more, "entities": entities, "program": program}


def entity(name, ring="gfx", **more):
    return {"id": name, "rings": [ring], **more}


def submit(entity_id, duration, **more):
    return {"submit": {"entity": entity_id, "duration": duration, **more}}


def browser():
    tabs = [f"tab{i}" for i in range(1, 7)]
    clients = [
        client(tab, [entity(f"{tab}/gfx")], [
            submit(f"{tab}/gfx", {"exponential": "450us"}, count=3, **{"as": "tiles"}),
            {"export": {"fence": "tiles", "to": "resv", "as": f"buffer of {tab}"}},
            {"wait": "tiles"},
            {"period": "16.667ms"},
        ], repeat=300, start=f"{i}ms")
        for i, tab in enumerate(tabs)
    ]
    clients.append(client("compositor", [entity("compositor/gfx", priority="high")], [
        *[{"import": f"buffer of {tab}"} for tab in tabs],
        submit("compositor/gfx", "1.2ms", after=[f"buffer of {tab}" for tab in tabs],
               **{"as": "frame"}),
        {"export": {"fence": "frame", "to": "sync_file", "as": "display"}},
        {"wait": "frame"},
        {"period": "16.667ms"},
    ], repeat=300, start="8ms"))
    clients.append(client("recorder", [entity("recorder/video", "video")], [
        *[{"import": f"buffer of {tab}"} for tab in tabs],
        {"sleep": "1s"},
        *[submit("recorder/video", "2ms", after=[f"buffer of {tab}"]) for tab in tabs],
        *[{"close": f"buffer of {tab}"} for tab in tabs],
    ], repeat=4, start="500ms"))
    clients.append(client("debugger", [entity("debugger/gfx")], [
        {"import": "display"},
        {"sleep": "4.5s"},
        {"query": "display"},
    ], start="100ms"))
    actions = [
        {"at": "2s", "do": "exit", "client": "tab2"},
        {"at": "2s", "do": "exit", "client": "tab5"},
        {"at": "3s", "do": "exit", "client": "tab3", "how": "killed"},
    ]
    return clients, actions


def compute():
    services = [f"inference{i}" for i in range(1, 4)]
    clients = [
        client("training", [entity("training/compute", "compute", priority="low")], [
            submit("training/compute", "8ms", count=4, **{"as": "batch"}),
            {"export": {"fence": "batch", "to": "chain", "as": "progress"}},
            {"wait": "batch"},
        ], repeat=120),
        client("checkpoint", [entity("checkpoint/copy", "copy")], [
            {"import": "progress"},
            submit("checkpoint/copy", "3ms", after=["progress"], **{"as": "copy"}),
            {"wait": "copy"},
            {"period": "40ms"},
        ], repeat=120, start="10ms"),
    ]
    clients += [
        client(service, [entity(f"{service}/compute", "compute")], [
            {"sleep": {"exponential": "12ms"}},
            submit(f"{service}/compute", {"normal": ["1.5ms", "200us"]}, **{"as": "layer"}),
            submit(f"{service}/compute", {"normal": ["900us", "100us"]}, after=["layer"],
                   **{"as": "answer"}),
            {"export": {"fence": "answer", "to": "syncobj", "as": f"answer of {service}"}},
            {"wait": "answer"},
        ], repeat=300, start=f"{3 * i}ms")
        for i, service in enumerate(services)
    ]
    clients.append(client("monitor", [entity("monitor/copy", "copy")], [
        {"import": "progress"},
        *[{"import": f"answer of {service}"} for service in services],
        {"poll": "progress"},
        *[{"poll": f"answer of {service}"} for service in services],
        {"period": "500ms"},
    ], repeat=10, start="200ms"))
    return clients, []


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, title, about, (clients, actions) in [
            ("browser-mix", "browser mix", BROWSER, browser()),
            ("compute-mix", "compute mix", COMPUTE, compute())]:
        write_workload(os.path.join(folder, name + ".json"), title, about, clients=clients,
                       actions=actions)


if __name__ == "__main__":
    main()
