"""The declaration that everything else derives from."""

import re

import pytest

from deltacloud import catalogue
from deltacloud.catalogue import drivers as drivers_collection

OPERATIONS = [operation for each in catalogue.COLLECTIONS for operation in each.operations]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.collection}-{each.name}")
def test_each_placeholder_of_a_path_is_a_required_parameter_in_the_path(operation):
    placeholders = re.findall(r"{(\w+)}", operation.path)

    assert sorted(placeholders) == sorted(each.name for each in operation.parameters if each.in_path and operation.path)
    assert set(placeholders) <= set(operation.required)


def test_no_two_operations_answer_the_same_method_and_path():
    routes = [(each.http_method, re.sub(r"{\w+}", "{}", each.path)) for each in OPERATIONS if each.http_method]

    assert len(routes) == len(set(routes))


def test_rpc_names_are_those_the_design_gives():
    names = catalogue.rpc_operations("compute")

    assert {"list_instances", "get_instance", "create_instance", "stop_instance"} <= set(names)
    assert {"attach_storage_volume", "create_firewall_rule"} <= set(names)
    assert set(catalogue.rpc_operations("registry")) == {drivers_collection.GET_PICTURE.rpc}


def test_operations_that_share_an_rpc_method_agree_on_what_it_does():
    for operation in OPERATIONS:
        declared = catalogue.rpc_operation(operation.service, operation.rpc)
        assert (declared.result, declared.effect, declared.is_list) == (
            operation.result,
            operation.effect,
            operation.is_list,
        )


def test_the_parameters_of_a_feature_are_parameters_of_the_operation_it_extends():
    for feature in catalogue.FEATURES:
        if feature.operation is None:
            continue
        operation = catalogue.collection(feature.collection).operation(feature.operation)
        assert {each.name for each in feature.parameters} <= {each.name for each in operation.parameters}


def test_a_collection_that_does_not_exist_is_a_key_error():
    with pytest.raises(KeyError):
        catalogue.collection("nonsense")


def test_whatever_carries_a_secret_is_declared_secret():
    secret = {each.name for operation in OPERATIONS for each in operation.parameters if each.is_secret}

    assert secret == {"user_data", "password", "private_key", "cmd", "user_files", "user_iso"}
