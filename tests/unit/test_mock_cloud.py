"""The mock cloud's folder: seeded once, shared by processes, threads and green threads."""

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from deltacloud.drivers.mockcloud import MockCloud, StoredBlob, check_name, fresh_id
from deltacloud.drivers.mockcloud.seed import BLOBS, RECORDS
from deltacloud.drivers.mockcloud.settings import make_default
from deltacloud.errors import InvalidParameters, NotFound, ProviderError, Unavailable
from deltacloud.models import Blob, Bucket, Image, Instance, StorageVolume
from harness.mock_cloud import MockCaller, open_and_list, overwrite_image, together, work
from harness.waiting import wait_until

PROCESSES = 4


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mock"


@pytest.fixture
def cloud(folder):
    with contextlib.closing(MockCloud(folder)) as cloud:
        yield cloud


def store(cloud, content, bucket_id="bucket1", id="new", **more):
    with cloud.blobs.receive() as stream:
        stream.write(content)
        return cloud.blobs.store(Blob(id=id, bucket_id=bucket_id, content_length=len(content)), stream, **more)


def content_of(cloud, bucket_id, id):
    blob, stream = cloud.blobs.open(bucket_id, id)
    with stream:
        return blob, stream.read()


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name)


def test_nothing_is_touched_before_the_first_use(cloud, folder):
    assert not folder.exists()

    with cloud.read() as records:
        assert records.get(Image, "img1").description == "Fedora 10"

    assert folder.stat().st_mode & 0o077 == 0


def test_a_new_folder_holds_the_seed_records_and_the_bytes_of_the_seed_blobs(cloud):
    with cloud.read() as records:
        for record in RECORDS:
            assert records.get(type(record), record.id) == record

    for bucket_id, blob_id, content_type, content, *_ in BLOBS:
        blob, kept = content_of(cloud, bucket_id, blob_id)
        assert (blob.content_type, blob.content_length, kept) == (content_type, len(content), content)
        assert blob.etag == hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_processes_that_start_together_seed_a_folder_once(folder):
    found = together(open_and_list, [(folder,)] * PROCESSES)

    # The seed key's text is random, so that a second seeding would show.
    assert found == [found[0]] * PROCESSES
    assert found[0][:3] == ["img1", "img2", "img3"]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_what_one_process_changes_the_others_see(folder):
    caller = MockCaller(folder)
    [[made]] = together(work, [(folder, "create_instance", 1, {"image_id": "img1"})])

    assert made in caller.ids("instances")
    caller.close()


def test_processes_that_make_instances_together_get_one_id_each(folder):
    made = together(work, [(folder, "create_instance", 25, {"image_id": "img1"})] * PROCESSES)

    ids = [one for each in made for one in each]
    assert sorted(ids) == sorted(f"inst{number}" for number in range(4, 4 + 25 * PROCESSES))
    caller = MockCaller(folder)
    assert set(ids) <= set(caller.ids("instances"))
    caller.close()


def test_processes_that_repeat_one_create_by_its_key_get_the_same_machine(folder):
    parameters = {"image_id": "img1", "key": "once"}
    made = together(work, [(folder, "create_instance", 5, parameters)] * PROCESSES)

    assert {one for each in made for one in each} == {"inst4"}
    caller = MockCaller(folder)
    assert caller.ids("instances") == ["inst0", "inst1", "inst2", "inst3", "inst4"]
    caller.close()


def test_processes_that_want_one_name_get_it_once(folder):
    made = together(work, [(folder, "create_key", 1, {"name": "mine"})] * PROCESSES)

    assert Counter(answer for each in made for answer in each) == {"mine": 1, "forbidden": PROCESSES - 1}


def test_a_reader_never_sees_half_a_change_of_another_process(cloud, folder):
    overwrite_image(folder, 1)
    differing = []
    writing = threading.Event()

    def read():
        while not writing.is_set():
            with cloud.read() as records:
                left, right = records.get(Image, "left"), records.get(Image, "right")
            if left.name != right.name:
                differing.append((left, right))

    reader = threading.Thread(target=read)
    reader.start()
    together(overwrite_image, [(folder, 300)] * 2)
    writing.set()
    reader.join()

    assert differing == []


