"""
A command as a form: groups of fields, each with the control that a person fills it in with.

Nothing is listed by hand: a new field of a command is in its form. Amounts are one field of two parts, because a person
thinks of money in major units of a currency.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_payrecords.compose.fields import ERASES, FieldInfo, fields_of
from airflow_provider_payrecords.core.commands import Command

OUTCOME = "outcome"
_CONTROLS = {
    "string": "text",
    "id": "text",
    "currency": "text",
    "integer": "integer",
    "timestamp": "time",
    "enum": "choice",
    "list": "list",
    "map": "map",
}


_AMOUNT = "In major units, such as 49.50. The API gets minor units."
_LABELS = {"custom.type": "Custom method type", "line1": "Line 1", "line2": "Line 2"}
_FIRST = (
    *("payment_record", "payment_attempt_record", "invoice", "amount_requested", "amount", "initiated_at", "outcome"),
    *("custom.display_name", "customer", "name", "email", "phone", "line1", "line2", "postal_code", "city", "state"),
)
_LAST = ("metadata", "expand")
"""What people look for first, and what they seldom need. What is in neither stands between them."""


@dataclass(frozen=True, slots=True)
class FormField:
    """
    One control of a form.

    Attributes:
        path: Dotted path of the field, or of the hash where ``control`` is ``amount``.
        control: ``text``, ``integer``, ``amount``, ``time``, ``choice``, ``list`` or ``map``.
        required: The call, or the group once anything in it is filled, cannot do without.
        limits: What it takes, in words.
        erasable: Sent empty, it erases what the record has.
        fixed: The only value there is, where there must be one; it is filled in by itself.
        default: What the form begins with.
    """

    path: str
    label: str
    control: str
    required: bool
    help: str
    limits: str
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    erasable: bool = False
    fixed: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class FormGroup:
    """
    Fields that belong together.

    Attributes:
        path: Of the hash they are in; empty for the fields of the call itself.
        when: The outcome with which it is sent; with any other it is left out. None: always.
        fields: In order.
    """

    path: str
    label: str
    required: bool
    help: str
    when: str | None
    erasable: bool
    fields: tuple[FormField, ...]


def form_of(command: type[Command]) -> list[FormGroup]:
    """Return the form of *command*: its own fields first, then a group for each of its hashes."""
    infos = {info.path: info for info in fields_of(command)}
    amounts = {path for path in infos if f"{path}.value" in infos and f"{path}.currency" in infos}
    changes_a_record = command.path_parameter is not None
    own = [
        _field(info, amounts, erasable=changes_a_record)
        for info in sorted(infos.values(), key=_place)
        if _is_own(info, amounts)
    ]
    groups = [FormGroup("", "Call", True, "", None, False, tuple(own))]
    hashes = [info for info in infos.values() if info.type == "hash" and info.path not in amounts]
    apart = [info.path for info in hashes if "." not in info.path or _holds_hashes(info, hashes)]
    groups += [_group(info, infos, amounts, apart) for info in hashes if info.path in apart]
    return sorted(groups, key=lambda group: (group.path != "", group.when is None, not _names_or_needs(group)))


def label_of(path: str) -> str:
    """Return the last name of *path* as people write it: ``Payment reference``."""
    name = path.rpartition(".")[2]
    text = _LABELS.get(".".join(path.split(".")[-2:])) or _LABELS.get(name) or name.replace("_", " ")
    return text[0].upper() + text[1:]


def _is_own(info: FieldInfo, amounts: set[str]) -> bool:
    return "." not in info.path and (info.type != "hash" or info.path in amounts)


def _holds_hashes(info: FieldInfo, hashes: list[FieldInfo]) -> bool:
    return any(one.path.startswith(f"{info.path}.") for one in hashes)


def _group(group: FieldInfo, infos: dict[str, FieldInfo], amounts: set[str], apart: list[str]) -> FormGroup:
    prefix = f"{group.path}."
    further = tuple(f"{path}." for path in apart if path.startswith(prefix))
    inner = [
        info
        for info in infos.values()
        if info.type != "hash" and info.path.startswith(prefix) and not info.path.startswith(further)
    ]
    inner.sort(key=lambda info: (_depth(info.path), _place(info)))
    return FormGroup(
        path=group.path,
        label=label_of(group.path),
        required=group.required == "always",
        help=group.note,
        when=_outcome_of(group, infos),
        erasable=ERASES in group.limits,
        fields=tuple(_field(info, amounts, prefix, in_required=group.required == "always") for info in inner),
    )


def _outcome_of(group: FieldInfo, infos: dict[str, FieldInfo]) -> str | None:
    outcome = infos.get(OUTCOME)
    # Where only one outcome exists there is nothing to depend on.
    return group.path if outcome and len(outcome.choices) > 1 and group.path in outcome.choices else None


def _field(
    info: FieldInfo, amounts: set[str], prefix: str = "", *, in_required: bool = False, erasable: bool = False
) -> FormField:
    if info.path in amounts:
        return FormField(info.path, label_of(info.path), "amount", info.required == "always", _AMOUNT, "")
    alone = info.choices[0] if len(info.choices) == 1 else None
    return FormField(
        path=info.path,
        label=_label(info.path.removeprefix(prefix)),
        control=_CONTROLS[info.type],
        required=info.required != "no",
        help=info.note,
        limits=info.limits,
        choices=info.choices,
        max_length=info.max_length,
        erasable=ERASES in info.limits or (erasable and info.type == "map"),
        fixed=alone if info.required != "no" else None,
        default=alone if in_required else None,
    )


def _names_or_needs(group: FormGroup) -> bool:
    """Return whether the call cannot do without the group, or it is the one that names the payment."""
    return group.required or group.path == "processor_details"


def _place(info: FieldInfo) -> int:
    names = (".".join(info.path.split(".")[-2:]), info.path.rpartition(".")[2])
    if names[1] in _LAST:
        return len(_FIRST) + 1 + _LAST.index(names[1])
    return next((_FIRST.index(name) for name in names if name in _FIRST), len(_FIRST))


def _depth(path: str) -> int:
    return len([part for part in path.split(".") if part != "custom"])


def _label(path: str) -> str:
    """Return the label of a field in a group: with the name of an inner hash, unless that only says ``custom``."""
    *hashes, _ = path.split(".")
    inner = [label_of(one) for one in hashes if one != "custom"]
    return ": ".join([*inner[-1:], label_of(path)])
