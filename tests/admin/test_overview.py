"""Numbers over time: sampled from the counts of all workers, kept, and put into steps."""

from __future__ import annotations

from pathlib import Path

from gatepost.admin.overview import sampled, steps, total
from gatepost.store.history import History, Sample

ANSWER = {
    "queue": {"active": 1, "deferred": 2, "held": 3},
    "oldest": 40.0,
    "sessions": {"internet": 4, "submission": 1},
}


def test_a_sample_has_what_was_counted_since_the_one_before() -> None:
    before = {("messages_accepted", "internet"): 5, ("refusals", "internet", "relay-denied"): 1}
    counts = {
        ("messages_accepted", "internet"): 7,
        ("messages_accepted", "submission"): 1,
        ("refusals", "internet", "relay-denied"): 1,
        ("attempts", "deferred"): 2,
        ("sessions", "internet"): 9,
    }
    sample = sampled(100.0, counts, before, [ANSWER, ANSWER])
    assert sample.counts == {"in": 3, "out deferred": 2}
    assert sample.levels == {"active": 2, "deferred": 4, "held": 6, "oldest": 60.0, "sessions": 10}


def test_steps_add_counts_and_keep_the_highest_level() -> None:
    samples = [
        Sample(1.0, {"in": 1, "refused relay-denied": 2}, {"held": 5}),
        Sample(9.0, {"in": 2, "refused relay-denied": 1, "refused unknown-user": 1}, {"held": 3}),
        Sample(20.0, {"in": 4}, {"held": 1}),
    ]
    found = steps(samples, 0.0, 20.0, count=2)
    assert [step.counts["in"] for step in found] == [3, 4]
    assert [step.levels for step in found] == [{"held": 5}, {"held": 1}]
    assert total(found, "refused") == {"relay-denied": 3, "unknown-user": 1}


def test_samples_are_kept_for_a_while(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite3")
    assert history.between(0.0, 99.0) == []
    one, two = Sample(10.0, {"in": 1}, {"held": 2.0}), Sample(20.0, {}, {})
    history.keep(one, forget_before=0.0)
    history.keep(two, forget_before=0.0)
    assert history.between(0.0, 20.0) == [one, two]
    assert history.between(10.0, 20.0) == [two]
    history.keep(Sample(30.0, {}, {}), forget_before=15.0)
    assert history.between(0.0, 99.0)[0] == two
