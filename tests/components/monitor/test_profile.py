"""Profiles against counts made one by one."""

from __future__ import annotations

import numpy as np

from components.monitor.columns import MISSING
from components.monitor.profile import BLOCKS, Profile, count_rows
from tests.components.monitor.rows import HOUR, piece, profile_of, static_roles


def test_a_profile_counts_each_row_in_its_block_and_bin() -> None:
    draw = np.random.default_rng(0)
    values = draw.normal(size=24 * 30).astype(np.float32)
    values[5] = np.nan
    roles = static_roles("kind")
    pieces = [piece(0, values, b"a", kind="x"), piece(100, values[:50], b"b", kind="y")]
    profile = profile_of(*pieces, roles=roles)
    assert profile.series == ("a", "b")
    expected = np.zeros_like(profile.counts["y"])
    words = np.zeros_like(profile.counts["kind"])
    for part, word in zip(pieces, ("x", "y"), strict=True):
        for time, row in zip(part.time, part.values[:, 0], strict=True):
            block = max(i for i, t in enumerate(profile.times[:-1]) if t <= time)
            expected[block, profile.columns["y"].index([row])[0]] += 1
            words[block, profile.columns["kind"].index([word])[0]] += 1
    np.testing.assert_array_equal(profile.counts["y"], expected)
    np.testing.assert_array_equal(profile.counts["kind"], words)
    assert profile.total()["y"][profile.columns["y"].labels.index(MISSING)] == 2
    counted = count_rows(pieces, roles, profile.columns)
    for name, counts in counted.items():
        np.testing.assert_array_equal(counts, profile.total()[name])


def test_blocks_are_whole_steps_that_part_a_day_evenly() -> None:
    for steps in (30, 4000, 9000, 50_000):
        profile = profile_of(piece(7, np.arange(steps)))
        length = np.diff(profile.times)
        assert (length == length[0]).all()
        assert length[0] % HOUR == 0
        assert 24 * HOUR % length[0] == 0
        assert profile.blocks <= BLOCKS
        assert profile.times[-1] >= (7 + steps) * HOUR


def test_a_saved_profile_is_the_same_when_it_is_read(tmp_path) -> None:
    roles = static_roles("kind", "size")
    profile = profile_of(
        piece(0, np.arange(40.0), b"a", kind="x", size=3.0),
        piece(0, np.arange(40.0), b"\xff", size=4.0),
        roles=roles,
    )
    profile.save(tmp_path / "p.npz")
    found = Profile.load(tmp_path / "p.npz")
    assert found.series == profile.series
    assert {n: b.labels for n, b in found.columns.items()} == {
        n: b.labels for n, b in profile.columns.items()
    }
    np.testing.assert_array_equal(found.times, profile.times)
    for name, counts in profile.counts.items():
        np.testing.assert_array_equal(found.counts[name], counts)
