"""What axe-core finds wrong with a page for those who do not see it, or use no mouse."""

import shutil
from pathlib import Path
from typing import Any

from helpers.localaws import npm

LOCKED = Path(__file__).with_name("axe")
# All that axe knows of WCAG, its best practices, and what it still tries out.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]
RUN = """
const [tags, rules, done] = arguments;
const options = { runOnly: { type: "tag", values: tags }, rules, resultTypes: ["violations"] };
axe.run(document, options).then((found) => done(found.violations.flatMap(
  (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`))));
"""


class Axe:
    """axe-core, which is installed into a folder as the lock beside says."""

    def __init__(self, folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, folder)
        npm.install(folder)
        self._script = (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def problems(self, driver: Any, but: tuple[str, ...] = ()) -> list[str]:
        """What it finds in the page of a driver, one text for each element, but by these rules; a frame is no part."""
        driver.execute_script(self._script)
        rules = {rule: {"enabled": False} for rule in but}
        found: list[str] = driver.execute_async_script(RUN, TAGS, rules)
        return found
