"""docs/drivers.md says what the installed drivers declare, and cannot drift from it."""

from pathlib import Path

from deltacloud.testing import documents

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_drivers_is_what_the_drivers_declare():
    assert documents.main([str(DOCS), "--check"]) == 0


def test_a_page_that_drifted_is_told_and_left_alone(tmp_path, capsys):
    page = tmp_path / "drivers.md"
    page.write_text("# Drivers\n")

    assert documents.main([str(tmp_path), "--check"]) == 1
    assert "python -m deltacloud.testing.documents" in capsys.readouterr().err
    assert page.read_text() == "# Drivers\n"


def test_a_page_that_is_missing_is_written_and_then_as_it_must_be(tmp_path):
    assert documents.main([str(tmp_path), "--check"]) == 1
    assert documents.main([str(tmp_path)]) == 0
    assert documents.main([str(tmp_path), "--check"]) == 0


def test_what_a_back_end_cannot_do_is_on_the_page_with_the_reason(tmp_path):
    documents.main([str(tmp_path)])

    assert "moto makes a second machine for the same ClientToken" in (tmp_path / "drivers.md").read_text()
