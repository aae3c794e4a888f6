"""The tool types there are: one module each in `tools/types/`, found here and named nowhere else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter

from offhook.core.errors import NotFound
from offhook.tools import types as built_in
from offhook.tools.parameters import Form
from offhook.tools.tool_type import ToolType


class Registry:
    """Tool types by name."""

    def __init__(self, types: Iterable[ToolType]) -> None:
        self._types: dict[str, ToolType] = {}
        for item in types:
            if item.name in self._types:
                raise ValueError(f"two tool types are named {item.name}")
            self._types[item.name] = item
        self._union: TypeAdapter[Form] | None = None

    @classmethod
    def discover(cls, package: ModuleType = built_in) -> Registry:
        """Every module of `package` that is not private declares one `TOOL_TYPE`."""
        return cls(_declared(package))

    def find(self, name: str) -> ToolType | None:
        return self._types.get(name)

    def get(self, name: str) -> ToolType:
        """Raises NotFound, which lists the types there are."""
        found = self._types.get(name)
        if found is None:
            raise NotFound(f"there is no tool type of that name; there are: {', '.join(self._types)}")
        return found

    def all(self) -> tuple[ToolType, ...]:
        """In order of name."""
        return tuple(self._types[name] for name in sorted(self._types))

    def config_union(self) -> TypeAdapter[Form]:
        """All forms as one type, told apart by `type`: the body of the API, with its JSON Schema."""
        if self._union is None:
            configs: list[Any] = [item.config for item in self.all()]
            union = configs[0]
            for config in configs[1:]:
                union = union | config
            told_apart: Any = Annotated[union, Field(discriminator="type")] if len(configs) > 1 else union
            self._union = cast("TypeAdapter[Form]", TypeAdapter(told_apart))
        return self._union


def _declared(package: ModuleType) -> Iterator[ToolType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        declared = getattr(importlib.import_module(found.name), "TOOL_TYPE", None)
        if not isinstance(declared, ToolType):
            raise TypeError(f"{found.name} declares no TOOL_TYPE")
        yield declared


@cache
def registry() -> Registry:
    """The tool types that came with Offhook."""
    return Registry.discover()
