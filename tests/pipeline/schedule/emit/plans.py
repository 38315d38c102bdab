"""Plans whose paths hold what units, crontabs and templates treat as their own."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.emit.plan import Plan

ODD = "a b%n$HOME'q\"{{ x }}"
"""A folder's name: a space, systemd's and cron's percent, variables, quotes, a Jinja expression."""

FAKE_ELMAN = """#!{python}
import json, os, sys
with open({record!r}, "a") as file:
    file.write(json.dumps([os.getcwd(), *sys.argv[1:]]) + "\\n")
print("said on stdout")
sys.exit(int(os.environ.get("FAKE_EXIT", "0")))
"""


def odd_plan(folder: Path, **schedule: object) -> Plan:
    """A plan in a folder with an odd name, whose `elman` writes down how it was called."""
    odd = folder / ODD
    odd.mkdir()
    elman = odd / "elman"
    elman.write_text(FAKE_ELMAN.format(python=sys.executable, record=str(folder / "record")))
    elman.chmod(0o755)
    (odd / "c.yaml").write_text("")
    return Plan(
        name="small",
        config=odd / "c.yaml",
        command=(str(elman),),
        workspace=odd / "work",
        schedule=ScheduleConfig.model_validate({"cron": "0 3 * * *", **schedule}),
    )
