"""
Commands that fill the same fields, checked and written by columns instead of one by one.

The models in ``commands`` and ``parameters`` stay the only rules. A *shape* is learned from one command that they took.
Another command that fills the same leaves, and has the same values where a field has a closed set of them, can differ
from it only in the *open* leaves. Each of those must pass the type its model gives it, and what a model says of values
together, as ``Amount`` does, is asked for every command. Rules over which fields are there were answered by the first.

A shape never says why a value is refused: on any doubt the command is built as always, and the models explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from airflow_provider_payrecords.core.commands import Command, ReportPayment, build
from airflow_provider_payrecords.core.form import Pair, flatten, leaf_text, quote_name, quote_value, quote_values
from airflow_provider_payrecords.core.identity import KEY_STAMP, fingerprint_of, is_reported, stamp
from airflow_provider_payrecords.core.parameters import MetadataValue, Parameter, ValueRule
from airflow_provider_payrecords.core.wire import ApiRequest

Path = tuple[str, ...]
"""Where a leaf is: ``("amount_requested", "value")``, ``("metadata", "order")``."""

Column = Sequence[Any]
"""One value for each command, none of them None."""

Part = tuple[str, int | None]
"""Text, and the place of the leaf whose value follows it, or None."""


class Draft(NamedTuple):
    """
    A command that its shape took: what it says is known, and it is built only when somebody asks.

    Attributes:
        values: One for each open leaf of the shape.
        quoted: The same as they are sent.
        fingerprint: As ``identity.fingerprint`` says it of the command.
        amount_minor: Money in minor units of ``currency``, or None where the command names no amount.
    """

    shape: Shape
    values: tuple[Any, ...]
    quoted: tuple[str, ...]
    fingerprint: str
    amount_minor: int | None
    currency: str | None

    @property
    def endpoint(self) -> str:
        """Name of the call."""
        return self.shape.endpoint

    def command(self) -> Command:
        """Build the command."""
        return self.shape.build(self.values)

    def param(self, name: str) -> Any:
        """Return what the command says of its own field *name*, or None."""
        return self.shape.param(name, self.values)

    def stamped(self, source: str, key: str) -> Draft:
        """Return it as ``identity.stamp`` would. *key* and *source* were checked."""
        shape = self.shape.stamped(source)
        if shape is self.shape:
            return self
        values, quoted = (*self.values, key), (*self.quoted, quote_value(key))
        return Draft(shape, values, quoted, self.fingerprint, self.amount_minor, self.currency)

    def body(self) -> bytes:
        """Return what ``identity.canonical_body`` says of the command."""
        return self.shape.canonical.fill(self.quoted).encode()

    def request(self, idempotency_key: str) -> ApiRequest:
        """Return what ``wire.encode`` says of the command."""
        target, form = self.shape.target.fill(self.quoted), self.shape.form.fill(self.quoted)
        return ApiRequest("POST", target, form.encode(), idempotency_key, self.shape.endpoint)


def command_of(content: Command | Draft) -> Command:
    """Return *content* as a command."""
    return content.command() if isinstance(content, Draft) else content


class Shape:
    """
    What commands with the same leaves have in common.

    Attributes:
        endpoint: Name of the call.
        canonical: Path and form in canonical order.
        target: The path.
        form: The form in the order of the command's fields.
    """

    def __init__(self, sample: Command, leaves: Sequence[Path]) -> None:
        """
        Learn from *sample*, a command that was built and so passed every rule.

        Args:
            leaves: The open leaves: those in which other commands differ. The sample fills all of them, and none of
                them ``is_closed`` or is a whole object.
        """
        self.endpoint = sample.endpoint
        self._sample = sample
        self._leaves = tuple(leaves)
        self._values = sample.model_dump(exclude_none=True)
        self._stamped: dict[str, Shape] = {}
        self._units = _units(type(sample), self._leaves)
        places = {_form_name(path): place for place, path in enumerate(self._leaves)}
        pairs = list(flatten(sample.params()))
        path = _path(sample, places)
        self.target = Template(path)
        self.form = Template(_form(pairs, places))
        self.canonical = _canonical(path, pairs, places)
        self._reported = _canonical(path, [pair for pair in pairs if is_reported(pair[0])], places)
        self._money = self._money_places()

    def take(self, columns: Sequence[Column]) -> list[Draft]:
        """
        Return a draft for each command.

        Args:
            columns: One for each open leaf, in their order, all of one length.

        Raises:
            ValidationError, CommandError: At least one value of one command would be refused by the models.
        """
        taken = list(columns)
        for places, check in self._units:
            for place, column in zip(places, check(self._sample, [columns[place] for place in places]), strict=True):
                taken[place] = column
        quoted = list(zip(*[quote_values(_texts(column)) for column in taken], strict=True))
        prints = [fingerprint_of(self._reported.fill(row).encode()) for row in quoted]
        amounts, currencies = (_picked(one, taken, len(prints)) for one in self._money)
        values = zip(*taken, strict=True)
        return list(map(Draft, repeat(self), values, quoted, prints, amounts, currencies))

    def build(self, values: Sequence[Any]) -> Command:
        """Return the command with *values* in its open leaves."""
        return build(type(self._sample), _filled(self._values, self._leaves, values))

    def param(self, name: str, values: Sequence[Any]) -> Any:
        """Return what the command with *values* says of its own field *name*, or None."""
        return values[self._leaves.index((name,))] if (name,) in self._leaves else self._values.get(name)

    def stamped(self, source: str) -> Shape:
        """
        Return the shape of these commands with our stamps; its last open leaf is the row key.

        Raises:
            CommandError: There is no room for the stamps.
        """
        if not isinstance(self._sample, ReportPayment):
            return self
        if source not in self._stamped:
            sample = stamp(self._sample, source, "key")
            self._stamped[source] = Shape(sample, (*self._leaves, ("metadata", KEY_STAMP)))
        return self._stamped[source]

    def _money_places(self) -> tuple[Any, Any]:
        """Return where amount and currency stand: a place among the leaves, or the value that all commands share."""
        amount = self._sample.money()
        if amount is None:
            return (None, None), (None, None)
        found = {path: (place, None) for place, path in enumerate(self._leaves)}
        name = self._sample.money_field or ""
        return (
            found.get((name, "value"), (None, amount.value)),
            found.get((name, "currency"), (None, amount.currency)),
        )


def is_closed(command: type[Command], path: Path) -> bool:
    """Return whether the leaf has a closed set of values, so that other fields may depend on which one it is."""
    return path[0] != "metadata" and _is_literal(_field(command, path).annotation)


def may_have_shapes(command: type[Command]) -> bool:
    """Return whether no rule over values spans the whole command, so that its leaves can be looked at one by one."""
    return not _looks_at_values(command)


class Template:
    """Text with places for the quoted values of leaves. Joining it takes half as long as formatting."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._pieces = [""]
        places = []
        for text, place in parts:
            self._pieces[-1] += text
            if place is not None:
                places.append(place)
                self._pieces += ["", ""]
        # One value is picked bare, several come as a tuple.
        self._pick: Callable[[Sequence[str]], Any] = (
            itemgetter(*places) if len(places) > 1 else lambda quoted: [quoted[place] for place in places]
        )

    def fill(self, quoted: Sequence[str]) -> str:
        """Return the text with the quoted values of one command."""
        pieces = self._pieces.copy()
        pieces[1::2] = self._pick(quoted)
        return "".join(pieces)


