from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Literal, Protocol, TypedDict, final, type_check_only

__all__ = [
    "__version__",
    "Decision",
    "DecisionTable",
    "Engine",
    "FaultbookError",
    "Finding",
    "InternalError",
    "ReloadOutcome",
    "RulesRejected",
    "failure_from_exception",
]

__version__: str

@type_check_only
class Evidence(TypedDict):
    """What made one condition hold."""

    condition: str
    matched: str
    cause: int | None

@type_check_only
class Difference(TypedDict):
    """Names that were added, changed, or taken out of use."""

    added: list[str]
    changed: list[str]
    retired: list[str]

@type_check_only
class Changes(TypedDict):
    """What a set of rules changes beside the one before."""

    codes: Difference
    rules: Difference
    reordered: bool

@type_check_only
class LastReload(TypedDict):
    """How the last load ended."""

    at: str
    outcome: Literal["swapped", "unchanged", "rejected"]
    changes: Changes
    errors: int
    reason: str | None

@type_check_only
class Status(TypedDict):
    """How an engine stands."""

    generation: int
    ruleset: str
    since: str
    source: Literal["built-in", "directory", "last-good", "fallback-only"]
    codes: int
    rules: int
    watch: Literal["off", "scan", "events"]
    last_reload: LastReload | None
    loading_seconds: int | None
    not_kept: str | None
    generations_alive: int
    hits_by_code: dict[str, int]
    hits_by_rule: dict[str, int]
    unknown_by_reason: dict[str, int]

@type_check_only
class ArrowStream(Protocol):
    """A table that gives its batches: `pyarrow.Table`, `polars.DataFrame`, …"""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@type_check_only
class ArrowArray(Protocol):
    """A table of one batch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

class FaultbookError(Exception):
    """Something could not be done."""

class RulesRejected(FaultbookError):
    """The rules do not load; `findings` says what is wrong."""

    findings: list[Finding]

class InternalError(RuntimeError):
    """A fault of faultbook itself."""

@final
class Finding:
    """One finding in a rule file."""

    @property
    def lint(self) -> str:
        """The kind of finding."""
    @property
    def severity(self) -> Literal["error", "warning", "note"]:
        """How grave it is; errors keep a set from loading."""
    @property
    def file(self) -> str:
        """The file, below the rules directory as it was given."""
    @property
    def line(self) -> int:
        """The line, from 1."""
    @property
    def column(self) -> int:
        """The column in characters, from 1."""
    @property
    def message(self) -> str:
        """What is wrong."""
    @property
    def help(self) -> str | None:
        """What to type instead."""

@final
class ReloadOutcome:
    """How a reload ended."""

    @property
    def outcome(self) -> Literal["swapped", "unchanged", "rejected"]:
        """How it ended."""
    @property
    def generation(self) -> int | None:
        """Number of the set in force; none when the rules were rejected."""
    @property
    def ruleset(self) -> str | None:
        """Digest of the set in force; none when the rules were rejected."""
    @property
    def changes(self) -> Changes | None:
        """What the new set changes; none unless one was taken into use."""
    @property
    def findings(self) -> list[Finding]:
        """What is wrong with rules that were rejected."""

@final
class Decision:
    """What the engine says about a failure."""

    @property
    def id(self) -> str | None:
        """The failure's own id, when it was sent and is 1 to 64 of `A-Z a-z 0-9 . _ -`."""
    @property
    def code(self) -> str:
        """The stable code."""
    @property
    def title(self) -> str:
        """The code's title."""
    @property
    def status(self) -> str:
        """The transaction status."""
    @property
    def retry(self) -> Literal["retried", "fix-config", "none", "undiagnosed"]:
        """What the retry job does."""
    @property
    def action(self) -> Literal["none", "wait", "fix-config", "contact-support"]:
        """What a person has to do."""
    @property
    def message(self) -> str:
        """The message for the transaction, with the code in front."""
    @property
    def rule(self) -> str:
        """The rule that won, file and id; `fallback` when none did."""
    @property
    def captures(self) -> dict[str, str]:
        """What the rule's captures found."""
    @property
    def evidence(self) -> list[Evidence]:
        """What made each condition of the rule hold."""
    @property
    def unknown_reason(self) -> Literal["no-rule", "empty", "truncated", "unreadable"] | None:
        """Why the failure is undiagnosed; none when a rule won."""
    @property
    def log_stack_trace(self) -> bool:
        """Whether the full stack trace belongs into the operational log."""
    @property
    def ruleset(self) -> str:
        """Digest of the rules that decided."""
    @property
    def truncated(self) -> bool:
        """Whether a part of the failure was too long to be looked at."""
    @property
    def notes(self) -> list[str]:
        """What was odd about the failure, for people."""
    @property
    def error(self) -> str | None:
        """Why the failure could not be read."""
    def to_json(self) -> str:
        """The decision as the command line writes it: one line of JSON, without its end."""
    def to_dict(self) -> dict[str, Any]:
        """The decision as a dictionary, with the fields of its JSON."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class DecisionTable:
    """The decisions on the rows of a table, in their order: an Arrow stream, read once.

    Texts in the columns `code`, `status`, `retry`, `action`, `message`, `rule`, `unknown_reason` and `ruleset`; only
    `unknown_reason` may be null.
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...

