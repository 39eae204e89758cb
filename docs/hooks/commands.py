"""The page reference/commands.md, made from the command line's own parsers as the site is built."""

import argparse
import functools
import re
import textwrap
from collections.abc import Iterator

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from cxrbench import cli

PAGE = "reference/commands.md"
WIDTH = 78  # letters of a line of usage
HEAD = """\
# Command line

The pipeline itself is `dvc repro` and `dvc exp run`. What follows reads what it made. Each command is run in the
folder that holds `dvc.yaml`, unless it names its files itself. Exit codes: 0 done, 1 a mistake, which a sentence
on stderr explains, 2 a wrong use of the command line, 130 stopped by Ctrl-C.

This page is made from what each command says with `--help`.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the page."""
    files.append(File.generated(config, PAGE, content=commands_page(cli.parser())))
    return files


def commands_page(parser: argparse.ArgumentParser) -> str:
    """The whole page, Markdown: the program's own options, then a section a command."""
    whole = f"## {parser.prog}\n\n{_usage(parser)}\n{_options(parser)}"
    return "\n".join([HEAD, whole, *(_section(command) for command in _commands(parser))])


def _commands(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return list(commands.choices.values())


def _section(command: argparse.ArgumentParser) -> str:
    return f"## {command.prog}\n\n{_usage(command)}\n{_prose(command.description or '')}\n{_options(command)}"


def _usage(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = functools.partial(argparse.HelpFormatter, width=WIDTH)
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    return f"```text\n{textwrap.dedent(' ' * 7 + usage)}\n```\n"


def _prose(text: str) -> str:
    """Paragraphs; one with indented lines keeps them, as its columns are aligned."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(f"```text\n{one}\n```" if "\n  " in one else _escaped(one) for one in blocks) + "\n"


def _options(parser: argparse.ArgumentParser) -> str:
    rows = "".join(f"| {name} | {meaning} |\n" for name, meaning in _rows(parser))
    return f"| argument | meaning |\n|---|---|\n{rows}"


def _rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, (argparse._SubParsersAction, argparse._HelpAction)):
            continue
        value = "" if action.nargs == 0 else action.metavar or ",".join(action.choices or ()) or action.dest.upper()
        name = f"{', '.join(action.option_strings)} {value}".strip()
        meaning = (action.help or "") % {"default": action.default, "prog": parser.prog}
        choices = f"one of {', '.join(action.choices)}; " if action.choices and not action.metavar else ""
        required = "needed; " if action.required and action.option_strings else ""
        yield f"`{name}`", _escaped(required + choices + meaning)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", text)
