"""What must not leave: looked for in all bytes that emitting leaves on disk."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_pipeline_otel import emit_dbt_spans
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import whole

CANARY = "canary-5f3a"
MESSAGES = [
    CANARY,
    f"OK {CANARY}",
    f"Database Error in model a (models/a.sql)\n  Could not convert string '{CANARY}' to INT32",
    f'Runtime Error in model a (models\\a.sql)\r\n  column "{CANARY}" must appear in GROUP BY',
    f"Compilation Error\n  `{CANARY}` is undefined",
    f"Got 1 result, configured to fail if != 0 [{CANARY}]",
    f"Key (email)=({CANARY}@shop.example) already exists",
    f"Failing row contains ({CANARY}, 7, null)",
    f"password={CANARY}",
    f"$$$DBT_SECRET_START$$$DBT_ENV_SECRET_KEY$$$DBT_SECRET_END$$${CANARY}",
    f"$$$DBT_SECRET_START$$${CANARY}$$$DBT_SECRET_END$$$",
    f"\x1b[31mactual differs from expected\x1b[0m:\r\n\r\n→  ,1,\x1b[32m{CANARY}\x1b[0m\r\n",
    f"SUCCESS 1\n{CANARY}",
    f"{CANARY} SUCCESS 1",
]


def rows() -> list[dict[str, Any]]:
    """Return rows that hold the canary wherever dbt puts data, SQL or secrets."""
    found = []
    for at, message in enumerate(MESSAGES):
        for kind, status in (("model", "error"), ("unit_test", "fail"), ("seed", "success")):
            found.append(
                {
                    "unique_id": f"{kind}.shop.n.n{at}",
                    "status": status,
                    "message": message,
                    "error": message,
                    "compiled_code": f"select '{CANARY}'",
                    "compiled_sql": f"select '{CANARY}'",
                    "adapter_response": {
                        "_message": message,
                        "message": message,
                        "query": f"select '{CANARY}'",
                        "unheard_of": CANARY,
                    },
                    "unheard_of": CANARY,
                }
            )
    source = {"criteria": {"filter": CANARY}, "error": CANARY, "status": "runtime error"}
    return [*found, {"unique_id": "source.shop.raw.s", **source}]


def artifact() -> dict[str, Any]:
    """Return run_results.json of a run with secrets in its words and environment."""
    metadata = {**whole()["metadata"], "env": {"API_KEY": CANARY}}
    args = {
        "which": "build",
        "vars": {"password": CANARY},
        "invocation_command": f"dbt build --vars 'password: {CANARY}'",
        "profiles_dir": f"/home/{CANARY}",
        "select": [CANARY],
        "__other__": {"vars": {"password": CANARY}},
    }
    return whole(metadata=metadata, args=args, results=rows())


def manifest() -> dict[str, Any]:
    """Return a manifest with SQL, texts and people in it."""
    owner = {"name": CANARY, "email": f"{CANARY}@shop.example"}
    person = {
        "meta": {"owner": f"{CANARY}@shop.example"},
        "config": {"meta": {"owner": owner}, "pre-hook": [{"sql": CANARY}]},
        "owner": owner,
        "description": CANARY,
        "raw_code": f"select '{CANARY}'",
        "columns": {"id": {"description": CANARY}},
    }
    ids = [row["unique_id"] for row in rows()]
    return {
        "metadata": {"adapter_type": "postgres", "env": {"API_KEY": CANARY}, "user_id": CANARY},
        "nodes": dict.fromkeys(ids, person),
        "exposures": {"exposure.shop.e": person},
        "unit_tests": {ids[1]: {**person, "given": [{"rows": [{"id": CANARY}]}]}},
        "groups": {"group.shop.g": {"owner": owner}},
    }


def before_0_19() -> dict[str, Any]:
    """Return the same of a dbt whose rows hold their nodes."""
    old = [
        {"node": {"unique_id": row.pop("unique_id"), "raw_sql": CANARY}, **row, "status": CANARY}
        for row in rows()
    ]
    return {"generated_at": "2026-01-01T00:00:10Z", "elapsed_time": 9.0, "results": old}


WHOLE = json.dumps(artifact(), ensure_ascii=False)
FORMS = {
    "as it is": WHOLE.encode(),
    "no strict JSON": b"\xef\xbb\xbf" + WHOLE.encode(),
    "cut off": WHOLE[: WHOLE.rindex('"source.shop.raw.s"')].encode(),
    "cut off within a message": WHOLE[: WHOLE.rindex(CANARY)].encode(),
    "before 0.19": json.dumps(before_0_19()).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_of_it_leaves(
    project: Project, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither to disk, nor into the task's log, nor into what it returns."""
    (project.target / "run_results.json").write_bytes(FORMS[form])
    (project.target / "manifest.json").write_text(json.dumps(manifest()))
    summary = emit_dbt_spans(project.target)
    assert summary.spans > len(MESSAGES) * 3
    assert b"model.shop.n.n0" in project.content  # names are there to be found, as they are
    assert CANARY.encode() not in project.content
    assert CANARY not in caplog.text
    assert CANARY not in repr(summary)


def test_the_class_of_an_error_leaves(project: Project) -> None:
    """It is what can be said without the text."""
    (project.target / "run_results.json").write_text(WHOLE)
    emit_dbt_spans(project.target)
    found = {s.attributes["error.type"] for s in project.nodes if s.status == "ERROR"}
    assert found == {
        "compilation_error",
        "database_error",
        "dbt_error",
        "runtime_error",
        "test_failure",
    }
