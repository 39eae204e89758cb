"""The hash of code changes with what the code does, and with nothing else."""

import re
import textwrap

import pytest

from cxrbench.base.code import SOURCE, Code

PLAIN = '''
"""Steps."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from package.other import Job

LIMIT: int = 4  # steps


class Log:
    """What happened."""

    first: float
    rest: list[int] = []

    def add(self, value: float, *more: int) -> None:
        """Adds it."""
        total: float = value + 1
        self.first = total if "a" in f"{value:>{LIMIT}}" else 0


def steps(count, of=None):
    if count > LIMIT:
        raise ValueError(f"too many: {count!r}")
    return [step for step in range(count)]
'''

SAME = {
    "a comment": ("# steps", "# of training"),
    "a docstring": ('"""Adds it."""', '"""Adds a value."""'),
    "no docstring": ('"""Steps."""\n', ""),
    "quotes": ('"a" in', "'a' in"),
    "blank lines": ("\n\n\nclass", "\n\nclass"),
    "the layout of lines": ("steps(count, of=None)", "steps(\n    count,\n    of=None,\n)"),
    "brackets": ("count > LIMIT", "(count > LIMIT)"),
    "pass": ("    return [step", "    pass\n    return [step"),
    "an annotation of a function": ("count, of=None", 'count: int, of: "Job | None" = None'),
    "an annotation of a result": ("of=None)", "of=None) -> list[int]"),
    "an annotation of a variable": ("LIMIT: int = 4", "LIMIT = 4"),
    "an annotation inside a function": ("total: float =", "total ="),
    "an import for types": ("import Callable", "import Callable, Iterator"),
    "a block for types": ("import Job", "import Work"),
    "the order of imports": ("import keras\nimport numpy as np", "import numpy as np\nimport keras"),
    "imports in one line": ("import keras\nimport numpy as np", "import keras, numpy as np"),
}
OTHER = {
    "a number": ("= 4", "= 5"),
    "its type": ("= 4", "= 4.0"),
    "a truth": ("of=None", "of=True"),
    "an operator": ("count > LIMIT", "count >= LIMIT"),
    "a name": ("LIMIT", "MOST"),
    "a library": ("import numpy as np", "import scipy as np"),
    "an argument's default": ("of=None", "of=0"),
    "the kind of an argument": ("count, of=None", "count, *, of=None"),
    "the format of a number": (":>{LIMIT}", ":<{LIMIT}"),
    "a conversion": ("{count!r}", "{count!s}"),
    "a field of a class": ("first: float", "first: int"),
    "the order of fields": ("first: float\n    rest: list[int] = []", "rest: list[int] = []\n    first: float"),
    "a decorator": ("def steps", "@keras.saving.register_keras_serializable()\ndef steps"),
    "a statement more": ("    return [step", "    count += 0\n    return [step"),
    "a returned string": ("return [step for step in range(count)]", 'return "steps"'),
}


