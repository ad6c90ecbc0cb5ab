"""What became of the spans of a host, whatever happens to the file that says so."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from airflow_provider_pipeline_otel.export.ledger import DELIVERED, FILE, REFUSED, Entry, Ledger

if TYPE_CHECKING:
    from pathlib import Path


def test_entries_add_up_by_what_and_reason(tmp_path: Path) -> None:
    """Entries of nothing leave no line."""
    ledger = Ledger(tmp_path)
    ledger.add(Entry(DELIVERED, 2), Entry(REFUSED, 1, "HTTP 400"))
    ledger.add(Entry(DELIVERED, 3), Entry(REFUSED, 0, "HTTP 413"))
    assert ledger.totals() == {(DELIVERED, ""): 5, (REFUSED, "HTTP 400"): 1}
    assert len((tmp_path / FILE).read_text().splitlines()) == 3


def test_nothing_is_known_where_nothing_was_added(tmp_path: Path) -> None:
    """No file, no entries."""
    Ledger(tmp_path).add(Entry(DELIVERED, 0))
    assert not [*tmp_path.iterdir()]
    assert not Ledger(tmp_path).totals()


def test_a_torn_line_costs_itself(tmp_path: Path) -> None:
    """The others count."""
    ledger = Ledger(tmp_path)
    ledger.add(Entry(DELIVERED, 2))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole + whole[:9] + b"\n" + whole)
    assert ledger.totals() == {(DELIVERED, ""): 4}


def test_the_file_stays_small(tmp_path: Path) -> None:
    """A large one is replaced by its sums."""
    ledger = Ledger(tmp_path)
    for number in range(5000):
        ledger.add(Entry(DELIVERED, 1), Entry(REFUSED, 1, f"reason {number % 3}"))
    assert (tmp_path / FILE).stat().st_size < 100_000
    assert sum(ledger.totals().values()) == 10_000


def _add_many(folder: Path) -> None:
    ledger = Ledger(folder)
    for _ in range(2000):
        ledger.add(Entry(DELIVERED, 1))


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    """Also while one of them puts the sums in the file's place."""
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        list(pool.map(_add_many, [tmp_path] * 4))
    assert Ledger(tmp_path).totals() == {(DELIVERED, ""): 8000}


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path) -> None:
    """Nothing is counted there."""
    ledger = Ledger(tmp_path / "gone")
    ledger.add(Entry(DELIVERED, 1))
    assert not ledger.totals()
    assert not [*tmp_path.iterdir()]
