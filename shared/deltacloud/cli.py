"""What all command lines share: options that are settings, a help that teaches, refusals of one line with status 2."""

from __future__ import annotations

import sys

import click
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deltacloud.settings import refuse, variables

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
"""Settings of every click command."""


def run(program: click.Command) -> None:
    """Run a command; a wrong option ends the process with status 2 and one line."""
    sys.argv[0] = program.name or sys.argv[0]  # the name that refusals begin with
    try:
        program.main(prog_name=program.name, standalone_mode=False)
    except click.exceptions.Exit as end:
        raise SystemExit(end.exit_code) from None
    except click.ClickException as error:
        refuse(f"{error.format_message()} (--help lists the options)")


def epilog(examples: str, *settings: type[BaseSettings]) -> str:
    """Return the end of a help text: example command lines, and a line for each setting."""
    indented = "\n".join(f"  {line}" for line in examples.strip().splitlines())
    return f"\b\nExamples:\n{indented}\n\n\b\nEnvironment (an option beats it):\n{environment(*settings)}"


def environment(*settings: type[BaseSettings]) -> str:
    """Return a line for each setting: its variable, what it means, other variables it has, its default."""
    found = [(variables(name, field), field) for each in settings for name, field in each.model_fields.items()]
    width = max(len(names[0]) for names, _ in found) + 2
    return "\n".join(f"  {names[0]:<{width}}{_meaning(names, field)}" for names, field in found)


def _meaning(names: list[str], field: FieldInfo) -> str:
    also = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
    default = "" if field.is_required() or field.default in (None, (), "") else f" [{field.get_default()}]"
    return f"{field.description or ''}{also}{default if field.default_factory is None else ''}"
