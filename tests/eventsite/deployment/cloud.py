"""The emulated AWS of these tests: ministack, whose change sets heed conditions as AWS's do.

    python -m tests.eventsite.deployment.cloud

Ministack itself executes a change set by its conditions, but lists the resources that they exclude too.
"""

from typing import Any

from ministack.app import main
from ministack.services.cloudformation import changesets
from ministack.services.cloudformation.engine import _evaluate_conditions

NAME = "_resolve_props_for_diff"
resolve = getattr(changesets, NAME)


def resolve_included(template: Any, params: Any, *stack: Any) -> Any:
    """Return the resources of a template whose conditions hold, with their properties resolved."""
    holds = _evaluate_conditions(template, params) if template else {}
    found = resolve(template, params, *stack).get("Resources", {})
    return {"Resources": {name: each for name, each in found.items() if holds.get(each.get("Condition"), True)}}


if __name__ == "__main__":
    setattr(changesets, NAME, resolve_included)
    main()
