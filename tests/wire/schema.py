"""A small check of JSON Schema (draft 07), as much of it as the wire's document uses; another word is an error."""

import re
from collections.abc import Callable, Iterator
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_SAID = {"title", "description", "default"}


def resolve(document: Any, reference: str) -> Any:
    """What a `$ref` inside the document points at. Raises KeyError."""
    if not reference.startswith("#/"):
        raise KeyError(reference)
    found = document
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def references(of: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(of, dict):
        if "$ref" in of:
            yield of["$ref"]
        of = list(of.values())
    if isinstance(of, list):
        for each in of:
            yield from references(each)


def complaints(value: Any, schema: Any, document: Any, at: str = "$") -> list[str]:
    """What is wrong with a value; empty when it fits."""
    if "$ref" in schema:
        return complaints(value, resolve(document, schema["$ref"]), document, at)
    found: list[str] = []
    for word, rule in schema.items():
        if word not in _SAID | {"if", "then"}:
            found += _CHECKS[word](value, rule, document, at)
    if "if" in schema and not complaints(value, schema["if"], document, at):
        found += complaints(value, schema["then"], document, at)
    return found


def _type(value: Any, rule: str, _document: Any, at: str) -> list[str]:
    fits = isinstance(value, _TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
    return [] if fits else [f"{at}: {value!r} is not of type {rule}"]


def _one_of(value: Any, rule: list[Any], _document: Any, at: str) -> list[str]:
    return [] if value in rule else [f"{at}: {value!r} is not one of {rule}"]


def _const(value: Any, rule: Any, _document: Any, at: str) -> list[str]:
    return [] if value == rule else [f"{at}: {value!r} is not {rule!r}"]


def _pattern(value: Any, rule: str, _document: Any, at: str) -> list[str]:
    return [] if not isinstance(value, str) or re.search(rule, value) else [f"{at}: {value!r} is not like {rule}"]


def _minimum(value: Any, rule: int, _document: Any, at: str) -> list[str]:
    return [] if not isinstance(value, int) or value >= rule else [f"{at}: {value} is less than {rule}"]


def _maximum(value: Any, rule: int, _document: Any, at: str) -> list[str]:
    return [] if not isinstance(value, int) or value <= rule else [f"{at}: {value} is more than {rule}"]


def _at_least(value: Any, rule: int, _document: Any, at: str) -> list[str]:
    return [] if not isinstance(value, str | list) or len(value) >= rule else [f"{at}: shorter than {rule}"]


def _at_most(value: Any, rule: int, _document: Any, at: str) -> list[str]:
    return [] if not isinstance(value, str | list) or len(value) <= rule else [f"{at}: longer than {rule}"]


def _required(value: Any, rule: list[str], _document: Any, at: str) -> list[str]:
    return [f"{at}: {key} is not there" for key in rule if isinstance(value, dict) and key not in value]


def _properties(value: Any, rule: dict[str, Any], document: Any, at: str) -> list[str]:
    known = rule.keys() & value.keys() if isinstance(value, dict) else ()
    return [each for key in known for each in complaints(value[key], rule[key], document, f"{at}.{key}")]


def _values(value: Any, rule: Any, document: Any, at: str) -> list[str]:
    values = value.values() if isinstance(value, dict) else ()
    return [each for inner in values for each in complaints(inner, rule, document, f"{at}.*")]


def _items(value: Any, rule: Any, document: Any, at: str) -> list[str]:
    if not isinstance(value, list):
        return []
    rules = rule if isinstance(rule, list) else [rule] * len(value)
    pairs = zip(value, rules, strict=False)
    return [each for n, (item, of) in enumerate(pairs) for each in complaints(item, of, document, f"{at}[{n}]")]


def _any_of(value: Any, rule: list[Any], document: Any, at: str) -> list[str]:
    tried = [complaints(value, each, document, at) for each in rule]
    return [] if [] in tried else tried[0]


def _all_of(value: Any, rule: list[Any], document: Any, at: str) -> list[str]:
    return [each for inner in rule for each in complaints(value, inner, document, at)]


_CHECKS: dict[str, Callable[[Any, Any, Any, str], list[str]]] = {
    "type": _type,
    "enum": _one_of,
    "const": _const,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _at_least,
    "maxLength": _at_most,
    "minItems": _at_least,
    "maxItems": _at_most,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _values,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
}
