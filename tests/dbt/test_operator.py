"""DbtTracedOperator on real Airflow, with real dbt."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from tests.dbt.shop_runs import STATUS, named, names_above
from tests.environments import ROOT

if TYPE_CHECKING:
    from tests.airflow.sink import Span
    from tests.dbt.shop_runs import Shop

pytestmark = pytest.mark.timeout(400)

SCOPE: Final = "airflow_provider_pipeline_otel.dbt"

NEAR: Final = 50_000_000
"""Nanoseconds between a span and dbt's own word."""


@pytest.fixture(scope="module")
def build(shop: Shop) -> list[Span]:
    """Give the trace of everything, with failures."""
    shop.start("dbt_build", "build-1")
    return shop.ended("dbt_build", "build-1")


@pytest.fixture(scope="module")
def well(shop: Shop) -> list[Span]:
    """Give the trace of what works."""
    shop.start("dbt_well", "well-1")
    assert shop.airflow.wait("dbt_well", "well-1") == "success"
    return shop.ended("dbt_well", "well-1")


def below(spans: list[Span], task: str) -> dict[str, Span]:
    """Return dbt's spans under a task's worker, by name."""
    return named([span for span in spans if f"worker.{task}" in names_above(spans, span)])


STATUSES: Final = {
    "dbt.raw_orders": ("success", "OK"),
    "dbt.stg_orders": ("success", "OK"),
    "dbt.customers_snapshot": ("success", "OK"),
    "dbt.unique_stg_orders_id": ("pass", "OK"),
    "dbt.accepted_values_stg_orders_customer__ann__bob": ("warn", "UNSET"),
    "dbt.no_big_amounts": ("fail", "ERROR"),
    "dbt.not_null_broken_mail": ("error", "ERROR"),
    "dbt.big_orders_only": ("pass", "OK"),
    "dbt.wrong_mail": ("fail", "ERROR"),
    "dbt.orders": ("success", "OK"),
    "dbt.mails": ("skipped", "UNSET"),
    "dbt.broken_table": ("skipped", "UNSET"),
    "dbt.daily": ("success", "OK"),
    "dbt.slow": ("success", "OK"),
    "dbt.shop-on-run-start-0": ("success", "OK"),
    "dbt.shop-on-run-end-0": ("success", "OK"),
}


def test_every_node_with_its_status(build: list[Span]) -> None:
    """Models, tests, unit tests, seeds, snapshots, hooks, what was skipped; nothing ephemeral."""
    found = below(build, "build")
    assert {
        name: (found[name].attributes[STATUS], found[name].status) for name in STATUSES
    } == STATUSES
    assert "dbt.big_orders" not in found, "ephemeral models don't run"
    root = found["dbt build"]
    assert root.status == "ERROR"
    assert root.attributes["dbt.exit_code"] == 1
    nodes = [s for s in found.values() if s is not root and "dbt.batch.index" not in s.attributes]
    assert {span.parent_id for span in nodes} == {root.span_id}
    assert root.attributes["dbt.nodes.total"] == len(nodes)


def test_batches_are_children_of_their_model(build: list[Span], shop: Shop) -> None:
    """Each with its index and what it is for; before dbt 1.9 there are none."""
    found = below(build, "build")
    batches = [s for s in found.values() if "dbt.batch.index" in s.attributes]
    assert bool(batches) is shop.installed.has_batches
    assert {span.parent_id for span in batches} <= {found["dbt.daily"].span_id}
    assert [s.attributes["dbt.batch.index"] for s in batches] == [*range(1, len(batches) + 1)]
    starts = [str(s.attributes["dbt.batch.start"])[:4] for s in batches]
    assert starts == [str(2024 + number) for number in range(len(batches))]


def test_links_follow_depends_on(build: list[Span]) -> None:
    """Through ephemeral models; tests link to their model, unit tests name the one to come."""
    found = below(build, "build")
    assert [link.span_id for link in found["dbt.stg_orders"].links] == [
        found["dbt.raw_orders"].span_id
    ]
    assert [link.span_id for link in found["dbt.unique_stg_orders_id"].links] == [
        found["dbt.stg_orders"].span_id
    ]
    assert [link.span_id for link in found["dbt.top_orders"].links] == [
        found["dbt.stg_orders"].span_id
    ]
    unit = found["dbt.big_orders_only"].attributes
    assert unit["dbt.test.attached_node"] == "model.shop.orders"


def test_every_attribute_is_documented(build: list[Span], well: list[Span]) -> None:
    """What dbt's spans say stands in docs/semantic-conventions.md."""
    document = (ROOT / "docs" / "semantic-conventions.md").read_text()
    said = {name for span in (*build, *well) if span.scope == SCOPE for name in span.attributes}
    told = {f"{name.rpartition('.')[0]}.<status>" if ".nodes." in name else name for name in said}
    assert [name for name in sorted(told) if f"`{name}`" not in document] == []
    assert len(told) > len(STATUSES)


