from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BadInputError
from models.export.names import signature_name, signature_names


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("OT", "OT"),
        ("snake_case_2", "snake_case_2"),
        ("#Passengers", "Passengers"),
        ("CO2 (ppm)", "CO2_ppm"),
        ("a/b", "a_b"),
        ("1st", "column_1st"),
        ("_hidden", "hidden"),
        ("Zürich °C", "Zurich_C"),
    ],
)
def test_examples(column, name):
    assert signature_name(column) == name


@given(st.text(min_size=1))
def test_every_name_is_an_identifier_and_stays_itself(column):
    name = signature_name(column)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
    assert signature_name(name) == name


def test_names_without_letters_stay_apart():
    names = signature_names(["温度", "湿度", "°"])
    assert len(set(names.values())) == 3


@pytest.mark.parametrize("pair", [("a/b", "a b"), ("co2", "CO2"), ("#x", "x")])
def test_collisions_name_both_columns(pair):
    with pytest.raises(BadInputError) as refused:
        signature_names(pair)
    assert repr(pair[0]) in str(refused.value)
    assert repr(pair[1]) in str(refused.value)
