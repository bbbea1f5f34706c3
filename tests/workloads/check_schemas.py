"""Says for each document whether it agrees with its schema: a line "valid FILE" or "invalid FILE".

Usage: check_schemas.py SCHEMA_FOLDER FILE...
A file's name begins with the schema it belongs to: workload-*.json, config-*.json, scenario-*.json.
Exits with 77 when the jsonschema module (Debian: python3-jsonschema) is not there.
"""
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)


def make_validators(schemas):
    """One for each schema; schemas refer to each other. Debian 12 has a jsonschema without registries."""
    by_id = {schema["$id"]: schema for schema in schemas.values()}
    validator = jsonschema.Draft202012Validator
    try:
        from referencing import Registry, Resource
        registry = Registry().with_resources(
            (identity, Resource.from_contents(schema)) for identity, schema in by_id.items())
        return {name: validator(schema, registry=registry) for name, schema in schemas.items()}
    except ImportError:
        return {name: validator(schema, resolver=jsonschema.RefResolver.from_schema(schema, store=by_id))
                for name, schema in schemas.items()}


def main():
    folder, files = sys.argv[1], sys.argv[2:]
    schemas = {}
    for name in ("workload", "config", "scenario"):
        with open(os.path.join(folder, name + ".schema.json"), encoding="utf-8") as file:
            schemas[name] = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schemas[name])
    validators = make_validators(schemas)
    for path in files:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        validator = validators[os.path.basename(path).split("-")[0]]
        print("valid" if validator.is_valid(document) else "invalid", path)


main()
