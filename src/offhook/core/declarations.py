"""Which variables exist: those that are always there, and those that an organization or an agent declares.

Names are checked when something is saved, so that a typing error is found by the person who made it and
not by a caller.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from offhook.core.jsonvalue import JSON
from offhook.core.text import shorten
from offhook.core.variables import Provenance, Structure, VariableError


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable's name, what it means, an example, and how far its values may be trusted."""

    name: str
    meaning: str
    example: str
    provenance: Provenance


ALWAYS_THERE: tuple[Declaration, ...] = (
    Declaration("caller_phone_number", "The number of whoever calls or texts", "+12025550123", Provenance.SIGNALLING),
    Declaration("called_phone_number", "Our number, which they reached", "+12025550100", Provenance.SIGNALLING),
    Declaration("call_id", "The conversation's id", "0190f3a2-7c1e-7d3b-9a54-0f6f7d2c1b11", Provenance.ORGANIZATION),
    Declaration("agent_name", "The agent's name", "Front desk", Provenance.ORGANIZATION),
    Declaration("organization_name", "The organization's name", "Larch Street Bicycles", Provenance.ORGANIZATION),
    Declaration("now", "The time, with its zone", "2026-11-21T10:15:00+01:00", Provenance.ORGANIZATION),
)


class UndeclaredVariable(VariableError):
    """A name that nobody declared. `nearest` is the known name most like it, `where` the field it stands in."""

    code = "undeclared_variable"

    def __init__(self, name: str, nearest: str | None, where: str = "") -> None:
        shown = shorten(name, 60)
        place = f"{where}: " if where else ""
        hint = f" Did you mean {{{{{nearest}}}}}?" if nearest else ""
        super().__init__(f"{place}There is no variable {{{{{shown}}}}}.{hint}")
        self.name = name
        self.nearest = nearest
        self.where = where


class Declarations:
    """The variables known in one place. Later declarations of a name replace earlier ones, save the always-there."""

    __slots__ = ("_by_name",)

    def __init__(self, declared: Iterable[Declaration] = ()) -> None:
        self._by_name = {item.name: item for item in (*declared, *ALWAYS_THERE)}

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self._by_name.values())

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> Declaration | None:
        """The declaration of `name`; for `order.total` that of `order` where only the whole is declared."""
        while name:
            if (found := self._by_name.get(name)) is not None:
                return found
            name = name.rpartition(".")[0]
        return None

    def nearest(self, name: str) -> str | None:
        """The known name most like `name`, if any is like it."""
        close = difflib.get_close_matches(name.lower(), self._by_name, n=1, cutoff=0.6)
        return close[0] if close else None

    def problems(self, value: JSON, *, where: str = "") -> list[VariableError]:
        """What is wrong with the variables in `value`: malformed templates and undeclared names."""
        try:
            names = Structure.parse(value, where=where).names
        except VariableError as error:
            return [error]
        return [UndeclaredVariable(name, self.nearest(name), where) for name in names if name not in self]

    def examples(self) -> dict[str, JSON]:
        """Every variable's example, for previews."""
        return {item.name: item.example for item in self}
