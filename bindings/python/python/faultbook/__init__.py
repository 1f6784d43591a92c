"""Software fails; `faultbook` says what went wrong in a stable word, and what happens next.

    import faultbook

    engine = faultbook.Engine.builtin()
    try:
        synchronize()
    except Exception as error:
        decision = engine.classify(error, connector="exchange")
        print(decision.code, decision.retry, decision.message)
"""

from ._engine import (
    Decision,
    DecisionTable,
    Engine,
    FaultbookError,
    Finding,
    InternalError,
    ReloadOutcome,
    RulesRejected,
    __version__,
    failure_from_exception,
)

__all__ = [
    "Decision",
    "DecisionTable",
    "Engine",
    "FaultbookError",
    "Finding",
    "InternalError",
    "ReloadOutcome",
    "RulesRejected",
    "__version__",
    "failure_from_exception",
]
