"""Writes a workload the way the bundled ones are laid out: one entity, job, step or action a line."""

import json


def text(value):
    return json.dumps(value, ensure_ascii=False)


def client_text(client):
    """A client: its program one step a line."""
    head = {key: value for key, value in client.items() if key != "program"}
    steps = ",\n".join("        " + text(step) for step in client["program"])
    return text(head)[:-1] + ',\n      "program": [\n' + steps + "\n      ] }"


def write_workload(path, name, about, entities=(), jobs=(), origin=None, clients=(), actions=()):
    """Writes the document. `jobs` must be in the order of their time of submission."""

    def section(key, items, layout=text):
        lines = ",\n".join("    " + layout(item) for item in items)
        return f'  "{key}": [\n{lines}\n  ]'

    parts = ['  "format": "fenceline/workload",\n  "version": 1',
             f'  "name": {text(name)}', f'  "about": {text(about)}']
    if origin is not None:
        inner = json.dumps(origin, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        parts.append(f'  "origin": {inner}')
    if entities:
        parts.append(section("entities", entities))
    if jobs:
        parts.append(section("jobs", jobs))
    if clients:
        parts.append(section("clients", clients, client_text))
    if actions:
        parts.append(section("actions", actions))
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")
