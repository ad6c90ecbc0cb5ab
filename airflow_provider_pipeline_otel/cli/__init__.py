"""pipeline-otel: looks at the spool and delivers it; needs no Airflow."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_pipeline_otel.config import read_settings
from airflow_provider_pipeline_otel.options import airflow_cfg_option


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pipeline-otel", description="Traces of Airflow's DAG runs, in the spool of this host."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="draw the traces that are in the spool")
    show.add_argument("dag", nargs="?", help="only this DAG's runs")
    show.add_argument("run", nargs="?", help="only this run")
    show.add_argument(
        "--last", type=int, default=5, metavar="N", help="the last N runs (default 5)"
    )
    show.add_argument(
        "--file", type=Path, help="a segment, or a folder of them, instead of the spool"
    )
    show.add_argument("--json", action="store_true", help="spans as JSON, a trace per line")
    show.add_argument("--svg", type=Path, metavar="OUT", help="write the picture to a file as well")
    show.add_argument("--html", type=Path, metavar="OUT", help="write a page to zoom and search in")
    drain = commands.add_parser("drain", help="end what dead processes left open, and deliver")
    drain.add_argument("--watch", action="store_true", help="go on until told to stop")
    drain.add_argument(
        "--with-parent",
        action="store_true",
        help="with --watch: stop with the process that began it",
    )
    drain.add_argument("--json", action="store_true", help="what came of it as JSON")
    dbt = commands.add_parser("dbt", help="turn the artifacts of a run of dbt into spans")
    dbt.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=Path(),
        help="a project, its target folder or a run_results.json (default: this folder)",
    )
    dbt.add_argument("--show", action="store_true", help="draw the trace")
    dbt.add_argument("--html", type=Path, metavar="OUT", help="write a page to zoom and search in")
    dbt.add_argument("--json", action="store_true", help="what came of it as JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0: done, 1: something is left or missing, 2: can't be done as said."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    said = _parser().parse_args(arguments)
    settings = read_settings(option=airflow_cfg_option())
    if said.command == "drain":
        from airflow_provider_pipeline_otel.cli.drain import drain, watch

        if said.watch:
            return watch(settings, with_parent=said.with_parent)
        return drain(settings, json=said.json)
    if said.command == "dbt":
        from airflow_provider_pipeline_otel.cli.dbt import dbt

        return dbt(settings, said.path, draw=said.show, html=said.html, json=said.json)
    from airflow_provider_pipeline_otel.cli.show import Form, show

    return show(
        settings,
        said.dag,
        said.run,
        last=said.last,
        file=said.file,
        form=Form(json=said.json, svg=said.svg, html=said.html),
    )
