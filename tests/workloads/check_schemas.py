"""Says for each document whether it agrees with its schema: a line "valid FILE" or "invalid FILE".

Usage: check_schemas.py SCHEMA_FOLDER FILE...
A file's name begins with the schema it belongs to: workload-*.json, config-*.json.
Exits with 77 when the jsonschema module (Debian: python3-jsonschema) is not there.
"""
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)


def main():
    folder, files = sys.argv[1], sys.argv[2:]
    validators = {}
    for name in ("workload", "config"):
        with open(os.path.join(folder, name + ".schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)
    for path in files:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        validator = validators[os.path.basename(path).split("-")[0]]
        print("valid" if validator.is_valid(document) else "invalid", path)


main()
