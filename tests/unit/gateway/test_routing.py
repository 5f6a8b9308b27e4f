"""From raw paths to operations of the catalogue."""

import pytest

from deltacloud import catalogue
from deltacloud.errors import InvalidRequest
from deltacloud_gateway.routing import Router, allowed, read_path, shown_path

ROUTER = Router()


def reached(path: str, method: str) -> tuple[str, dict[str, str]] | None:
    match = ROUTER.matches(read_path(f"/api{path}".encode()).segments[1:]).get(method)
    return None if match is None else (match.route.operation.rpc, match.parameters)


@pytest.mark.parametrize(
    "operation",
    [each for one in catalogue.COLLECTIONS for each in one.operations if each.http_method],
    ids=lambda each: each.rpc,
)
def test_every_operation_of_the_catalogue_is_reached_by_its_method_and_path(operation: catalogue.Operation) -> None:
    assert operation.http_method is not None

    found = reached(operation.path.replace("{", "").replace("}", ""), operation.http_method)

    assert found is not None
    assert found[0] == operation.rpc


def test_an_id_is_decoded_exactly_once() -> None:
    assert reached("/instances/a%2Fb%2541", "GET") == ("get_instance", {"id": "a/b%41"})


def test_a_literal_segment_wins_over_a_parameter() -> None:
    assert reached("/firewalls/f1/rules", "POST") == ("create_firewall_rule", {"id": "f1"})
    assert reached("/firewalls/f1/rules", "DELETE") == ("destroy_firewall_rule", {"id": "f1", "rule_id": "rules"})


def test_matrix_parameters_are_no_part_of_ids() -> None:
    path = read_path(b"/api;driver=ec2;provider=https%3A%2F%2Fcloud.example%2F/instances/i-9/run;id=i-9")

    assert path.segments == ("api", "instances", "i-9", "run")
    assert path.matrix == {"driver": "ec2", "provider": "https://cloud.example/"}


@pytest.mark.parametrize("path", ["/nosuch", "/realms/", "/realms//x", "/instances/i/stop/now", "/realms/us/x"])
def test_a_path_that_is_none_of_ours_matches_nothing(path: str) -> None:
    assert not ROUTER.matches(read_path(f"/api{path}".encode()).segments[1:])


def test_a_path_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="UTF-8"):
        read_path(b"/api/realms/%ff")


def test_allow_lists_the_methods_of_a_path() -> None:
    assert allowed(ROUTER.matches(("realms",))) == "GET, HEAD, OPTIONS"
    assert allowed(ROUTER.matches(("instances", "i", "stop"))) == "HEAD, OPTIONS, POST"


def test_a_blob_s_attributes_are_read_at_two_urls() -> None:
    assert reached("/buckets/b/one", "HEAD") == ("get_blob", {"bucket_id": "b", "id": "one"})
    assert reached("/buckets/b/one/metadata", "HEAD") == ("get_blob", {"bucket_id": "b", "id": "one"})


def test_a_path_is_shown_as_it_was_sent_but_for_matrix_parameters() -> None:
    assert shown_path(b"/api;driver=ec2/images/a%2Fb;x=1") == "/api/images/a%2Fb"
