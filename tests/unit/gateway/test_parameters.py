"""HTTP's spellings of parameters, as the driver sees them."""

from typing import Any

import pytest


def test_query_and_form_are_merged_and_the_form_wins(client: Any) -> None:
    client.post("/api/instances?image_id=m1&name=query", "name=form")

    assert client.cloud.last().parameters["image_id"] == "m1"
    assert client.cloud.last().parameters["name"] == "form"


def test_everything_may_stand_in_the_query_with_an_empty_body(client: Any) -> None:
    answer = client.post("/api/instances?image_id=m1", Content_Type="application/x-www-form-urlencoded")

    assert answer.status == 201


def test_a_multipart_form_is_a_form(client: Any) -> None:
    body = (
        '--B\r\nContent-Disposition: form-data; name="image_id"\r\n\r\nm1\r\n'
        '--B\r\nContent-Disposition: form-data; name="name"; filename="x"\r\nContent-Type: text/plain\r\n\r\nwéb\r\n'
        "--B--\r\n"
    )

    answer = client.post("/api/instances", body, Content_Type="multipart/form-data; boundary=B")

    assert answer.status == 201
    assert client.cloud.last().parameters["name"] == "wéb"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('--B\r\nContent-Disposition: form-data; name="image_id"\r\n\r\nm1\r\n', "multipart/form-data; boundary=B"),
        ("no boundary at all", "multipart/form-data; boundary=B"),
        ("--B--", "multipart/form-data"),
        (b"image_id=\xff", "application/x-www-form-urlencoded"),
        ("image_id=%ff", "application/x-www-form-urlencoded"),
        ("&".join(f"a{number}=1" for number in range(2000)), "application/x-www-form-urlencoded"),
    ],
)
def test_a_form_that_cannot_be_read_is_400(client: Any, body: bytes | str, content_type: str) -> None:
    answer = client.post("/api/instances", body, Content_Type=content_type)

    assert answer.status == 400
    assert client.cloud.seen == []


def test_a_body_of_another_kind_is_no_form(client: Any) -> None:
    answer = client.post("/api/instances", '{"image_id": "m1"}', Content_Type="application/json")

    assert answer.status == 400
    assert "image_id" in answer.text


def test_a_form_larger_than_allowed_is_413(client: Any) -> None:
    answer = client.post("/api/instances", "image_id=m1&name=" + "x" * 1024 * 1024)

    assert answer.status == 413
    assert client.cloud.seen == []


def test_unknown_parameters_are_dropped_since_old_clients_send_some(client: Any) -> None:
    assert client.post("/api/instances", "image_id=m1&commit=create&key_name=x&x[y]=z").status == 201


def test_a_numbered_family_becomes_a_list_in_the_order_of_its_numbers(client: Any) -> None:
    client.post("/api/instances", "image_id=m1&firewalls10=ten&firewalls2=two&firewalls1=one")

    assert client.cloud.last().parameters["firewalls"] == ["one", "two", "ten"]


def test_paths_and_contents_become_files(client: Any) -> None:
    client.post("/api/instances", "image_id=m1&path1=/a&content1=one&path2=/b&content2=two&path3=")

    assert client.cloud.last().parameters["user_files"] == [
        {"path": "/a", "content": "one"},
        {"path": "/b", "content": "two"},
    ]


def test_the_sources_of_a_firewall_rule_are_collected_from_their_spellings(client: Any) -> None:
    answer = client.post(
        "/api/firewalls/f1/rules",
        "protocol=TCP&port_from=22&port_to=22&ip_address1=10.0.0.0/8&ip-address2=192.0.2.0/24"
        "&group1=web&group1owner=alice&group2=db&group2owner=bob",
    )

    assert answer.status == 201
    assert client.cloud.last().parameters["ip_addresses"] == ["10.0.0.0/8", "192.0.2.0/24"]
    assert client.cloud.last().parameters["groups"] == {"web": "alice", "db": "bob"}
    assert client.cloud.last().parameters["port_from"] == 22


@pytest.mark.parametrize(
    "form", ["port_from=22&port_to=22", "protocol=xyz&port_from=1&port_to=1", "protocol=tcp&port_from=a&port_to=1"]
)
def test_a_parameter_outside_what_is_declared_is_400_and_named(client: Any, form: str) -> None:
    answer = client.post("/api/firewalls/f1/rules", form)

    assert answer.status == 400
    assert any(name in answer.text for name in ("protocol", "port_from"))
    assert client.cloud.seen == []


def test_an_empty_field_of_a_page_s_form_was_not_filled_in_while_a_program_s_empty_value_counts(client: Any) -> None:
    client.post("/api/instances", "image_id=m1&name=&instance_count=", accept="text/html")
    from_page = client.cloud.last().parameters
    client.post("/api/instances", "image_id=m1&name=")

    assert from_page["name"] is None
    assert client.cloud.last().parameters["name"] == ""


def test_a_filter_reaches_the_driver(client: Any) -> None:
    client.get("/api/instances?state=STOPPED")

    assert client.cloud.last().parameters["state"] == "STOPPED"


def test_what_only_other_services_may_say_is_dropped(client: Any) -> None:
    assert len(client.get("/api/realms?limit=1", accept="application/json").json["realms"]) == 2
