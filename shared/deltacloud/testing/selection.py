"""Which checks apply to a driver, decided when the tests are collected: by what its class declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, TypeVar

import pytest

from deltacloud.drivers import Driver
from deltacloud.testing.cloud import Cloud, opened
from deltacloud.testing.subject import Subject

Check = TypeVar("Check", bound=Callable[..., None])
Cases = Callable[[type[Driver]], Iterable[Any]]


def requires(*operations: str) -> Callable[[Check], Check]:
    """Run a check only for drivers that have all these operations."""
    return applies_to(lambda driver: set(operations) <= driver.operations())


def applies_to(condition: Callable[[type[Driver]], object]) -> Callable[[Check], Check]:
    """Run a check only for drivers of which the condition holds; several may be stacked."""

    def mark(check: Check) -> Check:
        vars(check).setdefault("conditions", []).append(condition)
        return check

    return mark


def each(argument: str, cases: Cases) -> Callable[[Check], Check]:
    """Run a check once for each case, and not at all for drivers without one."""

    def mark(check: Check) -> Check:
        vars(check)["argument"] = argument
        vars(check)["cases"] = cases
        return check

    return mark


class Suite:
    """Base of the parts of the suite: drops the checks that do not apply and spreads out those with cases.

    A subclass that sets ``driver`` is a suite for that driver, and has a fixture ``subject``.
    """

    driver: ClassVar[type[Driver]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        driver = getattr(cls, "driver", None)
        if driver is None:
            return
        for name in [name for name in dir(cls) if name.startswith("test_")]:
            if not _applies(getattr(cls, name), driver):
                setattr(cls, name, None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Spread a check over its cases."""
        cases = getattr(metafunc.function, "cases", None)
        if cases is not None:
            values = list(cases(self.driver))
            metafunc.parametrize(metafunc.function.argument, values, ids=[label(value) for value in values])

    @pytest.fixture
    def subject(self) -> Subject:
        """Return the driver and its back end; authors override this."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture 'subject' that returns a Subject")

    @pytest.fixture
    def cloud(self, subject: Subject, request: pytest.FixtureRequest) -> Iterator[Cloud]:
        """The subject's driver, to call."""
        check = request.node.originalname.removeprefix("test_")
        callspec = getattr(request.node, "callspec", None)
        reason = subject.reason_for(check, callspec.id if callspec else None)
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
        with opened(subject) as cloud:
            cloud.excuse = reason
            yield cloud


def label(case: Any) -> str:
    """Return a case's name in test ids."""
    if isinstance(case, tuple):
        return "-".join(label(part) for part in case)
    return str(getattr(case, "rpc", None) or getattr(case, "name", None) or case)


def _applies(check: Any, driver: type[Driver]) -> bool:
    cases: Cases | None = getattr(check, "cases", None)
    conditions = getattr(check, "conditions", ())
    return all(condition(driver) for condition in conditions) and (cases is None or bool(list(cases(driver))))
