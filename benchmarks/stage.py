"""What stages cost a pipeline: the same extract-transform-load with and without them, in turn."""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from airflow_provider_pipeline_otel import flush_otel, pipeline_stage, setup_otel

ROWS = 100_000


def etl(database: sqlite3.Connection, batch: int, *, traced: bool) -> float:
    """Extract, transform and load one batch of rows; return the CPU seconds."""
    began = time.process_time()
    with stage("extract", traced=traced) as extract:
        rows = [json.dumps({"id": batch * ROWS + n, "price": n / 7}) for n in range(ROWS)]
        if extract:
            extract.add_records(read=len(rows))
    with stage("transform", traced=traced) as transform:
        parsed = [json.loads(row) for row in rows]
        kept = [(r["id"], f"item {r['id']}", round(r["price"], 2)) for r in parsed]
        if transform:
            transform.add_records(read=len(rows), written=len(kept))
    with stage("load", traced=traced) as load, database:
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", kept)
        if load:
            load.add_records(written=len(kept))
    return time.process_time() - began


def stage(name: str, *, traced: bool) -> Any:
    """Return a stage, or nothing in its place."""
    return pipeline_stage(name, sink_system="sqlite") if traced else nullcontext()


def main() -> None:
    """Print the report's lines."""
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIRFLOW__PIPELINE_OTEL__SPOOL_DIR"] = str(Path(folder) / "spool")
        setup_otel("benchmark")
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        pairs = int(sys.argv[1])
        ratios, seconds = [], [0.0, 0.0]
        for number in range(pairs + 1):
            order = (True, False) if number % 2 else (False, True)
            used = {
                traced: etl(database, number * 2 + place, traced=traced)
                for place, traced in enumerate(order)
            }
            if number:  # the first pair fills caches
                ratios.append(used[True] / used[False] - 1)
                seconds = [seconds[0] + used[False], seconds[1] + used[True]]
        flush_otel()
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"{pairs} pairs of batches, {seconds[0]:.1f} s without stages, {pairs * 3} stages with: ")
    print(f"overhead {middle:+.2%} [{low:+.2%} {high:+.2%}] by pairs, ", end="")
    print(f"{seconds[1] / seconds[0] - 1:+.2%} in all.")


if __name__ == "__main__":
    main()
