#!/usr/bin/env python3
"""Writes what of the clients follows from elsewhere in this repository, or says with --check what is out of date.

    python3 clients/generate.py [--check]

| Written | From |
|---|---|
| node/src/types.ts, python/src/billstack_referrals/types.py | openapi.json, as far as the clients have methods for it |
| python/src/billstack_referrals/_sync.py | _async.py, without its async |
| node/LICENSE, python/LICENSE | LICENSE, because a package goes where this repository does not |
| python/tests/matters.json | node/test/matters.json: both clients write the same bytes |
"""

import json
import keyword
import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / "python/src/billstack_referrals"
PROJECT = "/api/billstack/teams/{teamId}/projects/{projectId}"
NOTE = "Made from openapi.json by clients/generate.py; change nothing here."

# The calls that the clients have methods for. Whatever else there is has no types here and is called by `request`.
OPERATIONS = """
    list_customers create_customer get_customer update_customer delete_customer
    get_credit_balance get_credit_statement create_portal_session
    list_codes create_code get_code rename_code deactivate_code
    apply_code list_referrals get_referral list_referral_events
    list_credits get_credit create_credit release_credit reverse_credit settle_credit
    get_config put_config get_link_settings put_link_settings list_events
""".split()

# What would hide a word of the language.
RENAMED = {"Error": "RefusalBody"}

# Lists are read by cursor, so nobody gives these.
PAGING = {"limit", "offset", "cursor", "after"}


def main():
    document = Document(json.loads((HERE.parent / "openapi.json").read_text()))
    made = {
        HERE / "node/src/types.ts": typescript(document),
        PYTHON / "types.py": python(document),
        PYTHON / "_sync.py": without_async((PYTHON / "_async.py").read_text()),
        HERE / "python/tests/matters.json": (HERE / "node/test/matters.json").read_text(),
        **{HERE / name / "LICENSE": (HERE.parent / "LICENSE").read_text() for name in ("node", "python")},
    }
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"out of date: {path.relative_to(HERE.parent)}")
        if stale:
            sys.exit("run: python3 clients/generate.py")
        return
    for path in stale:
        path.write_text(made[path])
        print(f"written: {path.relative_to(HERE.parent)}")


class Document:
    """The part of the API document that the clients are about."""

    def __init__(self, document):
        self.document = document
        rename(document)
        schemas = document["components"]["schemas"]
        operations = self.operations()
        roots = {"Event", "RefusalBody"} | refs([operation.get("requestBody", {}) for operation in operations])
        for operation in operations:
            roots |= refs(list(operation["responses"].values()), self.resolve)
        names = set()
        while roots:
            name = roots.pop()
            if name not in names:
                names.add(name)
                roots |= refs(schemas[name])
        self.schemas = {name: schemas[name] for name in sorted(names)}
        self.queries = {query: members for query, members in map(self.query, operations) if members}
        # What shows what is in the way has a schema of its own, and a reason that is no other's.
        self.special = {
            schema["properties"]["reason"]["enum"][0]: name
            for name, schema in self.schemas.items()
            if name.endswith("Error")
        }
        self.reasons = self.schemas["RefusalBody"]["properties"]["reason"]["enum"] + list(self.special)

    def operations(self):
        by_id = {}
        for path, methods in self.document["paths"].items():
            if path.startswith(PROJECT):
                for operation in methods.values():
                    if isinstance(operation, dict) and "operationId" in operation:
                        by_id[operation["operationId"]] = operation
        missing = [name for name in OPERATIONS if name not in by_id]
        if missing:
            sys.exit(f"openapi.json has no {', '.join(missing)}")
        return [by_id[name] for name in OPERATIONS]

    def resolve(self, ref):
        found = self.document
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]
        return found

    def query(self, operation):
        parameters = [self.resolve(one["$ref"]) if "$ref" in one else one for one in operation["parameters"]]
        wanted = [one for one in parameters if one["in"] == "query" and one["name"] not in PAGING]
        members = {one["name"]: {**one["schema"], "description": one["description"]} for one in wanted}
        name = "".join(part.title() for part in operation["operationId"].split("_")) + "Query"
        required = [one["name"] for one in wanted if one["required"]]
        text = f"What `{operation['operationId']}` may be asked for."
        return name, members and {"description": text, "properties": members, "required": required}


def rename(document):
    """Gives schemas the names that they have in the clients, also where they are referred to."""
    schemas = document["components"]["schemas"]
    for old, new in RENAMED.items():
        schemas[new] = schemas.pop(old)
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            old = str(part.get("$ref", "")).removeprefix("#/components/schemas/")
            if old in RENAMED:
                part["$ref"] = f"#/components/schemas/{RENAMED[old]}"
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else []


