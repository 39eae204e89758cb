"""The option ``--workers`` of commands that decode images."""

import argparse


def count(text: str) -> int:
    """A number of processes; argparse says what is wrong with any other text."""
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1024")
    return int(text)
