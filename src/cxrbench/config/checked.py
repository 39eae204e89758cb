"""The base of every model of params.yaml, and pydantic's errors as sentences: the key, its value, what it must be.

What a value must be is read from the model's own JSON schema, for the sentence here and for docs/settings.md alike.
"""

import difflib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from cxrbench.base import plugins
from cxrbench.base.errors import CxrbenchError


class Checked(BaseModel):
    """Immutable; an unknown key is an error, and so is a value of another type (text for a number, say)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


SHOWN = 3  # mistakes named at once
Model = TypeVar("Model", bound=Checked)


def named(kind: str, known: Collection[str]) -> Any:
    """The type of a name of ``kind``: one of ``known``, or of a module that an installed package announces."""

    def check_name(value: str) -> str:
        if value not in known and value not in plugins.names(kind):
            raise ValueError(unknown(value, [*dict.fromkeys([*known, *plugins.names(kind)])]))
        return value

    schema: dict[str, Any] = {"type": "string", **({"enum": [*known]} if known else {})}
    return Annotated[str, AfterValidator(check_name), WithJsonSchema(schema)]


Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Text = Annotated[str, Field(min_length=1)]


def check(model: type[Model], tree: Any, where: str = "") -> Model:
    """``tree`` as a ``model``; raises CxrbenchError that names the keys at fault, after ``where``."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        schema = model.model_json_schema()
        # One fault can have several errors: one for each kind of value that would do.
        sentences = list(dict.fromkeys(_sentence(one, schema) for one in error.errors(include_url=False)))
        sentences[SHOWN:] = [f"and {len(sentences) - SHOWN} more"] * (len(sentences) > SHOWN)
        said = "; ".join(sentences).replace("\n", "\\n")  # of a name
        raise CxrbenchError(f"{where}: " * bool(where) + said) from None


def unknown(key: object, known: Collection[str]) -> str:
    """A clause that says a name is unknown and what its writer may have meant."""
    close = difflib.get_close_matches(str(key), known, n=1)
    names = ", ".join(name or '""' for name in known)
    return f"{str(key)!r} is unknown; " + (f"did you mean '{close[0]}'?" if close else f"known are {names}")


def ordered(value: Mapping[str, Any], known: Collection[str], required: bool = True) -> dict[str, Any]:
    """``value`` in the order of ``known``, its only keys; raises ValueError where one is unknown or missing."""
    for key in value:
        if key not in known:
            raise ValueError(unknown(key, known))
    for key in known:
        if required and key not in value:
            raise ValueError(f"'{key}' is missing; add it")
    return {key: value[key] for key in (known if required else value)}


def file_name(name: str) -> str:
    """``name`` where it can name a folder or a table on any system; raises ValueError else."""
    if name != name.strip(" .") or not name.isprintable() or set(name) & set('/\\<>:"|?*') or not 0 < len(name) <= 100:
        raise ValueError(
            f"{name!r} cannot be the name of a file; use up to 100 letters, digits, blanks, '-', '_', '=' and the like"
        )
    return name


FileName = Annotated[str, AfterValidator(file_name)]


def allowed(node: Mapping[str, Any]) -> str:
    """What a value of this resolved node of a JSON schema may be, in words."""
    kind, low, high = node.get("type"), node.get("minimum"), node.get("maximum")
    if "enum" in node or "const" in node:
        words = ", ".join(str(word) or '""' for word in node.get("enum") or [node["const"]])
    elif kind in ("integer", "number"):
        above = node.get("exclusiveMinimum")
        words = "a whole number" if kind == "integer" else "a number"
        words += f" from {low} to {high}" if low is not None else f" above {above} and at most {high}"
    elif kind == "array":
        many = f"{node['minItems']} " if node.get("minItems", 0) == node.get("maxItems") else ""
        many = many or "at least 1 " * bool(node.get("minItems"))
        words = f"a list of {many}values" + (f", each {allowed(node['items'])}" if node.get("items") else "")
    else:
        words = {"boolean": "true or false", "object": "a mapping of names to values"}.get(str(kind), "text")
        words += ", at least one" * bool(node.get("minProperties"))
        words += f" ({node['description']})" if words == "text" and "description" in node else ""
    return words.replace(" or ", ", ") + " or null" if node.get("nullable") else words


def node_at(schema: Mapping[str, Any], loc: Collection[int | str] = ()) -> dict[str, Any]:
    """The resolved node of a JSON schema for the value at ``loc``; 'nullable' says whether null will do too."""
    node = dict(schema)
    for step in (None, *loc):
        if step is not None:
            inner = [node.get("properties", {}).get(step), node.get("items"), node.get("additionalProperties")]
            inner += [part for i, part in enumerate(node.get("prefixItems", ())) if i == step]
            node = next((dict(part) for part in inner if isinstance(part, Mapping) and part), {})
        if choices := [part for part in node.get("anyOf", ()) if part != {"type": "null"}]:
            node = {"nullable": len(choices) < len(node["anyOf"]), **node, **choices[0]}
        if "$ref" in node:
            node = {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node}
    return node


def _sentence(error: Any, schema: Mapping[str, Any]) -> str:
    loc, kind = list(error["loc"]), error["type"]
    if "[key]" in loc:
        place = loc.index("[key]") - 1
        loc, key = loc[:place], loc[place]
        no_name = f"{key!r} is no name; write it in quotes" if key != "" else "a name is empty; write one"
        said = str(error["ctx"]["error"]) if kind == "value_error" else no_name
    elif kind == "extra_forbidden":
        said = unknown(loc.pop(), node_at(schema, loc).get("properties", {}))
    elif kind == "missing":
        said = f"'{loc.pop()}' is missing; add it"
    elif kind == "literal_error" and isinstance(error["input"], str):
        said = unknown(error["input"], [word for word in node_at(schema, loc)["enum"] if isinstance(word, str)])
    elif kind == "value_error":
        said = str(error["ctx"]["error"])
    else:
        return f"{'.'.join(map(str, loc)) or 'it'} is {error['input']!r}; it must be {allowed(node_at(schema, loc))}"
    return ".".join(map(str, loc)) + ": " * bool(loc) + said