def refs(part, resolve=None):
    """The names of the schemas that a part of the document names; by way of others, if it can resolve them."""
    if isinstance(part, list):
        return set().union(*(refs(one, resolve) for one in part))
    if not isinstance(part, dict):
        return set()
    found = set()
    for key, value in part.items():
        if key == "$ref":
            kind, name = value.split("/")[-2:]
            if kind == "schemas":
                found.add(name)
            elif resolve and kind == "responses":
                found |= refs(resolve(value), resolve)
        elif key not in ("example", "examples"):
            found |= refs(value, resolve)
    return found


def is_open_list(schema):
    """Whether words may be added to this list: any but that of the reasons, and no list of one."""
    words = schema.get("enum", [])
    return len(words) > 1 and "invalid_request" not in words


def parts_of(schema):
    """Name of what a schema extends, and its own properties."""
    own, bases = {}, []
    for part in schema.get("allOf", [schema]):
        if "$ref" in part:
            bases.append(part["$ref"].split("/")[-1])
        else:
            required = part.get("required", [])
            for name, member in part.get("properties", {}).items():
                own[name] = (member, name in required)
    return bases, own


def is_object(schema):
    return "allOf" in schema or "properties" in schema or schema.get("type") == "object"


def sentence(schema):
    return " ".join(schema.get("description", "").split())


# TypeScript


def typescript(document):
    out = [f"// {NOTE}", ""]
    out += ["/** Why a call was refused. The list is closed, and a reason keeps its meaning. */"]
    reasons = " | ".join(f'"{reason}"' for reason in sorted(document.reasons))
    out += ["export type Reason =", *(f"  {line}" for line in textwrap.wrap(reasons, 114))]
    out[-1] += ";"
    out += ["", "/** The refusals that show what is in the way. */", "export interface SpecialErrors {"]
    out += [f"  {reason}: {name};" for reason, name in sorted(document.special.items())] + ["}"]
    for name, schema in sorted({**document.schemas, **document.queries}.items()):
        out += ["", *ts_doc(sentence(schema), "")]
        if is_object(schema):
            bases, members = parts_of(schema)
            extends = f" extends {', '.join(bases)}" if bases else ""
            out.append(f"export interface {name}{extends} {{")
            for member, (inner, required) in members.items():
                out += ts_doc(sentence(inner), "  ")
                out.append(f"  {member}{'' if required else '?'}: {ts_type(inner)};")
            out.append("}")
        else:
            out.append(f"export type {name} = {ts_type(schema)};")
    return "\n".join(out) + "\n"


def ts_doc(text, indent):
    if not text:
        return []
    if len(indent) + len(text) + 7 <= 118:
        return [f"{indent}/** {text} */"]
    lines = textwrap.wrap(text, 114 - len(indent), break_long_words=False, break_on_hyphens=False)
    return [f"{indent}/**", *(f"{indent} * {line}" for line in lines), f"{indent} */"]


def ts_type(schema):
    if "$ref" in schema:
        return schema["$ref"].split("/")[-1]
    if "enum" in schema:
        words = " | ".join(json.dumps(word) for word in schema["enum"])
        return words + (" | (string & {})" if is_open_list(schema) else "")
    if "oneOf" in schema or "anyOf" in schema:
        return " | ".join(ts_type(one) for one in schema.get("oneOf") or schema["anyOf"])
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(ts_kind(kind, schema) for kind in kinds)


def ts_kind(kind, schema):
    if kind == "array":
        inner = ts_type(schema["items"])
        return f"Array<{inner}>" if " " in inner else f"{inner}[]"
    if kind == "object":
        return "Record<string, unknown>"
    plain = {"integer": "number", "any": "unknown"}
    return plain.get(kind, kind)


# Python


def python(document):
    out = [f'"""The words and shapes of the API. {NOTE}"""', "", "from __future__ import annotations", ""]
    out += ["from typing import Any, Literal, TypedDict", "", "Reason = Literal["]
    reasons = ", ".join(f'"{reason}"' for reason in sorted(document.reasons))
    out += [f"    {line}" for line in textwrap.wrap(reasons, 114)] + ["]"]
    shapes, names = [], []
    for name, schema in sorted({**document.schemas, **document.queries}.items(), key=by_need(document)):
        names.append(name)
        if is_object(schema):
            shapes += ["", "", *py_class(name, schema)]
        else:
            shapes += ["", "", *(f"# {line}" for line in textwrap.wrap(sentence(schema), 114))]
            shapes += py_alias(name, schema)
    return "\n".join(out + shapes) + "\n"


def by_need(document):
    """Sorts what others are made of in front of them: aliases are evaluated, and so are bases."""

    def depth(name):
        schema = {**document.schemas, **document.queries}[name]
        if is_object(schema):
            bases = parts_of(schema)[0]
            return max((depth(base) for base in bases), default=1) + 1 if bases else 1
        return 9 if "oneOf" in schema else 0

    return lambda item: (depth(item[0]), item[0])


