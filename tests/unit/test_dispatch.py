"""From a call to a driver and back."""

import time

import pytest

from deltacloud.drivers import (
    AUTO,
    ComputeDriver,
    Credentials,
    ProviderTarget,
    SessionCache,
    StateMachine,
)
from deltacloud.drivers.loading import BrokenDriver, verify
from deltacloud.errors import (
    AuthenticationFailed,
    CapabilityMissing,
    Conflict,
    DeadlineExceeded,
    InvalidParameters,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Throttled,
    Unavailable,
    UnknownMethod,
    WrongState,
)
from deltacloud.models import Instance, Realm
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.dispatch import Dispatcher

STATES = StateMachine(
    {"start": [("create", "running")], "running": [("stop", "stopped")], "stopped": [(AUTO, "finish")]}
)


class Cloud(ComputeDriver):
    id = "cloud"
    title = "Cloud"
    states = STATES
    anonymous_operations = frozenset({"list_realms"})
    provable_operations = frozenset({"create_key"})

    def __init__(self):
        self.calls = []
        self.failure = None

    def list_realms(self, session):
        return [Realm(id=name, name=name.upper()) for name in ("a", "b", "c")]

    def list_instances(self, session, state=None):
        self.calls.append(("list_instances", state))
        return [Instance(id=f"i{n}", realm_id="a" if n % 2 else "b") for n in range(5)]

    def get_instance(self, session, id):
        raise NotFound(f"Instance '{id}' does not exist.")

    def create_instance(self, session, image_id, name=None):
        self.calls.append(("create_instance", image_id, name))
        return Instance(id="new", name=name)

    def create_key(self, session, name):
        self.calls.append(("create_key", name, session.idempotency_key))
        if self.failure is not None:
            raise self.failure

    def stop_instance(self, session, id):
        self.require_action("stop", Instance(id=id, state="STOPPED", actions=STATES.actions("STOPPED")))


class PlainOpener:
    def open(self, carried, **_):
        return Credentials(carried.user, carried.password)


@pytest.fixture
def driver():
    return Cloud()


@pytest.fixture
def dispatcher(driver):
    return Dispatcher(
        driver, opener=PlainOpener(), resolve=lambda _, name: ProviderTarget(name=name), cache=SessionCache()
    )


def context(**more):
    fields = {"credentials": CarriedCredentials(user="u", password="p"), "deadline": time.time() + 10, **more}
    return Context(**fields)


def test_a_list_is_whole_without_a_limit(dispatcher):
    page = dispatcher.call("list_realms", context(), {})

    assert [each.id for each in page.items] == ["a", "b", "c"]
    assert page.next is None


def test_following_the_markers_gives_each_record_once(dispatcher):
    first = dispatcher.call("list_realms", context(), {"limit": 2})
    rest = dispatcher.call("list_realms", context(), {"limit": 2, "marker": first.next})

    assert [each.id for each in (*first.items, *rest.items)] == ["a", "b", "c"]
    assert rest.next is None


def test_a_marker_that_is_no_record_is_refused(dispatcher):
    with pytest.raises(InvalidParameters):
        dispatcher.call("list_realms", context(), {"marker": "zzz"})


def test_a_filter_that_the_driver_takes_reaches_it_and_others_are_applied_to_its_answer(dispatcher, driver):
    page = dispatcher.call("list_instances", context(), {"state": "RUNNING", "realm_id": "a"})

    assert driver.calls == [("list_instances", "RUNNING")]
    assert [each.id for each in page.items] == ["i1", "i3"]


def test_a_parameter_that_the_driver_has_no_use_for_does_not_reach_it(dispatcher, driver):
    dispatcher.call("create_instance", context(), {"image_id": "i", "name": "n", "user_data": "eA=="})

    assert driver.calls == [("create_instance", "i", "n")]


def test_an_unknown_method_is_told_apart_from_one_the_driver_lacks(dispatcher):
    with pytest.raises(UnknownMethod):
        dispatcher.call("dance", context(), {})
    with pytest.raises(CapabilityMissing) as caught:
        dispatcher.call("destroy_instance", context(), {"id": "x"})
    assert caught.value.details == {"capability": "destroy_instance"}


def test_missing_credentials_ask_for_a_challenge_before_the_driver_is_called(dispatcher, driver):
    with pytest.raises(AuthenticationFailed) as caught:
        dispatcher.call("list_instances", context(credentials=None), {})

    assert caught.value.details == {"challenge": "basic"}
    assert driver.calls == []


def test_anonymous_operations_need_none(dispatcher):
    assert dispatcher.call("list_realms", context(credentials=None), {}).items


def test_a_call_whose_deadline_has_passed_is_not_started(dispatcher, driver):
    with pytest.raises(DeadlineExceeded):
        dispatcher.call("create_instance", context(deadline=time.time() - 1), {"image_id": "i"})
    assert driver.calls == []


def test_a_redelivered_create_is_not_run_again(dispatcher, driver):
    with pytest.raises(OutcomeUnknown, match="instances"):
        dispatcher.call("create_instance", context(), {"image_id": "i"}, is_redelivered=True)
    assert driver.calls == []


