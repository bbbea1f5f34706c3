#!/usr/bin/env python3
"""Makes the kunit-*.json workloads from a table of the kernel's KUnit scheduling-quality cases.

Usage: make_kunit.py CASES.csv [FOLDER]

The table has one line a client, with the parameters of drivers/gpu/drm/scheduler/tests/
tests_scheduler.c (Linux, commit 637315cb400e): suite, case, client, priority, job_cnt, job_us,
wait_us, sync. A client goes round a loop: submit job_cnt jobs of job_us; if sync, wait for the last;
sleep wait_us. It goes round ceil(D / (job_cnt * job_us + wait_us)) times. D is one second; with many
clients 1000 ms divided by their number, in whole milliseconds.

The cases with an interactive client are made a second time with the slack of the kernel's fsleep(),
which lets a sleep take up to a quarter longer: exact periods of 10 ms on both sides lock in step,
which no machine does.
"""

import csv
import os
import sys

from library_writer import write_workload

# Case of the table: file, roles of the clients.
CASES = {
    "Normal priority and normal priority": ("normal-normal", ["normal-1", "normal-2"]),
    "Normal priority and low priority": ("normal-low", ["normal", "low"]),
    "High priority and normal priority": ("high-normal", ["high", "normal"]),
    "High priority and low priority": ("high-low", ["high", "low"]),
    "50% and 50%": ("50-50", ["short", "long"]),
    "50% and 50% low priority": ("50-50-low", ["short", "long-low"]),
    "50% high priority and 50%": ("50-high-50", ["short-high", "long"]),
    "Low priority hog and interactive client": ("low-hog", ["hog", "interactive"]),
    "Heavy rendering and interactive client": ("heavy", ["heavy", "interactive"]),
    "Very heavy rendering and interactive client": ("very-heavy", ["heavy", "interactive"]),
}

ORIGIN = {
    "source": "the kernel's KUnit test of drm/sched, drivers/gpu/drm/scheduler/tests/"
              "tests_scheduler.c (torvalds/linux, commit 637315cb400e)",
    "taken": "the parameters of the case",
}


def us(number):
    return f"{number}us"


def client_of(name, row, duration_ms, slack=False):
    """A client that goes round the loop of the test."""
    jobs, job_us, wait_us = int(row["job_cnt"]), int(row["job_us"]), int(row["wait_us"])
    sync = row["sync"] == "true"
    entity = f"{name}/gfx"
    submit = {"entity": entity, "duration": us(job_us)}
    if jobs != 1:
        submit["count"] = jobs
    if sync:
        submit["as"] = "last"
    program = [{"submit": submit}]
    if sync:
        program.append({"wait": "last"})
    if wait_us:
        program.append({"sleep": {"uniform": [us(wait_us), f"{wait_us * 1250}ns"]} if slack and wait_us >= 10
                        else us(wait_us)})
    return {"name": name, "repeat": -(-duration_ms * 1000 // (jobs * job_us + wait_us)),
            "entities": [{"id": entity, "rings": ["gfx"], "priority": row["priority"].lower()}],
            "program": program}


def sentence(client, row, slack=False):
    jobs = f'{row["job_cnt"]} x ' if row["job_cnt"] != "1" else ""
    text = f'{client["name"]} ({row["priority"].lower()} priority) submits {jobs}{row["job_us"]} us'
    if row["sync"] == "true":
        text += " and waits for it" if row["job_cnt"] == "1" else " and waits for the last"
    if row["wait_us"] != "0":
        text += f', then sleeps {row["wait_us"]} us'
        if slack and int(row["wait_us"]) >= 10:
            text += ' or up to a quarter longer'
    return f'{text}, {client["repeat"]} times.'


def two_clients(title, rows, folder):
    file, roles = CASES[title]
    clients = [client_of(role, row, 1000) for role, row in zip(roles, rows)]
    about = ("A scheduling-quality case of the kernel's KUnit tests, run there with credit limits of "
             "1 and 2: " + " ".join(sentence(c, r) for c, r in zip(clients, rows)))
    write_workload(os.path.join(folder, f"kunit-{file}.json"), "KUnit: " + title, about,
                   origin=ORIGIN, clients=clients)
    if "interactive" not in roles:
        return
    clients = [client_of(role, row, 1000, slack=True) for role, row in zip(roles, rows)]
    about = ("The case of the kernel's KUnit tests with sleeps as a machine has them: the kernel's fsleep() may "
             "take up to a quarter longer than asked. "
             + " ".join(sentence(c, r, slack=True) for c, r in zip(clients, rows)))
    write_workload(os.path.join(folder, f"kunit-{file}-slack.json"), "KUnit, sleeps with slack: " + title, about,
                   origin=ORIGIN, clients=clients)


def many_clients(title, row, folder):
    count = int(title.split()[0])
    clients = [client_of(f"c{n:02}", row, 1000 // count) for n in range(count)]
    about = (f"A scheduling-quality case of the kernel's KUnit tests, run there with a credit limit of "
             f'2: {count} clients alike. Each submits {row["job_cnt"]} x {row["job_us"]} us and waits '
             f'for the last, {clients[0]["repeat"]} times.')
    write_workload(os.path.join(folder, f"kunit-clients-{count}.json"), "KUnit: " + title, about,
                   origin=ORIGIN, clients=clients)


def overhead(title, row, folder):
    """One client each; the jobs would take a second if scheduling took no time."""
    jobs, job = int(row["job_cnt"]), us(int(row["job_us"]))
    if title == "queue_overhead":
        entities = ["client/gfx"]
        program = [{"submit": {"entity": "client/gfx", "duration": job, "count": jobs, "as": "last"}},
                   {"wait": "last"}]
        what = f"one entity gets {jobs} jobs of {job} at once"
    else:
        entities = ["client/ping", "client/pong"]
        ping = {"entity": "client/ping", "duration": job, "as": "ping"}
        pong = {"entity": "client/pong", "duration": job, "as": "pong", "after": ["ping"]}
        rest = [{"submit": {**ping, "after": ["pong"]}}, {"submit": pong}]
        program = [{"submit": ping}, {"submit": pong},
                   {"loop": {"count": jobs // 2 - 1, "steps": rest}}, {"wait": "pong"}]
        what = f"two entities get {jobs} jobs of {job} in turn, each depending on the one before it"
    client = {"name": "client", "entities": [{"id": e, "rings": ["gfx"]} for e in entities],
              "program": program}
    about = (f"An overhead case of the kernel's KUnit tests, run there with a credit limit of 1: {what}. "
             "Whatever the run takes beyond one second is the cost of scheduling.")
    write_workload(os.path.join(folder, f'kunit-{title.replace("_", "-")}.json'),
                   "KUnit: " + title.replace("_", " "), about, origin=ORIGIN, clients=[client])


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: make_kunit.py CASES.csv [FOLDER]")
    folder = sys.argv[2] if len(sys.argv) == 3 else os.path.dirname(os.path.abspath(__file__))
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_case = {}
    for row in rows:
        by_case.setdefault((row["suite"], row["case"]), []).append(row)
    for (suite, title), lines in by_case.items():
        if suite == "two_clients":
            two_clients(title, lines, folder)
        elif suite == "many_clients":
            many_clients(title, lines[0], folder)
        else:
            overhead(title, lines[0], folder)


if __name__ == "__main__":
    main()