def test_threads_share_the_cloud_of_their_process(folder):
    caller = MockCaller(folder)
    with ThreadPoolExecutor(16) as threads:
        made = list(threads.map(lambda _: caller.call("create_instance", image_id="img1").id, range(100)))

    assert len(set(made)) == 100
    caller.close()


GREEN = """
import eventlet
eventlet.monkey_patch()
import sys
from pathlib import Path
from harness.mock_cloud import MockCaller
caller = MockCaller(Path(sys.argv[1]))
pool = eventlet.GreenPool(50)
silent = pool.spawn(caller.call, "list_images")
made = list(pool.imap(lambda _: caller.call("create_instance", image_id="img1").id, range(100)))
print(len(set(made)), bool(silent))
"""


def test_green_threads_share_the_cloud_and_a_silent_call_stops_no_other(folder):
    settings = {"DELTACLOUD_MOCK_FAULTS": "list_images: hang", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "ignore", "-c", GREEN, str(folder)]
    ended = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)

    # A green thread is true until it ends; the silent one would have ended first had it stopped the others.
    assert ended.stdout.split() == ["100", "True"], ended.stderr


def test_a_change_that_fails_changes_nothing(cloud):
    def fail():
        with cloud.change() as changes:
            changes.remove(Image, "img1")
            changes.get(Instance, "nosuch")

    with pytest.raises(NotFound):
        fail()

    with cloud.read() as records:
        assert records.find(Image, "img1") is not None


def test_a_folder_that_is_removed_while_in_use_is_seeded_anew(cloud, folder):
    with cloud.change() as changes:
        changes.remove(Image, "img1")
    for path in files_of(folder):
        path.unlink()
    for path in folder.glob("cloud.*"):
        path.unlink()

    with cloud.read() as records:
        assert records.find(Image, "img1") is not None


