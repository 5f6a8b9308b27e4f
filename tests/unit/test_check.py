"""Parameters against their declaration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltacloud import catalogue
from deltacloud.catalogue.check import check, shown
from deltacloud.errors import InvalidParameters

CREATE = catalogue.collection("instances").operation("create")
SHOW = catalogue.collection("instances").operation("show")
RULES = catalogue.collection("firewalls").operation("rules")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def refusal(operation, parameters):
    with pytest.raises(InvalidParameters) as caught:
        check(operation, parameters)
    return caught.value.message


def test_a_missing_parameter_is_named_beside_those_received():
    assert refusal(CREATE, {"name": "x", "realm_id": "r"}) == (
        "Required parameter 'image_id' not found in [name,realm_id]"
    )


def test_an_unknown_parameter_is_named_beside_those_known():
    assert "'colour'" in refusal(CREATE, {"image_id": "i", "colour": "red"})


def test_none_counts_as_absent():
    assert check(CREATE, {"image_id": "i", "name": None}) == {"image_id": "i"}


def test_an_empty_value_passes_where_the_original_let_it_pass():
    assert check(CREATE, {"image_id": "", "name": ""}) == {"image_id": "", "name": ""}


def test_an_empty_value_is_refused_where_it_can_mean_nothing():
    assert "not empty" in refusal(RULES, {"id": "f", "protocol": "", "port_from": 1, "port_to": 2})


@pytest.mark.parametrize("given_count", ["3", 3])
def test_a_number_may_be_a_text(given_count):
    assert check(CREATE, {"image_id": "i", "instance_count": given_count})["instance_count"] == 3


@pytest.mark.parametrize("count", ["many", "0", 1001, True, 2.5, "9" * 50])
def test_a_number_out_of_range_or_of_no_kind_is_refused(count):
    assert "instance_count" in refusal(CREATE, {"image_id": "i", "instance_count": count})


def test_a_choice_is_compared_without_case_and_a_wrong_one_lists_the_right_ones():
    assert check(RULES, {"id": "f", "protocol": "TCP", "port_from": 1, "port_to": 2})["protocol"] == "TCP"
    assert "tcp, udp, icmp" in refusal(RULES, {"id": "f", "protocol": "gre", "port_from": 1, "port_to": 2})


@pytest.mark.parametrize("bad", ["a\0b", "a\nb", "", "x" * 2000])
def test_an_id_with_control_characters_or_of_absurd_length_is_refused(bad):
    refusal(SHOW, {"id": bad})


@pytest.mark.parametrize("odd", ["a/b", "../..", "ä ö", "a%2Fb"])
def test_an_id_may_hold_whatever_else_a_cloud_puts_into_ids(odd):
    assert check(SHOW, {"id": odd}) == {"id": odd}


def test_a_secret_is_never_repeated_in_a_refusal():
    message = refusal(CREATE, {"image_id": "i", "user_data": "canary!canary"})

    assert "canary" not in message
    assert "user_data" in message


def test_a_long_value_is_shortened_and_made_printable():
    assert shown("a\x07" + "b" * 100) == "'a?" + "b" * 38 + "…'"


@given(st.dictionaries(st.sampled_from([*(each.name for each in CREATE.parameters), "other"]), VALUES))
def test_whatever_is_sent_is_either_taken_in_its_declared_type_or_refused(parameters):
    try:
        taken = check(CREATE, parameters)
    except InvalidParameters:
        return
    types = {"integer": int, "list": list, "files": list}
    for parameter in CREATE.parameters:
        value = taken.get(parameter.name)
        assert value is None or isinstance(value, types.get(parameter.type, str))