def py_alias(name, schema):
    if "oneOf" in schema:
        first, *others = (py_type(one) for one in schema["oneOf"])
        return [f"{name} = (", f"    {first}", *(f"    | {other}" for other in others), ")"]
    if "enum" in schema:
        words = ", ".join(json.dumps(word) for word in schema["enum"])
        line = f"{name} = Literal[{words}] | str"
        if len(line) <= 118:
            return [line]
        return [f"{name} = (", "    Literal[", *(f"        {line}" for line in textwrap.wrap(words, 108)), "    ]", "    | str", ")"]
    return [f"{name} = {py_type(schema)}"]


def py_class(name, schema):
    """A TypedDict; what may be missing goes into one below the other, as Python 3.10 has no NotRequired."""
    bases, members = parts_of(schema)
    required = {member: inner for member, (inner, needed) in members.items() if needed}
    optional = {member: inner for member, (inner, needed) in members.items() if not needed}
    if any(keyword.iskeyword(member) for member in members):
        return py_functional(name, schema, required, optional)
    if required and optional:
        below = py_body(f"_{name}", bases or ["TypedDict"], "", required, "")
        return [*below, "", "", *py_body(name, [f"_{name}"], ", total=False", optional, sentence(schema))]
    total = ", total=False" if optional else ""
    return py_body(name, bases or ["TypedDict"], total, optional or required, sentence(schema))


def py_body(name, bases, total, members, text):
    out = [f"class {name}({', '.join(bases)}{total}):", *py_doc(text)]
    for member, inner in members.items():
        out += [f"    #: {line}" for line in textwrap.wrap(sentence(inner), 110)]
        out.append(f"    {member}: {py_type(inner)}")
    return out if members or text else [*out, "    pass"]


def py_functional(name, schema, required, optional):
    """A member with the name of a keyword cannot stand in a class."""
    if required and optional:
        sys.exit(f"{name}: a keyword for a name, and members that may be missing beside others")
    lines = [f"# {line}" for line in textwrap.wrap(sentence(schema), 114)]
    lines += [f"{name} = TypedDict(", f'    "{name}",', "    {"]
    lines += [f'        "{member}": "{py_type(inner)}",' for member, inner in {**required, **optional}.items()]
    return lines + ["    },", *(["    total=False,"] if optional else []), ")"]


def py_doc(text):
    if not text:
        return []
    if len(text) + 10 <= 118:
        return [f'    """{text}"""', ""]
    return ['    """', *(f"    {line}" for line in textwrap.wrap(text, 110)), '    """', ""]


def py_type(schema):
    if "$ref" in schema:
        return schema["$ref"].split("/")[-1]
    if "enum" in schema:
        if "invalid_request" in schema["enum"]:
            return "Reason"
        return "str" if is_open_list(schema) else f"Literal[{json.dumps(schema['enum'][0])}]".replace('"', "'")
    if "oneOf" in schema or "anyOf" in schema:
        return py_union(py_type(one) for one in schema.get("oneOf") or schema["anyOf"])
    kinds = schema.get("type", "any")
    return py_union(py_kind(kind, schema) for kind in (kinds if isinstance(kinds, list) else [kinds]))


def py_union(kinds):
    return " | ".join(kinds)


def py_kind(kind, schema):
    if kind == "array":
        return f"list[{py_type(schema['items'])}]"
    plain = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "any": "Any"}
    return plain.get(kind) or "dict[str, Any]"


def without_async(text):
    """The blocking client from the other one, so that there is one text of the rules."""
    words = {
        r"async (def|with|for) ": r"\1 ",
        r"await ": "",
        r"import asyncio\n": "import time\n",
        r"asyncio\.sleep": "time.sleep",
        r"AsyncBillStack": "BillStack",
        r"AsyncClient": "Client",
        r"AsyncBaseTransport": "BaseTransport",
        r"AsyncIterator": "Iterator",
        r"AsyncGenerator\[(\w+), None\]": r"Generator[\1, None, None]",
        r"AsyncGenerator": "Generator",
        r"_async\b": "",
        r"\baiter_": "iter_",
        r"__anext__": "__next__",
        r"StopAsyncIteration": "StopIteration",
        r"__aenter__": "__enter__",
        r"__aexit__": "__exit__",
        r"\baclose\b": "close",
    }
    for old, new in words.items():
        text = re.sub(old, new, text)
    first, rest = text.split("\n", 1)
    return f'"""The blocking client. Made from _async.py by clients/generate.py; change nothing here."""\n{rest}'


if __name__ == "__main__":
    main()
