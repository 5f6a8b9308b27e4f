"""The EC2 driver changes instances, and keys."""

import pytest

from deltacloud.errors import Conflict, InvalidParameters, NotFound, OutcomeUnknown, WrongState
from harness.strict_ec2 import NO_INSTANCE, PUBLIC_KEY, reach

# Actions and states.


def test_an_instance_goes_through_its_states_and_offers_what_each_allows(call, cloud, image_id):
    made = call("create_instance", image_id=image_id, hwp_id="t2.micro")
    assert made.actions == ("destroy",)
    running = reach(call, made.id, "RUNNING")
    assert running.actions == ("reboot", "stop", "destroy")
    assert running.public_addresses
    stopping = call("stop_instance", id=made.id)
    assert (stopping.state, stopping.actions) == ("STOPPING", ("destroy",))
    stopped = reach(call, made.id, "STOPPED")
    assert stopped.actions == ("start", "destroy")
    started = call("start_instance", id=made.id)
    assert started.state == "PENDING"
    reach(call, made.id, "RUNNING")
    assert call("reboot_instance", id=made.id).state == "RUNNING"
    assert call("destroy_instance", id=made.id) is None
    assert reach(call, made.id, "FINISH").actions == ()


def test_an_action_looks_and_acts_and_does_no_more(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("reboot_instance", id=instance_id)
    assert cloud.control.calls() == {"DescribeInstances": 1, "RebootInstances": 1}
    cloud.control.forget_calls()
    call("stop_instance", id=instance_id)
    assert cloud.control.calls() == {"DescribeInstances": 1, "StopInstances": 1}
    reach(call, instance_id, "STOPPED")
    cloud.control.forget_calls()
    call("start_instance", id=instance_id)
    assert cloud.control.calls() == {"DescribeInstances": 1, "StartInstances": 1}
    cloud.control.forget_calls()
    call("destroy_instance", id=instance_id)
    assert cloud.control.calls() == {"TerminateInstances": 1}


def test_an_action_that_the_state_forbids_is_refused_and_nothing_is_sent(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    with pytest.raises(WrongState) as caught:
        call("start_instance", id=instance_id)
    assert caught.value.details == {"allowed": "reboot,stop,destroy"}
    assert cloud.control.calls() == {"DescribeInstances": 1}


def test_what_was_destroyed_cannot_be_destroyed_or_started_again(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("destroy_instance", id=instance_id)
    reach(call, instance_id, "FINISH")
    for method in ("destroy_instance", "start_instance", "stop_instance", "reboot_instance"):
        with pytest.raises(WrongState):
            call(method, id=instance_id)
    assert {each["state"] for each in cloud.control.instances()} == {"terminated"}


def test_an_instance_without_a_lasting_disk_can_only_be_rebooted_or_destroyed(call, transient_image_id):
    made = call("create_instance", image_id=transient_image_id, hwp_id="m1.small")
    running = reach(call, made.id, "RUNNING")
    assert running.actions == ("reboot", "destroy")
    assert running.can_create_image is False
    with pytest.raises(WrongState):
        call("stop_instance", id=made.id)
    call("destroy_instance", id=made.id)


def test_a_redelivered_action_that_had_its_effect_is_answered_and_not_refused(call, cloud):
    instance_id = cloud.control.seed(instances=1)["instances"][0]
    call("stop_instance", id=instance_id)
    assert call("stop_instance", id=instance_id, redelivered=True).state in {"STOPPING", "STOPPED"}
    reach(call, instance_id, "STOPPED")
    call("start_instance", id=instance_id)
    assert call("start_instance", id=instance_id, redelivered=True).state in {"PENDING", "RUNNING"}
    call("destroy_instance", id=instance_id)
    assert call("destroy_instance", id=instance_id, redelivered=True) is None
    assert call("destroy_instance", id=NO_INSTANCE, redelivered=True) is None
    calls = cloud.control.calls()
    assert (calls["StopInstances"], calls["StartInstances"]) == (1, 1)


# Keys.


def test_a_key_is_made_shown_and_removed(call, cloud):
    made = call("create_key", name="laptop")
    assert "PRIVATE KEY" in made.pem
    assert cloud.control.calls() == {"CreateKeyPair": 1}
    shown = call("get_key", id="laptop")
    assert (shown.id, shown.fingerprint, shown.pem) == ("laptop", made.fingerprint, None)
    assert call("list_keys") == [shown]
    assert call("list_keys", id="laptop") == [shown]
    assert call("list_keys", id="lap*") == []
    assert call("destroy_key", id="laptop") is None
    assert call("list_keys") == []


def test_a_public_key_is_imported_and_no_private_one_told(call, cloud):
    imported = call("create_key", name="laptop", public_key=PUBLIC_KEY)
    assert imported.pem is None
    assert imported.fingerprint == call("get_key", id="laptop").fingerprint
    assert "CreateKeyPair" not in cloud.control.calls()


def test_a_key_name_that_is_taken_is_a_conflict_and_a_broken_public_key_wrong(call):
    call("create_key", name="laptop", public_key=PUBLIC_KEY)
    with pytest.raises(Conflict):
        call("create_key", name="laptop")
    with pytest.raises(InvalidParameters):
        call("create_key", name="other", public_key="ssh-rsa nonsense")


def test_an_unknown_key_is_not_found_but_a_redelivered_removal_is_done(call):
    for method in ("get_key", "destroy_key"):
        with pytest.raises(NotFound):
            call(method, id="nobody")
    assert call("destroy_key", id="nobody", redelivered=True) is None


def test_a_key_whose_answer_was_lost_has_an_unknown_outcome(call, cloud):
    cloud.control.fault(CreateKeyPair={"when": "after", "close": True, "times": 1})
    with pytest.raises(OutcomeUnknown):
        call("create_key", name="laptop")
    assert [each.id for each in call("list_keys")] == ["laptop"]
