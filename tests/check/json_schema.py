# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The part of JSON Schema (draft 2020-12) that the schemas under rules/schema/ use."""
import re

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "number": (int, float)}


def unique(pairs):
    """JSON objects with a name twice are read as if the first were not there; refuse them."""
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"twice in one object: {', '.join(twice)}")
    return dict(pairs)


def is_kind(value, kind):
    return isinstance(value, KINDS[kind]) and (kind == "boolean") >= isinstance(value, bool)


def resolve(schema, root):
    while "$ref" in schema:
        target = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def validate_members(value, schema, root, where):
    if len(value) < schema.get("minProperties", 0):
        yield f"{where[:-1]}: too few members"
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}{name}: missing"
    rest = schema.get("additionalProperties", True)
    for name, member in value.items():
        if "propertyNames" in schema:
            yield from validate(name, schema["propertyNames"], root, f"{where}{name}.")
        if name in schema.get("properties", {}):
            yield from validate(member, schema["properties"][name], root, f"{where}{name}.")
        elif rest is False:
            yield f"{where}{name}: unknown"
        elif rest is not True:
            yield from validate(member, rest, root, f"{where}{name}.")


def validate(value, schema, root, where):
    """Yields what is wrong; `where` names the value and ends with a dot, or is empty."""
    schema = resolve(schema, root)
    if "oneOf" in schema:
        tries = [list(validate(value, one, root, where)) for one in schema["oneOf"]]
        if sum(not wrong for wrong in tries) != 1:
            # the alternative that comes nearest says most
            yield from min(tries, key=len) or [f"{where[:-1]}: fits more than one alternative"]
        return
    kind = schema.get("type")
    if kind and not is_kind(value, kind):
        yield f"{where[:-1]}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where[:-1]}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where[:-1]}: {value!r} does not match {schema['pattern']}"
    if kind in ("integer", "number"):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{where[:-1]}: {value} is out of range"
    if kind == "array":
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{where[:-1]}: too short or too long"
        for item in value:
            yield from validate(item, schema.get("items", {}), root, where)
    if kind == "object":
        yield from validate_members(value, schema, root, where)