@final
class Engine:
    """Answers failures with the rules in force; used by any number of threads at once."""

    @staticmethod
    def open(
        path: str | PathLike[str],
        *,
        state: str | PathLike[str] | None = None,
        watch: bool = False,
        allow_fallback_only: bool = False,
    ) -> Engine:
        """An engine on the rule files of a directory.

        `state` is a directory where the last good set is kept, to be served when the rules do not load at a start; one
        engine at a time may use it. `watch` takes changed rules into use by itself. `allow_fallback_only` starts with
        nothing but the fallback code when nothing else loads.

        Raises `RulesRejected` when no set can be served, and `OSError` when the state directory cannot be used.
        """
    @staticmethod
    def builtin() -> Engine:
        """An engine on the rules that are built in."""
    def classify(
        self,
        failure: BaseException | Mapping[str, Any] | str,
        /,
        *,
        connector: str | None = None,
        operation: str | None = None,
        phase: str | None = None,
    ) -> Decision:
        """Says what a failure is: an exception, a mapping with the fields of the JSON form, or a text as it was pasted.

        `connector`, `operation` and `phase` count where the failure does not say them. Raises nothing for any failure:
        what cannot be read is undiagnosed, with `error`.
        """
    def classify_json(self, failure: bytes | bytearray | str, /) -> bytes:
        """One failure in JSON in, its decision in JSON out: what `faultbook classify --format json` writes for that line."""
    def classify_many(
        self,
        failures: Iterable[BaseException | Mapping[str, Any] | str],
        /,
        *,
        connector: str | None = None,
        operation: str | None = None,
        phase: str | None = None,
    ) -> list[Decision]:
        """Says what each of many failures is, in their order; all of them with the same rules."""
    def classify_table(
        self,
        table: ArrowStream | ArrowArray,
        /,
        columns: Mapping[str, str] | None = None,
        *,
        connector: str | None = None,
        operation: str | None = None,
        phase: str | None = None,
    ) -> DecisionTable:
        """Says what the failure in each row of a table is, in their order; all of them with the same rules.

        `columns` names the column for a fact where it is not the fact's own name: `connector`, `operation`, `phase`,
        `message`, `exception_type`, `exception_message`, `http_status`, `provider_codes`, `error_numbers`, `text` and
        `attributes.NAME`. Raises `ValueError` when a column is not there or holds something else, and `TypeError` for
        what is no table. The table is read when the decisions are.
        """
    def reload(self) -> ReloadOutcome:
        """Loads the rules again and says what came of it; rules that do not load change nothing."""
    @property
    def status(self) -> Status:
        """How the engine stands."""
    @property
    def report(self) -> list[Finding]:
        """Warnings and notes on the rules in force."""
    @property
    def ruleset(self) -> str:
        """Digest of the rules in force."""

def failure_from_exception(exception: BaseException, /) -> dict[str, Any]:
    """An exception in the JSON form of failures: what `Engine.classify` looks at.

    To be completed with facts that only the caller knows, or sent to another engine.
    """
