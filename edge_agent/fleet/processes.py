"""Access: what supervisor says of the processes it keeps."""

from typing import Any

from edge_agent import supervisor
from edge_agent.supervisor import NoAnswer
from wire.messages import ProcessState

__all__ = ["NoAnswer", "states"]

# A device has a handful; a body must stay within the wire's size.
_PROCESSES = 32


def states(path: str, device: str) -> tuple[ProcessState, ...]:
    """The processes in the group that bears the device's name, or all when there is no such group.

    Raises NoAnswer.
    """
    every = supervisor.processes(path)
    own = [one for one in every if one.get("group") == device]
    return tuple(_state(one) for one in (own or every)[:_PROCESSES])


def _state(told: dict[str, Any]) -> ProcessState:
    running = told.get("statename") == "RUNNING"
    since = int(told.get("now", 0)) - int(told.get("start", 0)) if running else 0
    name, state = str(told.get("name", "")), str(told.get("statename", "")).lower()
    return ProcessState(name[:200], state[:200], max(0, since))
