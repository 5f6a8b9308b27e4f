"""The pages in a real browser, scripts switched off: read, click, fill in; what a cloud calls a thing is never run."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import msgspec
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from harness import processes
from harness.embedded import serving
from harness.ports import free_port
from harness.requirements import Requirement, chromium, need

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LOGIN = ("mockuser", "mockpassword")
EVIL = "<img src=x onerror=alert(1)><script>document.title='run'</script>\"'&amp;"
PAGES = (
    "/",
    "/api",
    "/api/instances",
    "/api/instances/inst1",
    "/api/instances/new",
    "/api/instance_states",
    "/api/hardware_profiles",
    "/api/buckets/bucket1",
    "/api/buckets/bucket1/blob1",
    "/api/drivers/ec2",
    "/api/docs",
    "/api/docs/instances",
    "/api/docs/instances/create",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("pages"), free_port()
    with processes.start(
        [sys.executable, "-m", "deltacloudd", "-p", str(port)],
        log=folder / "log",
        env={"DELTACLOUD_MOCK_STORAGE": str(folder / "mock")},
        until=processes.answers(f"http://127.0.0.1:{port}/health/ready"),
    ):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    need(Requirement.CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], str]]:
    """Serves a page at an origin of its own and returns its URL."""
    with contextlib.ExitStack() as stack:

        def serve(page: str) -> str:
            def app(_: object, start: Callable[..., object]) -> list[bytes]:
                start("200 OK", [("Content-Type", "text/html")])
                return [page.encode()]

            return stack.enter_context(serving(app))

        yield serve


class Seen(msgspec.Struct):
    """What a browser met on the way."""

    hosts: set[str] = msgspec.field(default_factory=set)
    complaints: list[str] = msgspec.field(default_factory=list)


Open = Callable[..., Page]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def open_page(browser: Browser, url: str, seen: Seen) -> Iterator[Open]:
    """Opens a page as a person who is logged in; scripts are off unless asked for."""
    contexts: list[BrowserContext] = []

    def open_(path: str, *, scripts: bool = False, login: tuple[str, str] | None = LOGIN) -> Page:
        credentials = {"username": login[0], "password": login[1]} if login else None
        context = browser.new_context(
            http_credentials=credentials,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            viewport={"width": 1200, "height": 800},
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
        page.goto(url + path)
        return page

    yield open_
    for each in contexts:
        each.close()
    assert seen.hosts <= {urlsplit(url).netloc}
    assert seen.complaints == []


def test_from_the_entry_page_an_instance_is_found_and_stopped_by_clicking(open_page: Open, url: str) -> None:
    page = open_page("/api")
    page.get_by_role("link", name="instances", exact=True).click()
    page.get_by_role("link", name="inst2").click()
    assert _fact(page, "state") == "RUNNING"

    page.get_by_role("button", name="stop").click()

    assert _fact(page, "state") == "STOPPED"
    assert page.get_by_role("button", name="start").is_visible()
    shown = requests.get(f"{url}/api/instances/inst2?format=json", auth=LOGIN, timeout=10).json()
    assert shown["instance"]["state"] == "STOPPED"


def test_an_instance_is_created_by_a_form_and_destroyed_by_a_button(open_page: Open, url: str) -> None:
    page = open_page("/api/instances")
    page.get_by_role("link", name="create instance").click()
    page.locator("#image_id").fill("img1")
    page.locator("#name").fill("made by hand")
    page.get_by_role("button", name="create").click()
    instance = _fact(page, "id")
    assert _fact(page, "name") == "made by hand"

    page.get_by_role("button", name="stop").click()
    page.get_by_role("button", name="destroy").click()

    assert page.url == f"{url}/api/instances"
    assert requests.get(f"{url}/api/instances/{instance}", auth=LOGIN, timeout=10).status_code == 404


def test_a_field_that_is_missing_is_asked_for_by_the_browser_itself(open_page: Open, url: str) -> None:
    page = open_page("/api/keys/new")

    page.get_by_role("button", name="create").click()

    assert page.url == f"{url}/api/keys/new"


def test_a_bucket_shows_its_blobs_and_a_blob_is_downloaded(open_page: Open) -> None:
    page = open_page("/api/buckets")
    page.get_by_role("link", name="bucket1").first.click()
    assert page.locator("dd a").all_inner_texts() == ["blob1", "blob2", "blob3"]
    page.get_by_role("link", name="blob1").click()
    assert _fact(page, "content type") == "text/plain"

    with page.expect_download() as download:
        page.get_by_role("link", name="download").click()

    assert download.value.suggested_filename == "blob1"
    assert download.value.path().read_text() == "content of blob 1"


def test_the_documentation_leads_from_all_collections_to_one_operation(open_page: Open) -> None:
    page = open_page("/api")
    page.get_by_role("link", name="Documentation").click()
    page.get_by_role("link", name="instances", exact=True).click()
    page.get_by_role("link", name="create", exact=True).click()

    assert "POST /api/instances" in page.locator("main").inner_text()
    assert page.get_by_text("image_id", exact=True).is_visible()


def test_a_driver_and_provider_chosen_by_form_stay_chosen(open_page: Open, url: str) -> None:
    page = open_page("/api")
    page.get_by_label("Driver").select_option("ec2")
    page.get_by_role("button", name="Use this driver").click()
    page.get_by_label("Provider").select_option("eu-west-1")
    page.get_by_role("button", name="Use this provider").click()
    assert page.locator("header").inner_text().count("eu-west-1") == 1

    page.get_by_role("link", name="Drivers", exact=True).click()

    assert page.url == f"{url}/api;driver=ec2;provider=eu-west-1/drivers"


@pytest.mark.parametrize("scripts", [False, True])
def test_a_name_full_of_markup_is_shown_and_not_run(open_page: Open, url: str, scripts: bool) -> None:
    form = {"image_id": "img1", "name": EVIL}
    made = requests.post(f"{url}/api/instances?format=json", form, auth=LOGIN, timeout=10).json()["instance"]

    for path in (f"/api/instances/{made['id']}", "/api/instances"):
        page = open_page(path, scripts=scripts)
        assert EVIL in page.locator("main").inner_text()
        assert page.locator("img, script").count() == 0
        assert "run" not in page.title()


def test_a_blob_that_is_a_page_is_saved_and_never_shown_as_ours(open_page: Open, url: str) -> None:
    where = f"{url}/api/buckets/bucket2/page.html"
    headers = {"Content-Type": "text/html"}
    stored = requests.put(where, "<script>alert(1)</script>", auth=LOGIN, headers=headers, timeout=10)
    page = open_page("/api/buckets/bucket2/page.html", scripts=True)

    with page.expect_download() as download:
        page.get_by_role("link", name="download").click()

    assert stored.status_code == 200
    assert download.value.suggested_filename == "page.html"
    assert page.url == where


def test_a_page_of_another_site_cannot_stop_an_instance_with_the_person_s_login(
    browser: Browser, url: str, elsewhere: Callable[[str], str]
) -> None:
    trap = f'<form method="post" action="{url}/api/instances/inst1/stop"><button>win a prize</button></form>'
    context = browser.new_context(http_credentials={"username": LOGIN[0], "password": LOGIN[1]})
    page = context.new_page()
    page.goto(f"{url}/api/instances/inst1")
    page.goto(elsewhere(trap))
    page.get_by_role("button").click()

    assert page.url == f"{url}/api/instances/inst1/stop"
    assert "another site" in page.locator(".error").inner_text()
    shown = requests.get(f"{url}/api/instances/inst1?format=json", auth=LOGIN, timeout=10).json()
    assert shown["instance"]["state"] == "RUNNING"
    context.close()


def test_an_error_is_a_page_that_says_what_is_wrong(open_page: Open, seen: Seen) -> None:
    page = open_page("/api/instances/nosuch")

    assert page.locator(".error").inner_text() == "There is no instance 'nosuch'."
    assert _fact(page, "driver") == "mock"
    seen.complaints.clear()  # the browser repeats the 404


def test_without_a_login_the_browser_is_challenged(open_page: Open, url: str) -> None:
    page = open_page("/api", login=None)

    assert page.locator("h1").inner_text() == "Deltacloud"
    answer = requests.get(f"{url}/api/instances", headers={"Accept": "text/html"}, timeout=10)
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="mock-deltacloud@')


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_guarded_and_accessible(open_page: Open, url: str, path: str) -> None:
    page = open_page(path)
    scripted = open_page(path, scripts=True)

    answer = requests.get(url + path, auth=LOGIN, headers={"Accept": "text/html"}, timeout=10)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert page.locator("h1").count() == 1
    assert scripted.evaluate("getComputedStyle(document.querySelector('header')).display") == "flex"
    assert scripted.evaluate("document.documentElement.scrollWidth <= innerWidth")
    problems = Axe().run(scripted).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in problems] == []


def _fact(page: Page, label: str) -> str:
    """Return what a member's page says beside a label."""
    return page.locator("dt", has_text=label).and_(page.get_by_text(label, exact=True)).locator("+ dd").inner_text()
