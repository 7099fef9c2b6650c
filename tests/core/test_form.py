"""The form encoding of ``core/form.py``: what goes out, and that it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.form import decode_form, encode_form, parse_pairs, quote_value, quote_values

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def _not_a_list(value: dict[str, Any]) -> bool:
    return set(value) != {str(index) for index in range(len(value))}


def _hashes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(NAMES, inner, min_size=1, max_size=3).filter(_not_a_list)


NESTED = st.recursive(TEXTS, lambda inner: _hashes(inner) | st.lists(inner, min_size=1, max_size=3), max_leaves=8)
FORMS = st.dictionaries(NAMES, NESTED, max_size=4)


def spelled_out(name: str, value: Any) -> Iterator[tuple[str, str]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if children is None:
        yield name, value
    else:
        for child, inner in children:
            yield from spelled_out(f"{name}[{child}]", inner)


@given(FORMS)
def test_what_is_encoded_decodes_to_itself(form: dict[str, Any]) -> None:
    assert decode_form(encode_form(form)) == form


@given(FORMS)
def test_encoding_is_that_of_the_standard_library_with_brackets_left_literal(form: dict[str, Any]) -> None:
    pairs = [pair for name, value in form.items() for pair in spelled_out(name, value)]
    encoded = encode_form(form).decode("ascii")
    assert encoded.replace("[", "%5B").replace("]", "%5D") == urlencode(pairs)
    assert parse_qsl(encoded, keep_blank_values=True) == pairs


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, b""),
        ({}, b""),
        ([], b""),
        ("", b"a="),
        (True, b"a=true"),
        (False, b"a=false"),
        (4950, b"a=4950"),
        (-1, b"a=-1"),
        ("Zoë & co", b"a=Zo%C3%AB+%26+co"),
        ("a+b=c", b"a=a%2Bb%3Dc"),
        ({"b": {"c": "d", "e": None}}, b"a[b][c]=d"),
        ({"0": "x"}, b"a[0]=x"),
        (["x", "y"], b"a[0]=x&a[1]=y"),
        (({"b": "c"},), b"a[0][b]=c"),
        ({"b&c": "d"}, b"a[b%26c]=d"),
    ],
)
def test_a_value_is_encoded_as_the_official_clients_do(value: Any, form: bytes) -> None:
    assert encode_form({"a": value}) == form


@pytest.mark.parametrize("value", [1.5, b"x", object(), {"b": 0.1}])
def test_a_value_without_an_exact_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="has no form encoding"):
        encode_form({"a": value})


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=1&a[1]=2", {"a": ["1", "2"]}),
        ("a[1]=2&a[0]=1", {"a": ["1", "2"]}),
        ("a[][b]=1", {"a": [{"b": "1"}]}),
        ("a[0]=1&a[2]=2", {"a": {"0": "1", "2": "2"}}),
        ("a[b]=1&a[c]=", {"a": {"b": "1", "c": ""}}),
        ("a=1&a=2", {"a": "2"}),
        ("a", {"a": ""}),
        (b"a=%C3%AB+x", {"a": "ë x"}),
        ("", {}),
    ],
)
def test_a_form_is_read_as_the_api_reads_it(form: str | bytes, value: dict[str, Any]) -> None:
    assert decode_form(form) == value


@pytest.mark.parametrize("name", ["[a]", "a[b", "a[b]c", "=x"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Malformed parameter name"):
        decode_form(f"{name}=1")


@pytest.mark.parametrize("form", ["a=1&a[b]=2", "a[b]=2&a=1", "a[b]=1&a[b][c]=2"])
def test_a_name_that_is_both_a_value_and_a_hash_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="both as a value and as a hash"):
        decode_form(form)


@pytest.mark.parametrize("body", [b"a=%FF", b"\xff=1"])
def test_bytes_that_are_not_utf8_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        parse_pairs(body)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["", "a_1", "a\nb", "\n", "a@b c", "é%+"])
    )
)
def test_many_values_are_quoted_as_each_of_them_is(texts: list[str]) -> None:
    assert list(quote_values(texts)) == [quote_value(text) for text in texts]