@pytest.fixture
def hashed(tmp_path):
    """Writes modules into a package and gives the hash of ``package.followed.a``."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "package" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return Code(["package.followed"], tmp_path / "package").sha256("package.followed.a")

    return write


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_what_computes_nothing_is_not_in_the_hash(hashed, old, new):
    assert old in PLAIN
    assert hashed(followed__a=PLAIN) == hashed(followed__a=PLAIN.replace(old, new))


@pytest.mark.parametrize(("old", "new"), OTHER.values(), ids=OTHER)
def test_what_computes_something_is_in_the_hash(hashed, old, new):
    assert old in PLAIN
    assert hashed(followed__a=PLAIN) != hashed(followed__a=PLAIN.replace(old, new))


def test_an_annotation_that_a_decorator_may_read_is_in_the_hash(hashed):
    one, other = (f"import functools\n@functools.singledispatch\ndef f(x: {kind}): return 1" for kind in ("int", "str"))
    assert hashed(followed__a=one) != hashed(followed__a=other)


def test_the_other_branch_of_a_block_for_types_counts(hashed):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x\nelse:\n    import y, z\n"
    assert hashed(followed__a=text) == hashed(followed__a="import y\nimport z\n")
    assert hashed(followed__a=text) != hashed(followed__a=text.replace("z", "w"))


IMPORTS = {
    "from package.followed.b import f": "f()",
    "from package.followed.b import f as g": "g()",
    "from package.followed import b": "b.f()",
    "import package.followed.b": "package.followed.b.f()",
    "import package.followed.b as c": "c.f()",
    "from .b import f": "f()",
    "from . import b": "b.f()",
}


@pytest.mark.parametrize("statement", IMPORTS)
@pytest.mark.parametrize("inside", [False, True])
def test_what_an_imported_module_does_is_in_the_hash_also_of_an_import_inside_a_function(hashed, statement, inside):
    call = IMPORTS[statement]
    text = f"def run():\n    {statement}\n    return {call}\n" if inside else f"{statement}\nresult = {call}\n"
    plain = hashed(followed__a=text, followed__b="def f(): return 1")
    assert hashed(followed__b="def f(): return 1  # still") == plain
    assert hashed(followed__b="def f(): return 2") != plain


def test_what_an_import_reaches_over_others_is_in_the_hash(hashed):
    files = {"followed__a": "from package.followed.b import f", "followed__b": "from package.followed.c.d import f"}
    plain = hashed(**files, followed__c__d="def f(): return 1")
    assert hashed(followed__c__d="def f(): return 2") != plain


def test_neither_a_module_that_is_not_imported_nor_one_imported_for_types_is_in_the_hash(hashed):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package.followed import b\n"
    plain = hashed(followed__a=text, followed__b="x = 1", followed__c="x = 1")
    assert hashed(followed__b="x = 2") == plain
    assert hashed(followed__c="x = 2") == plain


def test_a_module_of_another_package_counts_by_the_imported_name_alone(hashed):
    plain = hashed(followed__a="from package.other.b import f", other__b="def f(): return 1")
    assert hashed(other__b="def f(): return 2") == plain
    assert hashed(followed__a="from package.moved import f", moved="def f(): return 1") == plain
    assert hashed(followed__a="from package.other.b import g as f") != plain


def test_a_moved_or_renamed_module_is_the_same_code(hashed):
    files = {"followed__a": "from package.followed.b import f\nimport zlib\nresult = f()", "followed__c": "x = 0"}
    plain = hashed(**files, followed__b="def f(): return 1")
    moved = files["followed__a"].replace("followed.b", "followed.way.down.z")
    assert hashed(followed__a=moved, followed__way__down__z='"""Moved."""\ndef f(): return 1') == plain


def test_a_name_taken_from_another_module_is_other_code(hashed):
    files = {"followed__b": "def f(): return 1\ndef g(): return 3", "followed__c": "def f(): return 2"}
    one = hashed(followed__a="from package.followed.b import f\nresult = f()", **files)
    assert hashed(followed__a="from package.followed.c import f\nresult = f()") != one
    assert hashed(followed__a="from package.followed.b import g as f\nresult = f()") != one


def test_a_module_that_is_not_there_is_an_error(hashed):
    with pytest.raises(FileNotFoundError, match=r"no module package\.followed\.a"):
        hashed(followed__b="x = 1")


SYNTAX = r"""
import a.b as c
from x import (y, z as w)
async def f(a, /, b: int = 1, *c, d=-0.5, **e) -> None:
    async with a as b, c: yield await d
    for i, *j in {1, 2}: k = lambda x=1: x if i else ...
    while (n := b'\x00') and not 0x1F: del n; break
    else: global g
@d
class K(c, metaclass=d):
    s: "int" = 1_000; t: str
    def m(self): return super().m()[1:, ::2, ...] @ {**a, 1: 2j}
try: raise X("é\u2028" 'b') from None
except* (A, B) as e: assert e, f"a{e!r:>{w}.{y}}b" "c" f'{x=}{{}}'
finally: x = y = u"u"; x += 1; [i for i in j if i if j for k in l]
match x:
    case {"a": [1, *_], **r} | K(p=None) if r: pass
    case _: print(1 < x <= 2, *a, **b)
"""


def test_every_python_gives_the_same_hash(hashed):
    """The value is what Python 3.11, 3.12 and 3.13 gave."""
    assert hashed(followed__a=SYNTAX) == "bdb3cab002af963b31d16fa346dc235b5ebe40378203727a045422b97fb9e8e5"


def test_the_hash_of_the_installed_code_can_be_taken():
    code = Code(["cxrbench.images", "cxrbench.training"])
    assert re.fullmatch("[0-9a-f]{64}", code.sha256("cxrbench.training.fit"))
    assert {"cxrbench.training.trainer", "cxrbench.training.losses"} <= set(code.hashes)
    assert not any(name.startswith("cxrbench.base") for name in code.hashes)
    assert SOURCE.name == "cxrbench"
