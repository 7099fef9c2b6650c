"""
YAML read strictly: every scalar is the text that stands there, and a key written twice is an error.

YAML 1.1 reads ``No`` as false, ``0100`` as 64 and ``2026-01-01`` as a date. In a mapping each of these is a status, a
code or a constant, so only ``null`` keeps its meaning.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from airflow_provider_payrecords.core.errors import MappingError

_NULL = "tag:yaml.org,2002:null"


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without the guesses about scalars, and without repeated keys."""

    def construct_unique(self, node: yaml.MappingNode) -> dict[str, Any]:
        """Construct a mapping, and refuse a key that stands there twice."""
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key_node.start_mark)
            key = self.construct_object(key_node)
            if key in mapping:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands there twice", key_node.start_mark
                )
            mapping[key] = self.construct_object(value_node, deep=True)
        return mapping


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == _NULL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _StrictLoader.construct_unique)


def read_document(path: Path) -> dict[str, Any]:
    """
    Return the mapping that the YAML file *path* holds.

    Raises:
        MappingError: The file is missing, not readable, not YAML, or not a mapping of keys.
    """
    try:
        document = yaml.load(path.read_text("utf-8-sig"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader subclass
    except OSError as error:
        raise MappingError(f"Mapping file {path}: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"Mapping file {path} is not UTF-8 text. Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        raise MappingError(f"Mapping file {path} cannot be read: {_what(error)}.") from error
    if not isinstance(document, dict):
        raise MappingError(f"Mapping file {path} holds no keys. Write at least 'fields:', as in the documentation.")
    return document


def _what(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "not YAML"
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
