"""Validates the golden events against the published JSON Schemas with the package jsonschema; fails on the first event refused.

Arguments: the root of the checkout. Prints the number of validations of each draft as JSON.
"""

import copy
import json
import pathlib
import sys

from jsonschema import Draft7Validator, Draft202012Validator

root = pathlib.Path(sys.argv[1])
schemas = root / "docs" / "reference" / "schemas"
drafts = {"2020-12": (Draft202012Validator, schemas), "draft-07": (Draft7Validator, schemas / "draft-07")}


def validator_of(draft, path):
    schema = json.loads(path.read_text())
    draft.check_schema(schema)
    return draft(schema, format_checker=draft.FORMAT_CHECKER)


def assert_refused(validator, data):
    """A validator that refuses nothing proves nothing."""
    wrong = copy.deepcopy(data)
    wrong["ca"] = "not an object"
    if validator.is_valid(wrong):
        raise AssertionError("a wrong member is not refused")


def validate_all(draft, directory):
    envelope = validator_of(draft, directory / "envelope.json")
    of_kind = {path.name.removesuffix(".v1.json"): validator_of(draft, path) for path in directory.glob("*.v1.json")}
    events = sorted((root / "test" / "fixtures" / "golden").glob("*/*.json"))
    for path in events:
        event = json.loads(path.read_text())
        for validator, value in ((envelope, event), (of_kind[path.stem], event["data"])):
            for error in validator.iter_errors(value):
                raise AssertionError(f"{path}: {error.json_path}: {error.message}")
        assert_refused(of_kind[path.stem], event["data"])
    return len(events)


print(json.dumps({name: validate_all(*draft) for name, draft in drafts.items()}))