def test_no_data_leaves(build: list[Span], well: list[Span], shop: Shop) -> None:
    """No row, no variable, no address of an owner, no SQL."""
    assert build
    assert well
    sent = b"".join(shop.sink.bodies)
    for secret in (b"canary", b"select ", b"Could not convert"):
        assert secret not in sent


def test_times_are_dbts(build: list[Span], shop: Shop) -> None:
    """Within 50 ms of dbt's own events."""
    found = below(build, "build")
    (log,) = [
        path
        for path in shop.home.glob("spool/dbt/*/*/logs/dbt.log")
        if found["dbt build"].attributes["dbt.invocation_id"] in path.read_text()
    ]
    compared = 0
    for event in map(json.loads, log.read_text().splitlines()):
        if event["info"]["name"] == "NodeFinished" and "run_result" in event["data"]:
            node = event["data"]["node_info"]
            span = found.get(f"dbt.{node['node_name']}")
            if span is not None and node["unique_id"] != "model.shop.daily":
                assert abs(span.start_ns - _nanoseconds(node["node_started_at"])) < NEAR
                end = node["node_finished_at"] or event["info"]["ts"].rstrip("Z")
                assert abs(span.end_ns - _nanoseconds(end)) < NEAR
                compared += 1
    assert compared > len(STATUSES) // 2


def _nanoseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 10**9)


def test_the_failure_is_told(build: list[Span], shop: Shop) -> None:
    """One message that names what failed, and dbt's own lines, in the task's log."""
    assert build
    text = shop.log("dbt_build", "build-1", "build")
    assert "dbt build failed (exit code 1): " in text
    assert "no_big_amounts" in text.partition("dbt build failed (exit code 1): ")[2]
    assert "\x1b[" not in text.replace("\\u001b", "\x1b[")
    assert re.search(r"\d+ of \d+ START sql view model main.stg_orders", text), "progress is told"


def test_a_retry_runs_what_failed(shop: Shop) -> None:
    """`dbt retry` goes on from the state of this task's try before."""
    shop.start("dbt_again", "again-1")
    spans = shop.ended("dbt_again", "again-1")
    (first,) = [span for span in spans if span.name == "dbt build"]
    (second,) = [span for span in spans if span.name == "dbt retry"]
    assert second.attributes["dbt.exit_code"] == 1, "what fails by intention fails again"

    def ran(root: Span) -> set[object]:
        nodes = [span for span in spans if span.parent_id == root.span_id]
        return {span.attributes["dbt.node_name"] for span in nodes}

    assert {"no_big_amounts", "wrong_mail", "mails"} <= ran(second)
    assert not {"stg_orders", "raw_orders", "daily"} & ran(second)
    assert ran(second) <= ran(first)


def test_several_commands(well: list[Span]) -> None:
    """Seeds, models, freshness of sources; what is only compiled has no nodes."""
    assert below(well, "seed")["dbt.raw_orders"].attributes["pipeline.records.written"] == 5
    workers = {span.name: span for span in well if span.name.startswith("worker.")}
    assert workers["worker.seed"].attributes["pipeline.records.written"] == 8
    fresh = below(well, "fresh")
    assert fresh["dbt source freshness"].status == "OK"
    source = fresh["dbt.raw.raw_orders"]
    assert source.attributes[STATUS] == "warn"
    assert source.attributes["dq.freshness_seconds"] > 86_400
    assert set(below(well, "docs")) == {"dbt docs generate"}
    assert set(below(well, "compiled")) == {"dbt compile"}
    assert below(well, "snapshot")["dbt.customers_snapshot"].status == "OK"
    kinds = {span.attributes.get("dbt.resource_type") for span in below(well, "test").values()}
    assert "test" in kinds
    assert "model" not in kinds


@pytest.mark.usefixtures("build", "well")
def test_the_project_is_left_alone(shop: Shop) -> None:
    """Target, logs and partial parse are elsewhere: projects may be read-only."""
    found, given = (
        {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        for folder in (shop.home / "shop", ROOT / "tests" / "dbt" / "shop")
    )
    assert {name for name in found if "__pycache__" not in name} == given


def test_dbts_own_spans(well: list[Span], shop: Shop) -> None:
    """A dbt that can draw them has them instead of ours, below `dbt run`; an older one has ours."""
    found = below(well, "run")
    root = found.pop("dbt run")
    assert root.status == "OK"
    own = {span.name: span for span in well if span.scope == "dbt.runner"}
    ours = {name for name, span in found.items() if span.scope == SCOPE}
    if not shop.installed.draws_spans:
        assert own == {}
        assert found["dbt.orders"].status == "OK"
        assert {"dbt.stg_orders", "dbt.slow", "dbt.shop-on-run-end-0"} <= ours
        return
    assert ours == set(), "nothing is there twice"
    assert {"model.shop.stg_orders", "model.shop.orders", "model.shop.slow"} <= set(own)
    assert all({"dbt run", "worker.run"} <= {*names_above(well, span)} for span in own.values())
    assert own["model.shop.orders"].status == "OK"
    linked = {link.span_id for link in own["model.shop.orders"].links}
    assert own["model.shop.stg_orders"].span_id in linked