def test_a_folder_that_cannot_be_made_is_named_as_the_reason(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with (
        pytest.raises(Unavailable, match="DELTACLOUD_MOCK_STORAGE"),
        contextlib.closing(MockCloud(tmp_path / "file" / "mock")) as cloud,
        cloud.read(),
    ):
        pass


def test_a_broken_database_is_a_providers_error_that_tells_no_path(cloud, folder):
    folder.mkdir()
    (folder / "cloud.sqlite3").write_bytes(b"no database at all" * 100)

    with pytest.raises(ProviderError) as raised, cloud.read():
        pass

    assert str(folder) not in raised.value.message


def test_the_folder_is_the_one_the_environment_names(monkeypatch, tmp_path):
    monkeypatch.setenv("DELTACLOUD_MOCK_STORAGE", str(tmp_path / "named"))

    assert MockCloud().folder == tmp_path / "named"


def test_without_a_name_every_user_has_a_folder_of_their_own(monkeypatch):
    monkeypatch.delenv("DELTACLOUD_MOCK_STORAGE", raising=False)
    monkeypatch.setenv("USER", "somebody")

    assert MockCloud().folder.parts[1:] == ("var", "tmp", "deltacloud-somebody", "mock")


def test_a_default_folder_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")

    make_default(tmp_path / "own" / "mock")
    make_default(tmp_path / "own" / "mock")
    with pytest.raises(Unavailable, match="DELTACLOUD_MOCK_STORAGE"):
        make_default(tmp_path / "link" / "mock")

    assert (tmp_path / "own" / "mock").stat().st_mode & 0o777 == 0o700


def test_ids_made_in_one_second_differ(cloud):
    with cloud.change() as changes:
        made = []
        for _ in range(3):
            made.append(fresh_id(changes, StorageVolume, "volume_"))
            changes.put(StorageVolume(id=made[-1]))

    assert len(set(made)) == 3
    assert all(one.startswith("volume_") for one in made)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../up", "line\nbreak"])
def test_a_name_that_would_break_urls_is_refused(name):
    with pytest.raises(InvalidParameters):
        check_name(name)


def test_blobs_of_two_buckets_may_have_one_id(cloud):
    store(cloud, b"one", "bucket1", "same")
    store(cloud, b"two", "bucket2", "same")

    assert content_of(cloud, "bucket1", "same")[1] == b"one"
    assert content_of(cloud, "bucket2", "same")[1] == b"two"
    with cloud.read() as records:
        assert [blob.id for blob in records.all(StoredBlob, parent="bucket2")] == ["blob4", "blob5", "same"]


@pytest.mark.parametrize("id", ["../../escape", "/etc/passwd", "a/b/c", "ü" * 1024])
def test_a_blobs_id_never_becomes_a_path(cloud, folder, id):
    stored = store(cloud, b"content", id=id)

    assert content_of(cloud, "bucket1", id)[1] == b"content"
    assert cloud.blobs.path(stored).parent == folder / "blobs"
    assert {path.name for path in folder.parent.iterdir()} == {"mock"}


def test_replacing_a_blob_leaves_its_readers_the_bytes_they_began_and_no_file_behind(cloud, folder):
    store(cloud, b"old", headers={"Cache-Control": "no-store"})
    before = files_of(folder)
    old, stream = cloud.blobs.open("bucket1", "new")
    with stream:
        new = store(cloud, b"newer")
        assert stream.read() == b"old"

    assert (old.headers, new.headers) == ({"Cache-Control": "no-store"}, {})
    assert content_of(cloud, "bucket1", "new") == (new, b"newer")
    assert len(files_of(folder)) == len(before)


def test_a_guard_sees_the_blob_that_is_there_and_can_keep_it(cloud, folder):
    store(cloud, b"kept")
    before = files_of(folder)

    def refuse(old):
        raise ProviderError(f"keep {old.id}")

    with pytest.raises(ProviderError, match="keep new"):
        store(cloud, b"refused", guard=refuse)
    with pytest.raises(ProviderError, match="keep new"):
        cloud.blobs.remove("bucket1", "new", guard=refuse)

    assert content_of(cloud, "bucket1", "new")[1] == b"kept"
    assert files_of(folder) == before


def test_bytes_for_a_bucket_that_does_not_exist_are_dropped(cloud, folder):
    with cloud.read() as records:
        assert records.find(Bucket, "nosuch") is None
    before = files_of(folder)

    with pytest.raises(NotFound):
        store(cloud, b"content", "nosuch")

    assert files_of(folder) == before


def test_a_removed_blob_and_its_bytes_are_gone(cloud):
    stored = store(cloud, b"content")
    cloud.blobs.remove("bucket1", "new")

    assert not cloud.blobs.path(stored).exists()
    with pytest.raises(NotFound):
        cloud.blobs.open("bucket1", "new")


def test_a_public_blob_tells_nothing_of_its_file(cloud):
    public = store(cloud, b"content").to_blob()

    assert type(public) is Blob
    assert (public.id, public.bucket_id, public.content_length) == ("new", "bucket1", 7)


def test_what_a_dead_upload_left_is_swept_after_a_day(cloud, folder):
    (folder / "incoming").mkdir(parents=True)
    old, young = folder / "incoming" / "old", folder / "incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"part")
    os.utime(old, (0, 0))

    store(cloud, b"content")

    assert not old.exists()
    assert young.exists()


ENDLESS = """
import sys
from pathlib import Path
from harness.mock_cloud import MockCaller
caller = MockCaller(Path(sys.argv[1]))
while True:
    caller.call("create_instance", **dict(each.split("=") for each in sys.argv[2:]))
"""


@contextlib.contextmanager
def endless(folder, *parameters, faults=""):
    settings = {"DELTACLOUD_MOCK_FAULTS": faults, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(folder), *parameters], env={**os.environ, **settings}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_killed_after_it_made_the_machine_has_it_found_by_the_next(folder):
    next_worker = MockCaller(folder)
    with endless(folder, "image_id=img1", "key=once", faults="create_instance: hang, when=after"):
        wait_until(lambda: "inst4" in next_worker.ids("instances"), "the machine to be made")

    made = next_worker.call("create_instance", image_id="img1", key="once", is_redelivered=True)

    assert made.id == "inst4"
    assert len(next_worker.ids("instances")) == 5
    next_worker.close()


def test_processes_killed_in_the_middle_of_their_work_leave_the_folder_sound(folder):
    caller = MockCaller(folder)
    for _ in range(3):
        with endless(folder, "image_id=img1"), endless(folder, "image_id=img2"):
            before = len(caller.ids("instances"))
            wait_until(lambda enough=before + 20: len(caller.ids("instances")) > enough, "20 more machines")

    made = caller.ids("instances")
    assert sorted(made, key=lambda each: int(each[4:])) == [f"inst{number}" for number in range(len(made))]
    assert caller.call("create_instance", image_id="img1").id == f"inst{len(made)}"
    caller.close()
