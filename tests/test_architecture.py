"""The house rules, as tests over the syntax trees of every module.

A rule that needs an exception gets it here, in the allow-list beside the rule, with its reason.
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from gateway import errors

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gateway"

# Imports go down this list only; modules of one line may import one another.
ROOMS = (
    ("gateway", "gateway.errors", "gateway.resources", "gateway.yaml_loaders"),
    ("gateway.documents",),
    ("gateway.agreements",),
    ("gateway.xml",),
    ("gateway.trust",),
    ("gateway.envelope",),
    ("gateway.paper",),
    ("gateway.store",),
    ("gateway.register",),
    ("gateway.transport",),
    ("gateway.exchange",),
    ("gateway.keeping",),
    ("gateway.operations",),
    ("gateway.services",),
    ("gateway.files",),
    ("gateway.web",),
    (
        "gateway.config",
        "gateway.config_api",
        "gateway.config_console",
        "gateway.config_files",
        "gateway.config_operations",
        "gateway.config_paper",
        "gateway.config_section",
    ),
    ("gateway.homes",),
    ("gateway.jobs",),
    ("gateway.app", "gateway.console_side", "gateway.national_side", "gateway.watching"),
    ("gateway.client", "gateway.demo"),
    ("gateway.guide",),
    ("gateway.cli",),
    ("gateway.__main__",),
)

# Entry points meet in `app`, never beside it; only what starts the others may name them.
NEVER_SIDEWAYS = (
    ("gateway.web.peer", "gateway.web.api"),
    ("gateway.web.peer", "gateway.web.operations"),
    ("gateway.web.api", "gateway.web.peer"),
    ("gateway.web.api", "gateway.web.operations"),
    ("gateway.web.operations", "gateway.web.peer"),
    ("gateway.web.console", "gateway.web.peer"),
    ("gateway.web.console", "gateway.web.api"),
    ("gateway.web.peer", "gateway.web.console"),
    ("gateway.web.api", "gateway.web.console"),
    ("gateway.web.operations", "gateway.web.api"),
    ("gateway.jobs", "gateway.web"),
    ("gateway.demo", "gateway.web"),
    ("gateway.demo", "gateway.jobs"),
)

UPWARD_ALLOWED = {
    ("gateway.errors", "gateway.documents"): "the type of a finding, for the type checker only",
}

# What is shipped alone needs nothing of ours but this.
STANDS_ALONE = {"gateway.client": ("gateway.client", "gateway.documents", "gateway.errors")}

CONFIG_READERS = (
    "gateway.app",
    "gateway.console_side",
    "gateway.national_side",
    "gateway.watching",
    "gateway.jobs",
    "gateway.cli",
    "gateway.demo",
    "gateway.homes",
    "gateway.__main__",
)

# Who may import which library.  A library that is not listed is free, a listed one is not.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "lxml": (
        "gateway.xml",
        "gateway.trust",  # elements only: the parser's own rule stands below
        "gateway.envelope",
        "gateway.transport",
        "gateway.web.peer",
        "gateway.web.api.soap",
        "gateway.web.soap_frames",
        "gateway.exchange",
    ),
    "xmlschema": ("gateway.xml",),
    "signxml": ("gateway.trust",),
    "sqlalchemy": ("gateway.store",),
    "alembic": ("gateway.store",),
    "psycopg": ("gateway.store",),
    "zeep": ("gateway.transport",),
    "prometheus_client": ("gateway.operations.metrics",),
    "requests": ("gateway.transport",),
    "urllib3": ("gateway.transport", "gateway.client"),
    "jwt": ("gateway.services.signed_tokens", "gateway.services.token_keys"),
    "flask": (
        "gateway.web",
        "gateway.app",
        "gateway.console_side",
        "gateway.national_side",
        "gateway.watching",
    ),
    "werkzeug": ("gateway.web", "gateway.app"),
    "gunicorn": ("gateway.web.serving",),
    "apscheduler": ("gateway.jobs",),
    "click": ("gateway.cli",),
    "typst": ("gateway.guide.pdf", "gateway.paper.printing", "gateway.paper.reports"),
    "segno": ("gateway.paper.qr", "gateway.web.console.signing_in"),
    "yaml": (
        "gateway.yaml_loaders",
        "gateway.agreements",
        "gateway.xml",
        "gateway.documents",
        "gateway.demo",
        "gateway.keeping",
        "gateway.web.console.words",
    ),
    "argon2": ("gateway.services.people.secrets",),
    "pyotp": ("gateway.services.people.secrets",),
    "zxcvbn": ("gateway.services.people.secrets",),
    "jinja2": ("gateway.web.console.app",),
}

# Names that go with a value from room to room, so that it can be typed.
FREE_NAMES = {"sqlalchemy.Connection"}

XML_PARSERS = {
    "fromstring",
    "fromstringlist",
    "parse",
    "parseid",
    "iterparse",
    "XML",
    "XMLID",
    "HTML",
    "XMLParser",
    "XMLPullParser",
    "HTMLParser",
    "ETCompatXMLParser",
}
OTHER_XML_READERS = ("xml", "lxml.html", "lxml.objectify", "lxml.sax", "defusedxml", "bs4")

PURE = (
    "gateway.errors",
    "gateway.resources",
    "gateway.documents",
    "gateway.agreements",
    "gateway.xml",
    "gateway.trust",
    "gateway.envelope",
    "gateway.paper",
)
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}
OUTSIDE_WORLD = (
    "socket",
    "sqlite3",
    "subprocess",
    "http",
    "urllib.request",
    "smtplib",
    "ftplib",
    "asyncio",
    "multiprocessing",
)

MODULE_LINES = 400
FUNCTION_LINES = 40
LONG_BY_NATURE = {
    "gateway/errors.py": "the whole tree in one place, a class of a few lines per wire code",
    "gateway/store/migrations/versions/": "a migration is a list of statements, not logic",
    "gateway/client/api/": "written from the route table, as long as that is",
}

# Exceptions that carry a fact a few frames up and never leave their package.
SIGNALS = {
    "gateway.transport.deadline.DeadlineError": "libraries let only an OSError of ours through",
    "gateway.xml.national.texts.UnfitError": "becomes a finding before the record is left",
}

NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
PRINTERS = (
    "gateway.cli",
    "gateway.demo",
    "gateway.agreements.rule_table",  # writes docs/rules.md where it is run by itself
)

SQL_ROOMS = ("gateway.store", "gateway.register")
SQL_CALLS = {"text", "execute", "exec_driver_sql", "executemany", "executescript"}
PIECED_SQL = {
    "gateway/store/migrations/versions/v0006_collect.py": (
        "a PRAGMA takes no parameter; the value is the number that it gave before, plus one"
    ),
    "gateway/store/engine.py": "PRAGMA and SET take no parameters; the values are its constants",
}
SQL_OPENING = re.compile(
    r"^\s*(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+(table|index)"
    r"|alter\s+table|drop\s+(table|index))\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Module:
    """A module of the gateway with its syntax tree."""

    name: str
    path: Path
    tree: ast.Module
    source: str

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def within(self, *rooms: str) -> bool:
        return any(is_within(self.name, room) for room in rooms)


def is_within(name: str, room: str) -> bool:
    return name == room or (room != "gateway" and name.startswith(f"{room}."))


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        source = path.read_text(encoding="utf-8")
        found.append(Module(name, path, ast.parse(source, str(path)), source))
    return tuple(found)


def rank(name: str) -> int:
    """The line of ROOMS that a module stands on; the most specific entry decides."""
    matches = [
        (len(room), level)
        for level, rooms in enumerate(ROOMS)
        for room in rooms
        if is_within(name, room)
    ]
    assert matches, f"{name} stands in no room: add it to ROOMS (and docs/architecture.md)"
    return max(matches)[1]


@cache
def imports(module: Module) -> tuple[tuple[str, int], ...]:
    """What this module imports, with the line: our modules, and names of libraries in full."""
    return tuple(_imports(module))


def _imports(module: Module) -> Iterator[tuple[str, int]]:
    is_package = module.path.name == "__init__.py"
    known = {each.name for each in modules()}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.name.split(".")
                above = above[: len(above) - node.level + is_package]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                a_name_of_ours = base.split(".")[0] == "gateway" and full not in known
                yield (base if a_name_of_ours else full), node.lineno


def called_name(node: ast.expr) -> tuple[str, str]:
    """`a.b.c(...)` -> ("b", "c"); `c(...)` -> ("", "c")."""
    if isinstance(node, ast.Attribute):
        owner = node.value
        if isinstance(owner, ast.Attribute):
            return owner.attr, node.attr
        return (owner.id if isinstance(owner, ast.Name) else ""), node.attr
    return "", node.id if isinstance(node, ast.Name) else ""


def report(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


# --- which way imports go ------------------------------------------------------------------


def test_imports_go_down_the_rooms_only():
    complaints = []
    for module in modules():
        for target, line in imports(module):
            if not is_within(target, "gateway") and not target.startswith("gateway."):
                continue
            if rank(target) <= rank(module.name) or target == "gateway":
                continue
            if any(
                is_within(module.name, low) and is_within(target, high)
                for low, high in UPWARD_ALLOWED
            ):
                continue
            complaints.append(f"{module.place}:{line} imports {target}, which stands above it")
    report(complaints)


def test_what_is_shipped_alone_needs_little_of_ours():
    report(
        [
            f"{module.place}:{line} imports {target}"
            for module in modules()
            for alone, needed in STANDS_ALONE.items()
            if module.within(alone)
            for target, line in imports(module)
            if target.startswith("gateway.")
            if not any(is_within(target, room) for room in needed)
        ]
    )


def test_entry_points_meet_only_in_the_composition_root():
    report(
        [
            f"{module.place}:{line} imports {target} sideways"
            for module in modules()
            for target, line in imports(module)
            for source, forbidden in NEVER_SIDEWAYS
            if module.within(source) and is_within(target, forbidden)
        ]
    )


def test_settings_are_read_at_the_top_and_handed_down():
    report(
        [
            f"{module.place}:{line} imports gateway.config"
            for module in modules()
            for target, line in imports(module)
            if is_within(target, "gateway.config")
            if not module.within(*CONFIG_READERS, "gateway.config")
        ]
    )


def test_packages_do_not_import_one_another_in_a_circle():
    names = {module.name for module in modules()}
    at_import_time: dict[str, set[str]] = {}
    for module in modules():
        statements = [n for n in module.tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        head = replace(module, tree=ast.Module(body=list(statements), type_ignores=[]))
        at_import_time[module.name] = {target for target, _ in imports(head)} & names - {
            module.name
        }

    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        for target in sorted(at_import_time[name]):
            # A package's door imports its own modules; they may name the package's siblings.
            if not name.startswith(f"{target}."):
                walk(target, (*trail, name))
        done.add(name)

    for name in sorted(at_import_time):
        walk(name, ())


# --- which room may use which library ------------------------------------------------------


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_each_library_has_its_rooms(library: str):
    report(
        [
            f"{module.place}:{line} imports {target}"
            for module in modules()
            for target, line in imports(module)
            if is_within(target, library) and target not in FREE_NAMES
            if not module.within(*LIBRARIES[library])
        ]
    )


def test_only_the_xml_room_touches_a_parser():
    complaints = []
    for module in modules():
        for target, line in imports(module):
            if any(is_within(target, other) for other in OTHER_XML_READERS):
                complaints.append(f"{module.place}:{line} imports {target}")
        if module.within("gateway.xml"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in XML_PARSERS:
                owner, _ = called_name(node)
                if owner in {"etree", "ElementTree", "ET"}:
                    complaints.append(f"{module.place}:{node.lineno} uses etree.{node.attr}")
            elif isinstance(node, ast.ImportFrom) and node.module == "lxml.etree":
                names = {alias.name for alias in node.names} & XML_PARSERS
                complaints += [f"{module.place}:{node.lineno} imports {name}" for name in names]
    report(complaints)


# --- the pure core ---------------------------------------------------------------------------


def test_pure_rooms_read_no_clock():
    report(
        [
            f"{module.place}:{node.lineno} reads the clock; take `now` as an argument"
            for module in modules()
            if module.within(*PURE)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and called_name(node.func) in CLOCKS
        ]
    )


def test_pure_rooms_open_no_socket_process_or_database():
    report(
        [
            f"{module.place}:{line} imports {target}"
            for module in modules()
            if module.within(*PURE)
            for target, line in imports(module)
            if any(is_within(target, outside) for outside in OUTSIDE_WORLD)
        ]
    )


# --- size, names, words ------------------------------------------------------------------------


def test_no_module_is_longer_than_one_can_hold_in_mind():
    report(
        [
            f"{module.place} has {count} lines, {MODULE_LINES} are the limit"
            for module in modules()
            if (count := len(module.source.splitlines())) > MODULE_LINES
            if not module.place.startswith(tuple(LONG_BY_NATURE))
        ]
    )


def test_no_function_body_is_longer_than_a_screen():
    """Counts lines of code: the docstring, blank lines and comments are free."""
    complaints = []
    for module in modules():
        if module.place.startswith(tuple(LONG_BY_NATURE)):
            continue
        lines = module.source.splitlines()
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if not body:
                continue
            code = [
                line
                for line in lines[body[0].lineno - 1 : body[-1].end_lineno]
                if line.strip() and not line.strip().startswith("#")
            ]
            if len(code) > FUNCTION_LINES:
                complaints.append(
                    f"{module.place}:{node.lineno} {node.name} has {len(code)} lines of code, "
                    f"{FUNCTION_LINES} are the limit"
                )
    report(complaints)


def test_no_module_has_a_name_that_says_nothing():
    report(
        [
            f"{module.place}: say what lives there"
            for module in modules()
            if set(module.name.split(".")) & NAMES_THAT_SAY_NOTHING
        ]
    )


def test_every_module_says_what_lives_in_it():
    report(
        [
            f"{module.place} has no docstring"
            for module in modules()
            if not (ast.get_docstring(module.tree) or "").strip()
        ]
    )


def public_definitions(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("_"):
                continue
            decorators = {called_name(each)[1] for each in node.decorator_list}
            if decorators & {"overload", "setter", "override"}:
                continue
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{prefix}{node.name}.")


def test_every_public_name_promises_something_in_one_sentence():
    complaints = []
    for module in modules():
        if any(part.startswith("_") and part != "__main__" for part in module.name.split(".")):
            continue
        for name, node in public_definitions(module.tree.body):
            docstring = (ast.get_docstring(node) or "").strip()
            where = f"{module.place}:{node.lineno} {name}"
            if not docstring:
                complaints.append(f"{where} has no docstring")
            elif not docstring.splitlines()[0].rstrip().endswith("."):
                complaints.append(f"{where}: the first line is no sentence: {docstring[:60]!r}")
    report(complaints)


def test_nothing_prints_but_the_command_line():
    report(
        [
            f"{module.place}:{node.lineno} prints"
            for module in modules()
            if not module.within(*PRINTERS)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call)
            if called_name(node.func) in {("", "print"), ("stdout", "write"), ("stderr", "write")}
        ]
    )


def pieced(node: ast.expr) -> bool:
    """Whether a text is put together from anything but literals and CONSTANTS."""
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        is_text = isinstance(owner, ast.Constant | ast.JoinedStr | ast.BinOp)
        return is_text and called_name(node.func)[1] in {"format", "join"}
    if not isinstance(node, ast.JoinedStr | ast.BinOp):
        return False
    names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    return any(not name.isupper() for name in names)


def test_no_sql_is_put_together_from_strings():
    complaints = []
    for module in modules():
        if module.place in PIECED_SQL:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.JoinedStr):
                first = node.values[0] if node.values else None
                text = first.value if isinstance(first, ast.Constant) else ""
                if isinstance(text, str) and SQL_OPENING.match(text) and pieced(node):
                    complaints.append(f"{module.place}:{node.lineno} builds SQL by f-string")
            elif (
                isinstance(node, ast.Call)
                and called_name(node.func)[1] in SQL_CALLS
                and module.within(*SQL_ROOMS)
                and node.args
                and pieced(node.args[0])
            ):
                complaints.append(f"{module.place}:{node.lineno} executes a pieced string")
    report(complaints)


def test_every_cause_is_kept_when_an_error_is_mapped():
    complaints = []
    for module in modules():
        for handler in ast.walk(module.tree):
            if not isinstance(handler, ast.ExceptHandler):
                continue
            complaints += [
                f"{module.place}:{node.lineno} raises without `from`"
                for node in ast.walk(handler)
                if isinstance(node, ast.Raise) and node.exc is not None and node.cause is None
                if not (isinstance(node.exc, ast.Name) and node.exc.id == handler.name)
            ]
    report(complaints)


# --- the error tree -----------------------------------------------------------------------------


def the_tree() -> list[type[errors.GatewayError]]:
    """The classes of gateway/errors.py; rooms may carry more data in a subclass of their own."""
    return [cls for cls in errors.all_error_types() if cls.__module__ == errors.__name__]


def is_leaf(cls: type[errors.GatewayError]) -> bool:
    return not any(child.__module__ == errors.__name__ for child in cls.__subclasses__())


def test_no_room_adds_a_wire_code_to_the_tree():
    for module in modules():
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
    outside = set(errors.all_error_types()) - set(the_tree())
    assert not [cls for cls in outside if {"code", "http_status", "retryable"} & set(vars(cls))]


def test_every_error_has_a_wire_code_of_its_own():
    codes: dict[str, type] = {}
    for cls in the_tree():
        assert "code" in vars(cls), f"{cls.__name__} inherits its wire code"
        assert cls.code not in codes, f"{cls.__name__} and {codes.get(cls.code)} share {cls.code}"
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", cls.code)
        codes[cls.code] = cls


def test_every_error_tells_the_operator_what_to_do():
    for cls in the_tree():
        assert cls.__name__.endswith("Error")
        assert (cls.__doc__ or "").strip(), cls.__name__
        assert cls.remedy.endswith("."), f"{cls.__name__}: the remedy is no sentence"
        if is_leaf(cls):
            assert "remedy" in vars(cls), f"{cls.__name__} inherits its remedy"


def test_every_error_answers_with_a_status_that_http_knows():
    for cls in the_tree():
        assert 400 <= cls.http_status <= 504, cls.__name__


def test_the_drawing_of_the_error_tree_is_complete():
    drawing = errors.__doc__ or ""
    missing = [c.__name__ for c in the_tree() if c.__name__ not in drawing]
    assert not missing


def test_no_error_is_defined_outside_the_one_tree():
    report(
        [
            f"{module.place}:{node.lineno} defines {node.name}"
            for module in modules()
            if module.name != "gateway.errors"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Exception"))
            if f"{module.name}.{node.name}" not in SIGNALS
        ]
    )


def test_signals_do_not_leave_their_package():
    complaints = []
    for signal in SIGNALS:
        home, name = signal.rsplit(".", 1)
        package = home.rsplit(".", 1)[0]
        complaints += [
            f"{module.place} names {name}"
            for module in modules()
            if not module.within(package) and re.search(rf"\b{name}\b", module.source)
        ]
    report(complaints)


def test_no_error_of_the_tree_is_unused():
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for module in modules()
        if module.name != "gateway.errors"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    leaves = [cls for cls in the_tree() if is_leaf(cls)]
    report([f"nothing raises {cls.__name__}" for cls in leaves if cls.__name__ not in used])


# --- the whole repository ----------------------------------------------------------------------


def repository_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    for path in repository_files():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_private_key_lies_in_the_repository():
    marker = re.compile("-----BEGIN " + r"(?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}")
    report([name for name, text in texts() if marker.search(text)])
    report([str(p) for p in repository_files() if p.suffix in {".p12", ".pfx", ".jks", ".key"}])


def test_no_file_names_a_path_of_somebodys_machine():
    home = re.compile(
        r"(?<![\w.])/(?:" + "|".join(("work/", "root/", "home/\\w+/", "Users/")) + ")"
    )
    report(
        [
            f"{name}:{text[: found.start()].count(chr(10)) + 1} {found.group()}"
            for name, text in texts()
            if (found := home.search(text))
        ]
    )


def test_nothing_is_left_for_later():
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "HA" + "CK")) + r")\b")
    report(
        [
            f"{name}:{text[: found.start()].count(chr(10)) + 1} {found.group()}"
            for name, text in texts()
            if name.startswith(("gateway/", "tests/", "bench/", "docs/", "mappings/", "schemas/"))
            if (found := words.search(text))
        ]
    )


def test_no_code_is_left_unwritten():
    report(
        [
            f"{module.place}:{node.lineno} is not implemented"
            for module in modules()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Raise)
            and node.exc is not None
            and "NotImplementedError" in ast.dump(node.exc)
        ]
    )


def test_no_skip_of_a_test_lacks_its_reason():
    marks = {("mark", "skip"), ("mark", "skipif"), ("mark", "xfail"), ("pytest", "skip")}
    complaints = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        explained = {
            id(node.func)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            if {keyword.arg for keyword in node.keywords} & {"reason", "msg"}
            or (called_name(node.func) == ("pytest", "skip") and node.args)
        }
        complaints += [
            f"{path.relative_to(ROOT)}:{node.lineno} gives no reason"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and called_name(node) in marks
            if id(node) not in explained
        ]
    report(complaints)
