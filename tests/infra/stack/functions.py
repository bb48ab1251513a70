"""The code of the template's functions, as Lambda imports it."""

import types

from longspan.infra.stack.template import read_template

__all__ = ["function"]


def function(name: str) -> types.ModuleType:
    """The one that the template calls `name`."""
    code = read_template()["Resources"][name]["Properties"]["Code"]["ZipFile"]
    module = types.ModuleType(name)
    exec(compile(code, f"{name}.py", "exec"), module.__dict__)
    return module