def _canonical(path: list[Part], pairs: list[Pair], places: dict[str, int]) -> Template:
    return Template([*path, ("\n", None), *_form(sorted(pairs), places)])


def _form(pairs: list[Pair], places: dict[str, int]) -> Iterator[Part]:
    for at, (name, value) in enumerate(pairs):
        place = places.get(name)
        text = f"{'&' if at else ''}{quote_name(name)}="
        yield (text + quote_value(value), None) if place is None else (text, place)


def _path(sample: Command, places: dict[str, int]) -> list[Part]:
    place = places.get(sample.path_parameter or "")
    if place is None:
        return [(sample.url_path(), None)]
    before, after = sample.path.split(f"{{{sample.path_parameter}}}")
    return [(before, place), (after, None)]


def _form_name(path: Path) -> str:
    return path[0] + "".join(f"[{part}]" for part in path[1:])


def _texts(column: Column) -> Sequence[str]:
    types = set(map(type, column))
    if types == {str}:
        return column
    return list(map(str, column)) if types == {int} else [leaf_text(value, "value") for value in column]


def _picked(where: tuple[int | None, Any], columns: Sequence[Column], size: int) -> Column:
    place, shared = where
    return [shared] * size if place is None else columns[place]


def _filled(shared: dict[str, Any], paths: Sequence[Path], values: Sequence[Any]) -> dict[str, Any]:
    """Return a copy of the nested values that all share, with *values* at *paths*."""
    nested = _copied(shared)
    for path, value in zip(paths, values, strict=True):
        node = nested
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value
    return nested


