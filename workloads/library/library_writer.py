"""Writes a workload the way the bundled ones are laid out: one entity, job or action a line."""

import json


def write_workload(path, name, about, entities, jobs, origin=None, actions=()):
    """Writes the document. `jobs` must be in the order of their time of submission."""

    def text(value):
        return json.dumps(value, ensure_ascii=False)

    def section(key, items):
        lines = ",\n".join("    " + text(item) for item in items)
        return f'  "{key}": [\n{lines}\n  ]'

    parts = ['  "format": "fenceline/workload",\n  "version": 1',
             f'  "name": {text(name)}', f'  "about": {text(about)}']
    if origin is not None:
        inner = json.dumps(origin, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        parts.append(f'  "origin": {inner}')
    parts.append(section("entities", entities))
    parts.append(section("jobs", jobs))
    if actions:
        parts.append(section("actions", actions))
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")
