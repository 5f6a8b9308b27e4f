"""Pages for people: plain, without a script, safe with whatever a cloud calls its things."""

from typing import Any

import msgspec
import pytest
from lxml import html

API = "http://dc.example:3001/api"


def page(answer: Any) -> Any:
    assert answer.headers["content-type"] == "text/html"
    return html.fromstring(answer.text)


def test_a_list_is_a_table_with_a_link_to_each_record(client: Any) -> None:
    found = page(client.get("/api/instances", accept="text/html"))

    assert found.xpath("//table//th/a/@href") == [f"{API}/instances/i1"]
    assert "RUNNING" in found.xpath("string(//table)")


def test_a_record_is_a_list_of_facts_with_its_actions_as_buttons(client: Any) -> None:
    found = page(client.get("/api/instances/i1", accept="text/html"))

    assert f"{API}/realms/r1" in found.xpath("//dd/a/@href")
    assert found.xpath("//form[@method='post']/@action") == [f"{API}/instances/i1/stop"]


def test_a_button_that_destroys_posts_the_method_it_stands_for(client: Any) -> None:
    client.post("/api/instances/i1/stop")

    found = page(client.get("/api/instances/i1", accept="text/html"))

    assert found.xpath("//form/input[@name='_method']/@value") == ["delete"]


def test_an_action_with_parameters_is_a_form_derived_from_the_catalogue(client: Any) -> None:
    found = page(client.get("/api/instances/new?image_id=m1", accept="text/html"))

    assert found.xpath("//form/@action") == [f"{API}/instances"]
    assert found.xpath("//input[@name='image_id']/@value") == ["m1"]
    assert found.xpath("//input[@name='password']/@type") == ["password"]
    assert found.xpath("//input[@name='firewalls1']")


def test_a_form_offers_what_may_be_chosen(client: Any) -> None:
    found = page(client.get("/api/firewalls/f1/new_rule", accept="text/html"))

    assert found.xpath("//form/@action") == [f"{API}/firewalls/f1/rules"]
    assert found.xpath("//select[@name='protocol']/option/text()") == ["tcp", "udp", "icmp"]


def test_a_form_of_what_the_driver_cannot_do_is_412(client: Any) -> None:
    assert client.get("/api/load_balancers/new", accept="text/html").status == 412


def test_what_a_cloud_calls_its_things_is_text_and_never_markup(client: Any) -> None:
    evil = "<script>alert(1)</script>\"'>"
    client.cloud.instances["i1"] = msgspec.structs.replace(client.cloud.instances["i1"], name=evil)

    for target in ("/api/instances", "/api/instances/i1"):
        answer = client.get(target, accept="text/html")
        assert "<script" not in answer.text
        assert evil in page(answer).text_content()


def test_what_a_caller_writes_is_text_and_never_markup(client: Any) -> None:
    answers = [
        client.get("/api/instances/%3Cscript%3E", accept="text/html"),
        client.get("/api/instances/new?image_id=%22%3E%3Cscript%3E", accept="text/html"),
        client.get("/api/realms", accept="text/html", X_Deltacloud_Provider="<script>"),
        client.get("/api/realms", accept="text/html", X_Deltacloud_Driver="<script>"),
    ]

    assert all("<script" not in answer.text for answer in answers)


def test_pages_run_no_script_and_load_nothing_from_elsewhere(client: Any) -> None:
    for target in (
        "/",
        "/api",
        "/api/instances",
        "/api/instances/i1",
        "/api/docs",
        "/api/nosuch",
        "/api/instances/new",
    ):
        answer = client.get(target, accept="text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        found = page(answer) if "charset" not in answer.headers["content-type"] else html.fromstring(answer.text)
        assert not found.xpath("//script | //*[@style] | //style | //@onclick")
        assert found.xpath("//link/@href") == ["/static/icon.svg", "/static/style.css"]
    assert client.get("/static/style.css", login=None).headers["content-type"].startswith("text/css")
    assert client.get("/static/icon.svg", login=None).headers["content-type"].startswith("image/svg+xml")


def test_links_of_a_page_keep_the_driver_and_provider_it_was_asked_with(client: Any) -> None:
    found = page(client.get("/api;driver=tiny;provider=west/instances/i1", accept="text/html"))

    assert found.xpath("//form/@action") == [f"{API};driver=tiny;provider=west/instances/i1/stop"]
    assert f"{API};driver=tiny;provider=west/realms/r1" in found.xpath("//dd/a/@href")


def test_a_page_says_how_a_program_asks_for_the_same(client: Any) -> None:
    found = page(client.get("/api;driver=tiny/instances/i1", accept="text/html"))

    command = found.xpath("string(//pre/code)")
    assert command.startswith("curl -u USER:PASSWORD")
    assert command.endswith(f"{API}/instances/i1")
    assert "X-Deltacloud-Driver: tiny" in command


def test_a_browser_is_redirected_after_a_change(client: Any) -> None:
    created = client.post("/api/addresses", accept="text/html")
    changed = client.post("/api/addresses/203.0.113.9/associate", "instance_id=i1", accept="text/html")
    client.post("/api/instances/i1/stop")
    destroyed = client.ask("DELETE", "/api/instances/i1", accept="text/html")
    unruled = client.ask("DELETE", "/api/firewalls/f1/r1", accept="text/html")

    assert (created.status, created.headers["location"]) == (303, f"{API}/addresses/203.0.113.9")
    assert (changed.status, changed.headers["location"]) == (303, f"{API}/addresses/203.0.113.9")
    assert (destroyed.status, destroyed.headers["location"]) == (303, f"{API}/instances")
    assert (unruled.status, unruled.headers["location"]) == (303, f"{API}/firewalls/f1")


def test_a_new_key_s_private_part_is_shown_at_once_since_it_is_told_only_then(client: Any) -> None:
    answer = client.post("/api/keys", "name=k1", accept="text/html")

    assert answer.status == 201
    assert "-----BEGIN KEY-----" in page(answer).text_content()


@pytest.mark.parametrize("target", ["/api/instances/nosuch", "/api/load_balancers"])
def test_an_error_page_says_what_is_wrong_and_for_which_driver(client: Any, target: str) -> None:
    answer = client.get(target, accept="text/html")

    text = page(answer).text_content()
    assert str(answer.status) in text
    assert "tiny" in text
    assert target in text
