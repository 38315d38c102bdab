"""A secret in plain text is refused wherever a configuration can hold one, and never repeated."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from models.errors import BadInputError
from pipeline.config import flat, loads

CANARY = "canary4711canary4711"
URL = f"postgresql://me:pa/{CANARY}@host/base"
GOOD: dict[str, Any] = {
    "name": "demo",
    "data": {"path": "data.csv", "time": "date", "frequency": "h"},
    "targets": ["y"],
    "window": {"lookback": 4, "horizon": 2},
}


def config(**changes: Any) -> str:
    """The good configuration with keys, in dotted form with `__`, set to other values."""
    data: dict[str, Any] = yaml.safe_load(yaml.safe_dump(GOOD))
    for key, value in changes.items():
        *above, last = key.split("__")
        here = data
        for part in above:
            here = here.setdefault(part, {})
        here[last] = value
    return yaml.safe_dump(data, width=1000)


TABLE: dict[str, Any] = {
    "data": {"url": URL, "table": "t", "time": "date", "frequency": "h"},
}


@pytest.mark.parametrize(
    "text",
    [
        config(**TABLE),
        config(data={**TABLE["data"], "url": [URL]}),
        config(data={**TABLE["data"], "url": {"is": URL}}),
        config(data={**TABLE["data"], "urll": URL}),
        config(data={**TABLE["data"], "timezone": URL}),
        config(tracking__uri=URL),
        config(tracking__uri=f"https://me:{CANARY}@host"),
        config(tracking__uri=f"https://host/?access_token={CANARY}"),
        config(tracking__uri=[URL]),
        config(tracking=URL),
        config(tracking=[URL]),
        config(notify__webhook__url=f"https://hooks.example.org/services/{CANARY}"),
        config(notify__webhook__url=f"https://me:{CANARY}@host/x"),
        config(notify__webhook__url=[f"https://me:{CANARY}@host/x"]),
        config(notify__webhook={"url": "https://h", "headers": {"Authorization": CANARY}}),
        config(notify__webhook={"url": "https://h", "headers": {"Authorization": [CANARY]}}),
        config(notify__webhook={"url": "https://h", "headers": {"X-Api-Key": {"a": CANARY}}}),
        URL,
        f"- {URL}\n",
        f"name: [{URL}\n",
        f"name: a\nname: {URL}\n",
        f"? {{a: '{URL}'}}\n: b\n",
        f"targets: !!set {{'{URL}'}}\n",
    ],
)
def test_it_is_refused_without_a_word_of_it(text: str) -> None:
    assert CANARY in text
    with pytest.raises(BadInputError) as caught:
        loads(text)
    assert CANARY not in str(caught.value), str(caught.value)
    assert CANARY[:10] not in str(caught.value), str(caught.value)


def test_what_is_tracked_of_a_configuration_holds_none() -> None:
    loaded = loads(
        config(
            notify={
                "webhook": {"url": "https://hooks.example.org/services/shortsecret"},
                "command": {"run": ["curl", "--token", CANARY]},
            }
        )
    )
    values = flat(loaded.config)
    assert values["notify.webhook.url"] == "https://hooks.example.org/..."
    assert values["notify.command.run"] == '["curl", "..."]'
    assert not [v for v in values.values() if CANARY in v or "shortsecret" in v]
