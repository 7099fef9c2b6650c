"""
Assets: the Payment Records of one source in one account, ``payrecords://account/source``.

Airflow calls the three functions here for every asset of that scheme: to check an address, to make an asset, and to
name it in OpenLineage. ``announce`` is what our operators put into the events of their outlets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from airflow_provider_payrecords._airflow import Asset, AssetAlias, openlineage_modules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

    from airflow_provider_payrecords._airflow import Context

SCHEME = "payrecords"
_SHAPE = f"{SCHEME}://account/source, such as {SCHEME}://payrecords_default/adyen-eu"


def create_asset(*, account: str, source: str, extra: dict[str, Any] | None = None) -> Asset:
    """
    Return the asset of the Payment Records of *source* in *account*.

    Args:
        account: Name of the account as the ledger knows it: the connection's ``account``, else its id.
        source: Namespace of the row keys, as the mapping says.
    """
    return Asset(uri=f"{SCHEME}://{quote(account, safe='')}/{quote(source, safe='')}", extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """
    Check the address of an asset.

    Raises:
        ValueError: It names no account or no source, or more than these.
    """
    source = uri.path.strip("/")
    if not uri.netloc or not source or "/" in source or uri.query or uri.fragment:
        raise ValueError(f"Not the address of Payment Records: write {_SHAPE}.")
    return uri._replace(path=f"/{source}")


def to_openlineage(asset: Asset, _: Any) -> Any:
    """Return *asset* as OpenLineage names it: the account is the namespace, the source the name."""
    events, _, _ = openlineage_modules()
    account, _, source = asset.uri.removeprefix(f"{SCHEME}://").partition("/")
    return events.Dataset(namespace=f"{SCHEME}://{account}", name=unquote(source))


def announce(outlets: Iterable[Any], context: Context, event: Mapping[str, Any], *, account: str, source: str) -> None:
    """
    Put *event* into the asset events of *outlets*, which Airflow records once the task has succeeded.

    An asset of our scheme gets the event. An ``AssetAlias`` gets the asset of *account* and *source* with it, so that a
    DAG need not know how the ledger calls the account. Other outlets are the DAG author's.
    """
    for outlet in outlets:
        if isinstance(outlet, Asset) and outlet.uri.startswith(f"{SCHEME}://"):
            context["outlet_events"][outlet].extra.update(event)
        elif isinstance(outlet, AssetAlias):
            context["outlet_events"][outlet].add(create_asset(account=account, source=source), extra=dict(event))
