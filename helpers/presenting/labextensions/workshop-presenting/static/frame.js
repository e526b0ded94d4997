// What JupyterLab shows around a notebook: menus, side bars, tabs, toolbar, status bar. A projector has none of it.

const LEFT_OUT = ["jp-top-panel", "jp-menu-panel", "jp-bottom-panel"];

/** Hide it, or show it again. */
export function frame(shell, isHidden) {
  shell.mode = isHidden ? "single-document" : "multiple-document"; // one has tabs
  for (const side of ["left", "right"]) {
    if (isHidden) shell[side === "left" ? "collapseLeft" : "collapseRight"]();
    if (shell.isSideTabBarVisible(side) === isHidden) shell.toggleSideTabBarVisibility(side);
  }
  for (const widget of inside(shell)) {
    if (LEFT_OUT.includes(widget.id)) widget.setHidden(isHidden);
    if (widget.hasClass("jp-NotebookPanel")) widget.toolbar.setHidden(isHidden);
  }
}

function* inside(widget) {
  for (const child of widget.children()) {
    yield child;
    yield* inside(child);
  }
}