def test_a_redelivered_create_that_the_driver_can_prove_is_run_with_its_key(dispatcher, driver):
    dispatcher.call("create_key", context(idempotency_key="k1"), {"name": "n"}, is_redelivered=True)

    assert driver.calls == [("create_key", "n", "k1")]


@pytest.mark.parametrize("failure", [Unavailable("Not ready."), ProviderError("Garbage."), Throttled("Slow down.")])
def test_a_redelivered_create_whose_proof_fails_is_unknown_and_not_the_failure(dispatcher, driver, failure):
    driver.failure = failure
    with pytest.raises(OutcomeUnknown, match=failure.message):
        dispatcher.call("create_key", context(idempotency_key="k1"), {"name": "n"}, is_redelivered=True)


def test_a_redelivered_create_that_cannot_even_begin_is_unknown(driver):
    def resolve(_, name):
        raise Unavailable("No list of providers.")

    dispatcher = Dispatcher(driver, opener=PlainOpener(), resolve=resolve, cache=SessionCache())
    with pytest.raises(OutcomeUnknown, match="No list of providers"):
        dispatcher.call("create_key", context(idempotency_key="k1"), {"name": "n"}, is_redelivered=True)
    with pytest.raises(Unavailable):
        dispatcher.call("create_key", context(idempotency_key="k1"), {"name": "n"})


def test_a_redelivered_create_that_is_refused_for_what_it_asks_is_refused(dispatcher, driver):
    driver.failure = Conflict("The key was used for another request.")
    with pytest.raises(Conflict):
        dispatcher.call("create_key", context(idempotency_key="k1"), {"name": "n"}, is_redelivered=True)


def test_a_redelivered_read_is_run_again(dispatcher):
    assert dispatcher.call("list_instances", context(), {}, is_redelivered=True).items


def test_an_error_names_driver_and_provider(dispatcher):
    with pytest.raises(NotFound) as caught:
        dispatcher.call("get_instance", context(provider="eu"), {"id": "x"})

    assert (caught.value.driver, caught.value.provider) == ("cloud", "eu")


def test_an_action_that_the_state_forbids_lists_those_it_allows(dispatcher):
    with pytest.raises(WrongState) as caught:
        dispatcher.call("stop_instance", context(), {"id": "x"})

    assert "stop is not allowed now" in caught.value.message
    assert caught.value.details == {"allowed": ""}


def test_a_machine_offers_the_actions_of_a_state_but_not_its_automatic_ways():
    assert STATES.actions("RUNNING") == ("stop",)
    assert STATES.actions("stopped") == ()
    assert STATES.actions("start") == ()
    assert STATES.actions("PAUSED") == ()


def broken(**members):
    return type("Broken", (ComputeDriver,), {"id": "b", "title": "B", **members})


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"get_instance": lambda self, session, id, colour: None}, "colour"),
        ({"get_instance": lambda self, session: None}, "does not take id"),
        ({"list_instances": lambda self, session, state: None}, "make it optional"),
        ({"anonymous_operations": frozenset({"dance"})}, "dance"),
    ],
)
def test_a_driver_that_does_not_fit_the_catalogue_is_refused_at_loading(members, reason):
    with pytest.raises(BrokenDriver, match=reason):
        verify(broken(**members))


def test_a_driver_that_fits_is_loaded_with_what_it_implements():
    verify(Cloud)

    info = Cloud.info()
    assert info.operations == {
        "list_realms", "list_instances", "get_instance", "create_instance", "create_key", "stop_instance",
    }  # fmt: skip
    assert info.services == ("compute.cloud",)


def test_credentials_are_opened_for_the_call_they_came_with_and_no_other(driver):
    asked = []

    class Watching(PlainOpener):
        def open(self, carried, **call):
            asked.append(call)
            return super().open(carried)

    dispatcher = Dispatcher(
        driver, opener=Watching(), resolve=lambda _, name: ProviderTarget(name=name), cache=SessionCache()
    )
    carried = context(request_id="r-1")

    dispatcher.call("create_instance", carried, {"image_id": "i"})

    deadline = Deadline(carried.deadline)
    assert asked == [{"driver": "cloud", "method": "create_instance", "request_id": "r-1", "deadline": deadline}]


def test_parameters_that_came_under_the_seal_reach_the_driver_as_if_they_had_not(driver):
    class SealedOpener:
        def open(self, carried, **_):
            return Credentials("u", "p", {"name": "sealed"})

    dispatcher = Dispatcher(
        driver, opener=SealedOpener(), resolve=lambda _, name: ProviderTarget(name=name), cache=SessionCache()
    )

    dispatcher.call("create_instance", context(), {"image_id": "i"})

    assert driver.calls == [("create_instance", "i", "sealed")]


def test_a_redelivered_create_whose_deadline_has_passed_is_not_said_to_be_unstarted(dispatcher):
    late = context(deadline=time.time() - 1, idempotency_key="k1")

    with pytest.raises(OutcomeUnknown):
        dispatcher.call("create_key", late, {"name": "n"}, is_redelivered=True)
