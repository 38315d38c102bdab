"""No file that came from elsewhere can run code here: read by the rules, and tried."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import BadInputError
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from pipeline.config import loads
from tests.stores import make_store

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("pipeline", "components", "models", "serving", "benchmarks", "examples")
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RUNS_CODE = {
    *("read_pickle", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"),
    *("enable_unsafe_deserialization", "load_context"),
}
BUILTINS = {"eval", "exec"}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(), str(path))


def problems(tree: ast.Module) -> Iterator[str]:
    """What in a module could run code out of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
            yield from (f"{node.lineno}: imports {name}" for name in names & PICKLES)
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").partition(".")[0] in PICKLES:
                yield f"{node.lineno}: imports from {node.module}"
        elif isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    name, of = _name(node.func)
    words = {k.arg: k.value for k in node.keywords}
    if name in RUNS_CODE or (not of and name in BUILTINS):
        yield f"{node.lineno}: calls {name}"
    if of in ("np", "numpy") and name == "load" and not _is(words.get("allow_pickle"), False):
        yield f"{node.lineno}: np.load without allow_pickle=False"
    if "allow_pickle" in words and not _is(words["allow_pickle"], False):
        yield f"{node.lineno}: allow_pickle is not False"
    if "safe_mode" in words and not _is(words["safe_mode"], True):
        yield f"{node.lineno}: safe_mode is not True"
    if of == "yaml" and name in ("load", "load_all"):
        given = [
            _name(a)[0] for a in (*node.args[1:], *([words["Loader"]] if "Loader" in words else []))
        ]
        if given != ["SafeLoader"]:
            yield f"{node.lineno}: yaml.{name} without SafeLoader"
    # MLflow's loaders unpickle what a model says it is; a Keras file may hold a Lambda.
    if name == "load_model" and of in ("mlflow", "pyfunc", "sklearn", "keras", "models", "saving"):
        yield f"{node.lineno}: loads a model file with {of}.load_model"


def _name(node: ast.expr) -> tuple[str, str]:
    """Name of a function, and of what it is an attribute of."""
    if isinstance(node, ast.Attribute):
        return node.attr, _name(node.value)[0]
    return (node.id, "") if isinstance(node, ast.Name) else ("", "")


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_no_module_reads_what_could_run_code() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{words}"
        for path, tree in sources()
        for words in problems(tree)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "yaml.load(text)",
        "yaml.load(text, yaml.Loader)",
        "yaml.unsafe_load(text)",
        "keras.models.load_model(path)",
        "keras.saving.load_model(path, safe_mode=False)",
        "mlflow.pyfunc.load_model(uri)",
        "eval(text)",
    ],
)
def test_the_rules_see_what_they_are_for(code: str) -> None:
    assert list(problems(ast.parse(code)))


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_an_array_of_objects_in_an_artifact_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()  # the bomb works
    mark.unlink()
    store = make_store([("", 0, np.arange(40.0))], WindowSpec(lookback=4, horizon=2), (20, 30, 40))
    store.save(tmp_path / "store")
    np.save(tmp_path / "store" / "values.npy", np.array([Bomb(mark)]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"allow_pickle|[Oo]bject"):
        SeriesStore.load(tmp_path / "store")
    assert not mark.exists()


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir", "!!python/name:os.mkdir", "!x"])
def test_a_configuration_makes_no_objects(tmp_path: Path, tag: str) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(BadInputError):
        loads(f"name: {tag} ['{mark}']\n")
    assert not mark.exists()
