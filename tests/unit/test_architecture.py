"""House rules that no linter knows; which layer may import which is import-linter's (`make check`)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from engine.workers import QUEUES
from workflows.catalog import installed, ours

ROOT = Path(__file__).parents[2]
ROOTS = {"settings.py", "worker.py", "cli.py", "api/app.py"}
OF_ENVIRONMENT = {"os.environ", "os.getenv"}
LAYERS = ("assembly", "api", "intake", "engine", "workflows", "activities", "ledger", "providers", "domain")
IO_IN_WORKFLOWS = {"httpx", "httpx2", "asyncpg", "socket", "requests", "subprocess", "random", "time", "os", "pathlib"}


def modules(*folders: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
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


def packages(module: str, *, at_type_checking: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imported(module, at_type_checking=at_type_checking)}


def calls(module: str, function: str) -> Iterator[ast.Call]:
    """Where a module calls a function by that plain name."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
            yield node


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


def test_only_roots_read_the_environment() -> None:
    read = [name for name in modules(*LAYERS) if reads_environment(tree(name)) or OF_ENVIRONMENT & {*imported(name)}]
    assert set(read) <= ROOTS


def test_only_roots_know_the_settings() -> None:
    below = modules("engine", "workflows", "activities", "ledger", "providers", "domain")
    assert not [name for name in below if "settings" in packages(name)]


def test_the_environment_rule_sees_who_breaks_it() -> None:
    assert reads_environment(ast.parse("import os\nkey = os.environ['KEY']"))
    assert reads_environment(tree("worker.py"))


def test_nobody_prints() -> None:
    """Processes log, and commands write to a console that they were given."""
    product = [*modules(*LAYERS, "longrun", "local"), "worker.py", "cli.py", "settings.py"]
    assert not [name for name in product if list(calls(name, "print"))]


def test_every_statement_in_a_file_is_used_and_every_one_used_is_there() -> None:
    named = [call.args[0] for name in modules("ledger") for way in ("sql", "named") for call in calls(name, way)]
    used = {one.value for one in named if isinstance(one, ast.Constant)}
    assert used == {path.stem for path in (ROOT / "ledger" / "sql").glob("*.sql")}


def test_importing_a_workflow_imports_no_other() -> None:
    assert (ROOT / "workflows" / "__init__.py").read_text() == ""


def test_workflows_touch_nothing_but_time_as_it_is_told() -> None:
    assert not [name for name in modules("workflows") if IO_IN_WORKFLOWS & packages(name)]


def test_activities_name_providers_by_protocol() -> None:
    assert not [name for name in modules("activities") if "providers" in packages(name, at_type_checking=False)]


def test_every_module_says_what_it_is() -> None:
    assert not [name for name in modules(*LAYERS) if tree(name).body and not ast.get_docstring(tree(name))]


def test_names_and_aliases_of_kinds_are_their_own() -> None:
    names = [name for kind in ours() for name in (kind.name, *kind.aliases)]
    assert len(names) == len(set(names))


def test_a_kind_is_named_as_its_workflow_and_its_steps_once() -> None:
    for kind in installed():
        definition = getattr(kind.workflow, "__temporal_workflow_definition", None)
        assert definition is not None
        assert definition.name == kind.name
        steps = [step.name for step in kind.steps]
        assert steps or kind.steps_of
        assert len(steps) == len(set(steps))
        assert {step.policy.queue for step in kind.steps} <= set(QUEUES)
        # a number is Temporal's own id, `#` separates a step from its repeats
        assert not [name for name in steps if name.isdigit() or "#" in name]
