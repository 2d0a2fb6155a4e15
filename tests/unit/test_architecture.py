"""House rules that no linter knows; which layer may import which is import-linter's (`make check`)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker import QUEUES
from workflows.catalog import installed

ROOT = Path(__file__).parents[2]
ROOTS = {"settings.py", "worker.py", "cli.py", "api/app.py"}
LAYERS = ("api", "intake", "engine", "workflows", "activities", "ledger", "providers", "domain")
IO_IN_WORKFLOWS = {"httpx", "asyncpg", "socket", "requests", "subprocess", "random", "time", "os", "pathlib"}


def modules(*folders: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text())


def imported(module: str, *, at_type_checking: bool = True) -> Iterator[str]:
    """Full names of what a module imports."""
    unchecked = [] if at_type_checking else list(_type_checking(tree(module)))
    hidden = {ast.dump(node) for block in unchecked for node in ast.walk(block) if isinstance(node, ast.ImportFrom)}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and ast.dump(node) not in hidden:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _type_checking(module: ast.Module) -> Iterator[ast.If]:
    for node in ast.walk(module):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield node


def reads_environment(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("environ", "getenv", "environb")
        for node in ast.walk(module)
    )


@pytest.mark.parametrize("module", [name for name in modules(*LAYERS) if name not in ROOTS])
def test_only_roots_read_the_environment(module: str) -> None:
    assert not reads_environment(tree(module))
    assert not {"os.environ", "os.getenv"} & set(imported(module))


@pytest.mark.parametrize("module", modules("engine", "workflows", "activities", "ledger", "providers", "domain"))
def test_only_roots_know_the_settings(module: str) -> None:
    assert not {name for name in imported(module) if name.split(".")[0] == "settings"}


def test_the_environment_rule_sees_who_breaks_it() -> None:
    assert reads_environment(ast.parse("import os\nkey = os.environ['KEY']"))
    assert reads_environment(tree("worker.py"))


@pytest.mark.parametrize("module", [*modules(*LAYERS, "longrun", "local"), "worker.py", "cli.py", "settings.py"])
def test_nobody_prints(module: str) -> None:
    """Processes log, and commands write to a console that they were given."""
    called = [node.func for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    assert not [func for func in called if isinstance(func, ast.Name) and func.id == "print"]


def test_every_statement_in_a_file_is_used_and_every_one_used_is_there() -> None:
    calls = [node for module in modules("ledger") for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    named = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "sql"]
    used = {name.value for name in named if isinstance(name, ast.Constant)}
    assert used == {path.stem for path in (ROOT / "ledger" / "sql").glob("*.sql")}


def test_importing_a_workflow_imports_no_other() -> None:
    assert (ROOT / "workflows" / "__init__.py").read_text() == ""


@pytest.mark.parametrize("module", modules("workflows"))
def test_workflows_touch_nothing_but_time_as_it_is_told(module: str) -> None:
    assert not {name for name in imported(module) if name.split(".")[0] in IO_IN_WORKFLOWS}


@pytest.mark.parametrize("module", modules("activities"))
def test_activities_name_providers_by_protocol(module: str) -> None:
    assert not {name for name in imported(module, at_type_checking=False) if name.split(".")[0] == "providers"}


@pytest.mark.parametrize("module", modules(*LAYERS))
def test_every_module_says_what_it_is(module: str) -> None:
    parsed = tree(module)
    assert not parsed.body or ast.get_docstring(parsed)


def test_names_and_aliases_of_kinds_are_their_own() -> None:
    names = [name for kind in installed() for name in (kind.name, *kind.aliases)]
    assert len(names) == len(set(names))


def test_a_kind_is_named_as_its_workflow_and_its_steps_once() -> None:
    for kind in installed():
        definition = getattr(kind.workflow, "__temporal_workflow_definition", None)
        assert definition is not None
        assert definition.name == kind.name
        steps = [step.name for step in kind.steps]
        assert steps
        assert len(steps) == len(set(steps))
        assert {step.policy.queue for step in kind.steps} <= set(QUEUES)
        # a number is Temporal's own id, `#` separates a step from its repeats
        assert not [name for name in steps if name.isdigit() or "#" in name]
