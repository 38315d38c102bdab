"""`notify`: gives events to the hooks of a configuration. It never raises an error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from components.notify import command, webhook
from components.notify.config import NotifyConfig
from components.notify.event import Context, Event, payload


def notify(config: NotifyConfig | None, events: Iterable[Event], *, context: Context) -> list[str]:
    """Tells each hook each event that it wants to hear of.

    Args:
        config: The hooks; None: there are none.
        events: What happened, in order.
        context: In which run.

    Returns:
        One sentence for each hook that failed, without secrets. Nothing is raised but what stops
        the process itself, such as KeyboardInterrupt.
    """
    if config is None:
        return []
    warnings = []
    for event in events:
        body = payload(event, context)
        try:
            if config.webhook is not None and event.kind in config.webhook.on:
                warnings.append(webhook.post(config.webhook, body))
            if config.command is not None and event.kind in config.command.on:
                folder = Path(context.config).parent
                warnings.append(command.start(config.command, body, folder))
        except Exception as error:  # a hook that breaks must not break the run that it tells of
            warnings.append(f"a hook failed with {type(error).__name__}")
    return [warning for warning in warnings if warning]
