"""Picture: the anywidget that carries the messages of a Session to a page in Jupyter and back.

Its state is what the page is made of, and nothing of the reader's: no name, no key, no token.
"""

from collections.abc import Callable
from typing import Any

import anywidget
from traitlets import Dict, Unicode

from . import static_files, strings


class Picture(anywidget.AnyWidget):
    modules = Dict().tag(sync=True)
    strings = Dict().tag(sync=True)
    show = Unicode().tag(sync=True)

    def __init__(self, show: str, receive: Callable[[Any], None]) -> None:
        self._esm = static_files.read("watch.js")
        self._css = static_files.style()
        super().__init__(modules=static_files.modules(), strings=strings.catalogue(), show=show)
        # ipykernel sends what a page says to where the widget was used last: to the cell that runs, which has no time.
        # JupyterLab names a thread of the kernel's that has (a "subshell"): the log of a tile can be read meanwhile.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, named: named
        self.on_msg(lambda _, content, buffers: receive(content))

    def mimebundle(self) -> dict[str, Any]:
        """What makes Jupyter show it."""
        bundle: Any = self._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return {kind: value for kind, value in data.items() if kind != "text/plain"}
