"""Option values to the validated values the engine takes. The only place that reads where this user's data is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_payrecords.cli.options import ApiOptions, ExtractOptions, Mode, PaceOptions
from airflow_provider_payrecords.core.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from airflow_provider_payrecords.bulk import ReconcileOptions, RunOptions
    from airflow_provider_payrecords.extract import Extract, ExtractMapping
    from airflow_provider_payrecords.ledger.sql import SqlLedger
    from airflow_provider_payrecords.ledger.store import LedgerStore
    from airflow_provider_payrecords.settings import Settings

COMMAND_LINE = "the command line"

OptionsT = TypeVar("OptionsT", "RunOptions", "ReconcileOptions")


def make_settings(options: ApiOptions) -> Settings:
    """
    Return the settings of the command line.

    Raises:
        SettingsError: A setting is wrong or missing.
    """
    if not options.api_key:
        raise SettingsError("There is no API key. Set STRIPE_API_KEY, or give --api-key.")
    return _settings(options, options.api_key)


def make_settings_to_look(options: ApiOptions, mode: Mode | None) -> Settings:
    """
    Return settings for what sends nothing, and so needs no key where the mode is said.

    Raises:
        SettingsError: There is neither key nor mode, or they contradict each other.
    """
    if not options.api_key and mode is None:
        raise SettingsError("Say --mode test or --mode live, or give the API key by STRIPE_API_KEY or --api-key.")
    made = _settings(options, options.api_key or f"sk_{Mode(mode).value}_none")
    check_mode(made, mode)
    return made


def check_mode(settings: Settings, mode: Mode | None) -> None:
    """
    Check that the key is of the mode that was said, if one was.

    Raises:
        SettingsError: It is of the other.
    """
    if mode is not None and settings.mode != mode.value:
        raise SettingsError(f"--mode {mode.value} was said, and the API key is a {settings.mode} key.")


def _settings(options: ApiOptions, api_key: str) -> Settings:
    from airflow_provider_payrecords import settings

    given = {
        "api_key": api_key,
        "api_base": options.api_base,
        "account": options.account,
        "stripe_account": options.stripe_account,
        "stripe_version": options.stripe_version,
    }
    return settings.make_settings({name: value for name, value in given.items() if value is not None}, COMMAND_LINE)


def refuse_live(settings: Settings, *, allowed: bool) -> None:
    """
    Stop before a live key sends anything that was not asked for.

    Raises:
        SettingsError: The key is live and nobody said that it may be used.
    """
    if settings.mode == "live" and not allowed:
        raise SettingsError("This is a live key, so real payments would be recorded. Say --allow-live if you mean it.")


def make_run_options(options: PaceOptions) -> RunOptions:
    """
    Return how the run behaves.

    Raises:
        UsageError: A number is out of range.
    """
    from airflow_provider_payrecords.bulk import RunOptions

    given = {
        "rate_limit": options.rate,
        "concurrency": options.concurrency,
        "canary": options.canary,
        "stop_after_rejects": _count_or_share(options.stop_after_rejects),
        "on_reject": options.on_reject and options.on_reject.value,
        "partition": options.partition,
        "dry_run": options.dry_run,
    }
    return checked(RunOptions, given)


def checked(model: type[OptionsT], given: Mapping[str, Any]) -> OptionsT:
    """
    Return options of the engine, of what was given on the command line.

    Args:
        given: Fields of *model*; what is None was not given.

    Raises:
        UsageError: A value is out of range.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError("; ".join(map(_say, error.errors(include_url=False, include_input=False)))) from None


def make_extract(options: ExtractOptions) -> tuple[Extract, ExtractMapping]:
    """
    Return the extract, not yet opened, and its mapping: the file's, with what the options say put over it.

    Raises:
        UsageError: The mapping cannot work.
    """
    from airflow_provider_payrecords.extract import ExtractMapping, make_extract, mapping_from_options

    base = ExtractMapping.load(options.mapping)
    over = mapping_from_options(
        source=options.source,
        key=options.key,
        endpoint=options.endpoint or base.endpoint,
        fields=options.field or (),
        constants=options.constant or (),
        where=options.where,
        sql=options.sql,
        delimiter=options.delimiter,
        encoding=options.encoding,
    )
    return make_extract(options.file), ExtractMapping.load(_merged(base, over))


def _merged(base: ExtractMapping, over: ExtractMapping) -> dict[str, Any]:
    below, above = base.model_dump(exclude_unset=True), over.model_dump(exclude_unset=True)
    nested = {name: {**below.get(name, {}), **above.get(name, {})} for name in ("fields", "options")}
    return {**below, **above, **nested}


def ledger_url(given: str | None) -> str:
    """
    Return where the ledger is: what was given, else one file for this user in all folders.

    It does not depend on the working folder: with another ledger a payment could be sent again.
    """
    if given:
        return given
    data = os.environ.get("XDG_DATA_HOME") or Path("~", ".local", "share").expanduser()
    return str(Path(data, "payrecords", "ledger.db"))


def open_ledger(given: str | None) -> SqlLedger:
    """Open the ledger for writing, and make it if it is new."""
    from airflow_provider_payrecords.ledger import urls

    return urls.open_ledger(ledger_url(given))


def open_ledger_to_look(given: str | None) -> LedgerStore:
    """Open the ledger, or an empty one in memory where there is none: looking makes no file."""
    if not _is_missing_file(ledger_url(given)):
        return open_ledger(given)
    from airflow_provider_payrecords.ledger.memory import MemoryLedger

    return MemoryLedger()


def open_known_ledger(given: str | None) -> SqlLedger:
    """
    Open a ledger that must be there already.

    Raises:
        UsageError: There is none at this place.
    """
    if _is_missing_file(ledger_url(given)):
        where = shown_ledger(given)
        raise UsageError(
            f"There is no ledger at {where}. Name it with --ledger or PAYRECORDS_LEDGER; report makes one."
        )
    return open_ledger(given)


def shown_ledger(given: str | None) -> str:
    """Return the ledger's URL as people may see it."""
    from airflow_provider_payrecords.ledger.urls import safe_url

    return safe_url(ledger_url(given))


def read_document(file: Path) -> dict[str, Any]:
    """
    Return the mapping in a JSON or YAML file.

    Raises:
        UsageError: It cannot be read, or is no mapping.
    """
    import yaml

    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        # Neither cause is shown: both quote what is in the file.
        raise UsageError(f"{file} is neither JSON nor YAML in UTF-8.") from None
    if not isinstance(values, dict):
        raise UsageError(f"{file} must hold one mapping of names to values.")
    return values


def _is_missing_file(url: str) -> bool:
    from airflow_provider_payrecords.ledger.urls import is_missing_file

    return is_missing_file(url)


def _count_or_share(text: str | None) -> int | float | None:
    if text is None:
        return None
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        raise UsageError("--stop-after-rejects takes a count such as 10, or a share such as 5%.") from None


def _say(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"] if isinstance(part, str) and part.isidentifier())
    option = {"rate_limit": "rate"}.get(name, name).replace("_", "-")
    return f"--{option}: {str(detail['msg']).removeprefix('Value error, ')}"
