"""Keys."""

from __future__ import annotations

from typing import Any

from deltacloud.catalogue.check import shown
from deltacloud.drivers import ComputeDriver, Session, aws
from deltacloud.errors import NotFound
from deltacloud.models import Key
from deltacloud_compute.drivers.ec2 import convert, native


class KeyOperations(ComputeDriver):
    """Key pairs; a key's name is its id."""

    def list_keys(self, session: Session, id: str | None = None) -> list[Key]:
        """Return the key pairs. Source: DescribeKeyPairs, which has no pages."""
        with native.calling(session) as ec2:
            found = native.whole(ec2.describe_key_pairs, "KeyPairs", Filters=native.filters(key_name=id))
        return sorted((convert.key(each) for each in found), key=lambda key: key.id)

    def get_key(self, session: Session, id: str) -> Key:
        """Return a key pair. Source: DescribeKeyPairs.

        Raises:
            NotFound: there is none.
        """
        with native.calling(session) as ec2:
            return _get(ec2, id)

    def create_key(self, session: Session, name: str, public_key: str | None = None) -> Key:
        """Make a key pair, whose private half is told this once; or import a public key in OpenSSH's form.

        Source: CreateKeyPair, ImportKeyPair.

        Raises:
            Conflict: the name is taken.
            OutcomeUnknown: the cloud did not answer as it should.
        """
        with native.calling(session) as ec2:
            if public_key:
                answer = ec2.import_key_pair(KeyName=name, PublicKeyMaterial=public_key.encode())
            else:
                answer = ec2.create_key_pair(KeyName=name)
        if "KeyName" not in answer:
            raise aws.outcome_unknown("ImportKeyPair" if public_key else "CreateKeyPair")
        return convert.key(answer)

    def destroy_key(self, session: Session, id: str) -> None:
        """Remove a key pair. EC2 does not tell whether there was one, so it is looked for first.

        Source: DescribeKeyPairs, DeleteKeyPair.

        Raises:
            NotFound: there is none.
        """
        with native.calling(session) as ec2:
            if not session.is_redelivered:
                _get(ec2, id)
            ec2.delete_key_pair(KeyName=id)


def _get(ec2: Any, id: str) -> Key:
    for each in native.whole(ec2.describe_key_pairs, "KeyPairs", KeyNames=[id]):
        return convert.key(each)
    raise NotFound(f"There is no key {shown(id)}.")
