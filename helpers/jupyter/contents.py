"""What JupyterLab may do with the files of the workshop: its own notebooks are only read, and links lead to them.

The starters and the solutions can be opened and run. What the reader writes is in copies, and git's files stay what
they are.
"""

import os
from pathlib import Path

from jupyter_server.files.handlers import FilesHandler
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from traitlets import default

from .. import settings


class Contents(AsyncLargeFileManager):
    """Jupyter's own manager of files, which JupyterLab asks whether it may save."""

    def is_writable(self, path: str) -> bool:
        """Whether a file can be written, which the starters and the solutions cannot, by any way to them."""
        file = Path(self.root_dir, path.strip("/")).resolve()
        is_ours = file.suffix == ".ipynb" and file.parent in (settings.NOTEBOOKS, settings.NOTEBOOKS / "solutions")
        return not is_ours and os.access(file, os.W_OK)

    @default("files_handler_class")
    def _files_handler_class_default(self) -> type[FilesHandler]:
        """Asks this class for files: the usual one shows none that a link leads to from a WORKSHOP_HOME elsewhere."""
        return FilesHandler