def _copied(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in values.items()}


Check = Callable[[Command, Sequence[Column]], Sequence[Column]]


def _units(command: type[Command], leaves: Sequence[Path]) -> list[tuple[list[int], Check]]:
    """Return which leaves are checked together, as places, and by what."""
    found: dict[Path, list[int]] = {}
    for place, path in enumerate(leaves):
        found.setdefault(_unit(command, path), []).append(place)
    return [(places, _check(command, unit, [leaves[place] for place in places])) for unit, places in found.items()]


def _unit(command: type[Command], path: Path) -> Path:
    """Return the path of the outermost model around the leaf that has a rule over values, or of the leaf itself."""
    for length in range(1, len(path)):
        model = None if path[0] == "metadata" else _model(_field(command, path[:length]).annotation)
        if model is not None and _looks_at_values(model):
            return path[:length]
    return path


def _check(command: type[Command], unit: Path, leaves: Sequence[Path]) -> Check:
    if [unit] == list(leaves):
        return _check_leaves(command, leaves)
    model = _model(_field(command, unit).annotation)
    rule = model.by_value if model is not None and issubclass(model, Parameter) else None
    if model is not None and rule is not None and _value_validators(model) == {rule.validator}:
        return _check_rule(rule, unit, leaves, _check_leaves(command, leaves))
    adapter = TypeAdapter(list[model])  # type: ignore[valid-type]  # a model found at run time
    inner = [path[len(unit) :] for path in leaves]
    pickers = [attrgetter(".".join(path)) for path in inner]

    def check(sample: Command, columns: Sequence[Column]) -> Sequence[Column]:
        shared = _at(sample, unit).model_dump(exclude_none=True)
        values = [_filled(shared, inner, row) for row in zip(*columns, strict=True)]
        models = adapter.validate_python(values)
        return [list(map(pick, models)) for pick in pickers]

    return check


def _check_leaves(command: type[Command], leaves: Sequence[Path]) -> Check:
    adapters = [_leaf_adapter(command, path) for path in leaves]

    def check(_: Command, columns: Sequence[Column]) -> Sequence[Column]:
        return [adapter.validate_python(column) for adapter, column in zip(adapters, columns, strict=True)]

    return check


def _check_rule(rule: ValueRule, unit: Path, leaves: Sequence[Path], check_leaves: Check) -> Check:
    wanted = [(*unit, name) for name in rule.fields]

    def check(sample: Command, columns: Sequence[Column]) -> Sequence[Column]:
        checked = dict(zip(leaves, check_leaves(sample, columns), strict=True))
        size = len(columns[0])
        for values in zip(*[checked.get(path, [_at(sample, path)] * size) for path in wanted], strict=True):
            rule.check(*values)
        return list(checked.values())

    return check


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = getattr(value, part)
    return value


@cache
def _leaf_adapter(command: type[Command], path: Path) -> TypeAdapter[list[Any]]:
    if path[0] == "metadata":
        return TypeAdapter(list[MetadataValue])
    leaf: Any = _field(command, path).rebuild_annotation()
    return TypeAdapter(list[leaf])


def _field(model: type[BaseModel] | None, path: Path) -> FieldInfo:
    for part in path[:-1]:
        model = _model(model.model_fields[part].annotation) if model else None
    if model is None:
        raise TypeError(f"{'.'.join(path)} is no leaf of a command")
    return model.model_fields[path[-1]]


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model(inner)) is not None), None)


def _is_literal(annotation: Any) -> bool:
    return get_origin(annotation) is Literal or any(_is_literal(inner) for inner in get_args(annotation))


def _looks_at_values(model: type[BaseModel]) -> bool:
    return bool(_value_validators(model))


def _value_validators(model: type[BaseModel]) -> set[str]:
    """Return the names of the model's validators that look at values."""
    rules = model.__pydantic_decorators__
    by_presence = model.by_presence if issubclass(model, Parameter) else frozenset()
    return {*rules.field_validators, *rules.validators, *rules.root_validators, *rules.model_validators} - by_presence
