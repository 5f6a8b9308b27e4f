"""Tickets: signed words that any worker on the same folder believes, for a while."""

import threading
import time

import pytest

from deltacloud.errors import Forbidden
from deltacloud_storage.tickets import Ticket, Tickets


def test_a_ticket_expires(tmp_path):
    tickets = Tickets(tmp_path)
    text = tickets.sign(Ticket(action="get", bucket_id="b", blob_id="x", expires_at=time.time() - 1))

    with pytest.raises(Forbidden, match="expired"):
        tickets.read(text)


def test_workers_on_one_folder_believe_each_others_tickets(tmp_path):
    ticket = Ticket(action="get", bucket_id="b", blob_id="x", expires_at=time.time() + 60)
    made = []
    threads = [threading.Thread(target=lambda: made.append(Tickets(tmp_path).sign(ticket))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 1
    assert Tickets(tmp_path).read(made[0]) == ticket
    assert [each.name for each in tmp_path.iterdir()] == ["transfer.key"]
    assert (tmp_path / "transfer.key").stat().st_mode & 0o077 == 0


def test_tickets_of_another_folder_are_not_believed(tmp_path):
    text = Tickets(tmp_path / "a").sign(Ticket(action="get", bucket_id="b", blob_id="x", expires_at=time.time() + 60))

    with pytest.raises(Forbidden):
        Tickets(tmp_path / "b").read(text)
