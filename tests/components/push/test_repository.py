"""The model directory: versions rise, nothing half-written shows, retention, rollback, refusals."""

from __future__ import annotations

import os
import resource
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.push.files import ModelFiles
from components.push.repository import ModelRepository
from models.errors import BadInputError, FailedRunError

MakeModel = Callable[..., Path]


def at(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def tree(root: Path) -> dict[str, bytes | None]:
    return {
        p.relative_to(root).as_posix(): p.read_bytes() if p.is_file() else None
        for p in sorted(root.rglob("*"))
    }


def test_a_push_is_a_byte_identical_copy_under_the_time(
    tmp_path: Path, make_model: MakeModel
) -> None:
    repository = ModelRepository(tmp_path / "serving" / "co2")
    model = make_model(1)
    pushed = repository.push(model, clock=at(1_700_000_000.9))
    assert (pushed.version, pushed.copied) == (1_700_000_000, True)
    assert repository.live() == 1_700_000_000
    assert tree(repository.path(1_700_000_000)) == tree(model)
    names = {p.name for p in repository.base.iterdir()}
    assert names == {"1700000000", ".lock", ".history.json"}


def test_an_empty_or_missing_directory_serves_nothing(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path / "none")
    assert repository.live() is None
    assert repository.versions() == ()
    assert not repository.base.exists()


steps = st.lists(
    st.tuples(
        st.sampled_from(["push", "push", "rollback", "retire", "lose ledger", "delete by hand"]),
        st.integers(min_value=1, max_value=30),
        st.integers(min_value=1, max_value=3),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_versions_rise_strictly_whatever_the_clock_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    base = tmp_path_factory.mktemp("any")
    repository = ModelRepository(base / "serving")
    model = base / "model"
    model.mkdir()
    given_out = [0]
    for number, (action, now, keep) in enumerate(steps):
        before = repository.versions()
        if action == "push":
            (model / "saved_model.pb").write_text(str(number))
            version = repository.push(model, clock=at(now)).version
            assert version is not None
            assert version > max(given_out)
            assert version >= now
            given_out.append(version)
            assert repository.versions() == (*before, version)
        elif action == "retire":
            gone = repository.retire(keep, clock=at(now))
            assert repository.versions() == before[-keep:]
            assert gone == before[:-keep]
        elif action == "rollback" and len(before) >= 2:
            done = repository.rollback(clock=at(now))
            assert (done.removed, done.live) == (before[-1], before[-2])
            assert repository.versions() == before[:-1]
        elif action == "lose ledger":
            # What is left on disk still bounds the next number, as long as something is left.
            (repository.base / ".history.json").unlink(missing_ok=True)
            on_disk = (*before, *repository.rolled_back())
            given_out = [0, *on_disk]
        elif action == "delete by hand" and before:
            (repository.path(before[-1]) / "saved_model.pb").unlink()
            repository.path(before[-1]).rmdir()
            if not (repository.base / ".history.json").exists():
                # Neither a file nor a folder remembers it any more.
                given_out = [0, *repository.versions(), *repository.rolled_back()]
        assert repository.live() == (repository.versions() or (None,))[-1]


def test_the_live_model_is_not_copied_again(tmp_path: Path, make_model: MakeModel) -> None:
    repository = ModelRepository(tmp_path / "serving")
    first = repository.push(make_model(1), clock=at(10))
    again = repository.push(tmp_path / "model-1", clock=at(20))
    assert (again.version, again.copied) == (first.version, False)
    assert again.reason == "already live as version 10"
    assert repository.versions() == (10,)
    # Only the live one counts: an older equal model is pushed again.
    repository.push(make_model(2), clock=at(30))
    assert repository.push(tmp_path / "model-1", clock=at(40)).version == 40


def test_a_damaged_live_version_is_replaced(tmp_path: Path, make_model: MakeModel) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.push(make_model(1), clock=at(10))
    (repository.path(10) / "variables" / "variables.index").unlink()
    assert repository.push(tmp_path / "model-1", clock=at(20)).version == 20


def test_rollback_serves_the_previous_one_and_refuses_the_same_model(
    tmp_path: Path, make_model: MakeModel
) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.push(make_model(1), clock=at(10))
    repository.push(make_model(2), clock=at(20))
    done = repository.rollback(clock=at(1_700_000_000))
    assert (done.removed, done.live, repository.live()) == (20, 10, 10)
    assert tree(repository.base / ".rolled-back-20") == tree(tmp_path / "model-2")

    refused = repository.push(tmp_path / "model-2", clock=at(30))
    assert (refused.version, refused.copied) == (None, False)
    assert "version 20" in refused.reason
    assert "2023-11-14" in refused.reason
    assert "--force" in refused.reason
    assert repository.live() == 10

    assert repository.push(tmp_path / "model-2", clock=at(30), force=True).version == 30
    repository.push(make_model(3), clock=at(40))
    # Forced once, the model is no longer refused.
    assert repository.push(tmp_path / "model-2", clock=at(50)).version == 50


def test_a_rolled_back_model_stays_refused_without_the_ledger(
    tmp_path: Path, make_model: MakeModel
) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.push(make_model(1), clock=at(10))
    repository.push(make_model(2), clock=at(20))
    repository.rollback(clock=at(25))
    (repository.base / ".history.json").write_text('{"format": 1, "events": [tor')
    assert repository.push(tmp_path / "model-2", clock=at(30)).version is None
    assert list(repository.base.glob(".history.json.unreadable-*"))


@pytest.mark.parametrize("pushes", [0, 1])
def test_rollback_needs_a_previous_version(
    tmp_path: Path, make_model: MakeModel, pushes: int
) -> None:
    repository = ModelRepository(tmp_path / "serving")
    for number in range(pushes):
        repository.push(make_model(number), clock=at(10 + number))
    said = "version 10 is the only one" if pushes else "nothing is live"
    with pytest.raises(BadInputError, match=said):
        repository.rollback()
    assert repository.live() == (10 if pushes else None)


def test_rollback_never_falls_on_something_that_does_not_load(
    tmp_path: Path, make_model: MakeModel
) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.push(make_model(1), clock=at(10))
    repository.push(make_model(2), clock=at(20))
    (repository.path(10) / "saved_model.pb").unlink()
    with pytest.raises(BadInputError, match="is not a SavedModel"):
        repository.rollback()
    assert repository.live() == 20


def test_retention_drops_superseded_rollbacks_too(tmp_path: Path, make_model: MakeModel) -> None:
    repository = ModelRepository(tmp_path / "serving")
    for number in (1, 2):
        repository.push(make_model(number), clock=at(number))
    repository.rollback()
    repository.retire(1)
    assert repository.rolled_back() == (2,)  # nothing newer is live yet
    repository.push(make_model(3), clock=at(3))
    assert repository.retire(1) == (1,)
    assert repository.rolled_back() == ()
    assert repository.versions() == (3,)
    assert {e.kind for e in repository.ledger().events} == {"pushed", "rolled_back", "retired"}
    with pytest.raises(BadInputError, match="at least 1"):
        repository.retire(0)


def test_foreign_names_are_left_alone(tmp_path: Path, make_model: MakeModel) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.base.mkdir()
    for name in ("notes", "1.5", "-3", "9" * 30, ".staging", "v7"):
        (repository.base / name).mkdir()
    (repository.base / "99").write_text("a file, not a version")
    assert repository.versions() == ()
    repository.push(make_model(1), clock=at(5))
    assert repository.versions() == (5,)
    assert (repository.base / ("9" * 30)).is_dir()
    assert (repository.base / "notes").is_dir()


def test_links_inside_the_model_become_files(tmp_path: Path, make_model: MakeModel) -> None:
    model = make_model(1)
    (model / "assets" / "link").symlink_to("../saved_model.pb")
    repository = ModelRepository(tmp_path / "serving")
    repository.push(model, clock=at(5))
    copied = repository.path(5) / "assets" / "link"
    assert not copied.is_symlink()
    assert copied.read_bytes() == (model / "saved_model.pb").read_bytes()


@pytest.mark.parametrize("kind", ["outside", "folder", "broken", "pipe", "socket"])
def test_what_is_no_plain_file_is_refused(
    tmp_path: Path, make_model: MakeModel, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(1)
    odd = model / "assets" / "odd"
    (tmp_path / "secret").write_text("secret")
    if kind == "outside":
        odd.symlink_to(tmp_path / "secret")
    elif kind == "folder":
        odd.symlink_to("../variables")
    elif kind == "broken":
        odd.symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(odd)
    else:
        monkeypatch.chdir(odd.parent)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("odd")
    repository = ModelRepository(tmp_path / "serving")
    with pytest.raises(BadInputError, match="odd"):
        repository.push(model)
    assert repository.live() is None


def test_a_folder_without_a_saved_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match=r"not a SavedModel: expected .* saved_model\.pb"):
        ModelRepository(tmp_path / "serving").push(tmp_path / "empty")


def test_a_base_that_leads_elsewhere_is_refused(tmp_path: Path, make_model: MakeModel) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    base = tmp_path / "near" / "serving"
    base.symlink_to(tmp_path / "far")
    with pytest.raises(BadInputError, match="link out of its folder"):
        ModelRepository(base).push(make_model(1))
    assert not list((tmp_path / "far").iterdir())


def test_a_base_that_is_a_file_is_refused(tmp_path: Path, make_model: MakeModel) -> None:
    (tmp_path / "serving").write_text("")
    with pytest.raises(BadInputError, match=r"cannot be made: .*serving\.directory"):
        ModelRepository(tmp_path / "serving").push(make_model(1))


def test_a_copy_that_runs_out_of_space_leaves_nothing(
    tmp_path: Path, make_model: MakeModel
) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.push(make_model(1), clock=at(10))
    model = make_model(2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # The kernel refuses to write beyond 6000 bytes: the second file of the model does not fit.
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))
        with pytest.raises(FailedRunError, match="nothing was pushed and the version served"):
            repository.push(model, clock=at(20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(repository.base.glob(".staging-*"))
    assert repository.live() == 10
    assert repository.push(model, clock=at(30)).version == 30


def test_a_source_that_changes_during_the_copy_is_not_pushed(
    tmp_path: Path, make_model: MakeModel
) -> None:
    model = make_model(1)

    def meddle(step: str) -> None:
        if step == "staging made":
            (model / "saved_model.pb").write_bytes(b"other")

    repository = ModelRepository(tmp_path / "serving", checkpoint=meddle)
    with pytest.raises(FailedRunError, match="changed while it was copied"):
        repository.push(model)
    assert repository.live() is None
    assert not list(repository.base.glob(".staging-*"))


def test_pushes_at_once_make_one_version_each(tmp_path: Path, make_model: MakeModel) -> None:
    base = tmp_path / "serving"
    models = [make_model(n) for n in (1, 1001, 2, 3)]
    done: list[int | None] = []

    def push(model: Path) -> None:
        done.append(ModelRepository(base).push(model, clock=at(10)).version)

    threads = [threading.Thread(target=push, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(v for v in done if v is not None) == [10, 11, 12, 13]
    assert ModelRepository(base).versions() == (10, 11, 12, 13)


def test_a_held_lock_is_waited_for_and_then_reported(tmp_path: Path, make_model: MakeModel) -> None:
    inner: list[BaseException] = []
    model = make_model(2)

    def compete(step: str) -> None:
        if step == "recovered":
            try:
                ModelRepository(tmp_path / "serving", patience=0.0).push(model)
            except FailedRunError as error:
                inner.append(error)

    ModelRepository(tmp_path / "serving", checkpoint=compete).push(make_model(1))
    assert len(inner) == 1
    assert "another process has been using" in str(inner[0])


@given(
    contents=st.lists(st.binary(max_size=20), min_size=2, max_size=2, unique=True),
    name=st.sampled_from(["saved_model.pb", "variables.data", "assets.extra/elman.json"]),
)
@settings(max_examples=20, deadline=None)
def test_the_digest_sees_every_byte_and_name(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], name: str
) -> None:
    digests = set()
    for content in contents:
        root = tmp_path_factory.mktemp("m")
        (root / "assets.extra").mkdir()
        (root / "saved_model.pb").write_bytes(b"graph")
        (root / name).write_bytes(content)
        digests.add(ModelFiles.of(root).content_digest())
        (root / name).rename(root / f"{name}txt")  # a rename alone changes the digest
        if name != "saved_model.pb":
            digests.add(ModelFiles.of(root).content_digest())
    assert len(digests) == (2 if name == "saved_model.pb" else 4)
