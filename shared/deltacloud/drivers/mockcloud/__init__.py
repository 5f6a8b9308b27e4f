"""The mock cloud: records in SQLite and bytes in files under one folder, shared by every worker on the machine.

It is the "cloud" behind the mock compute and the mock storage driver.
"""

from deltacloud.drivers.mockcloud.blobs import BlobStore, StoredBlob
from deltacloud.drivers.mockcloud.cloud import MockCloud
from deltacloud.drivers.mockcloud.database import unusable_folder
from deltacloud.drivers.mockcloud.hook import mocked
from deltacloud.drivers.mockcloud.names import check_name, fresh_id, now_text
from deltacloud.drivers.mockcloud.pem import fake_fingerprint, fake_private_key
from deltacloud.drivers.mockcloud.records import Changes, Records

__all__ = [
    "BlobStore",
    "Changes",
    "MockCloud",
    "Records",
    "StoredBlob",
    "check_name",
    "fake_fingerprint",
    "fake_private_key",
    "fresh_id",
    "mocked",
    "now_text",
    "unusable_folder",
]
