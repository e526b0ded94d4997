// The projector: one section of a notebook at a time, in large type, and keys that scroll, run, and go on.
//
// A clicker sends PageDown and PageUp. In the editor of a cell these keep their meaning; Alt+PageDown works there, too.
// In a list of choices they have none: a prediction stays what was chosen.

import { Channel } from "./channel.js";
import { frame } from "./frame.js";
import { Ran } from "./ran.js";
import { sectionsOf, showOnly } from "./sections.js";

const STYLE = new URL("presenting.css", import.meta.url);
const PART = 0.8; // of the window, that a key scrolls by
const NOT_BEFORE = /^# (check|raises)\b/; // cells that may fail; what comes after needs none of them
const EDITS = ".cm-editor, textarea, [contenteditable=true], input[type=range], input[type=number], [role=slider]";

export const plugin = {
  id: "workshop-presenting:projector",
  description: "Shows a notebook as a projector wants it.",
  autoStart: true,
  activate: (app) => {
    begin(app).catch(console.error); // it is not awaited: JupyterLab is restored once all plugins are active
  },
};

async function begin(app) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLE }));
  await app.restored;
  const channel = new Channel(app.serviceManager.serverSettings);
  const projector = new Projector(app, channel, await channel.plan());
  await projector.begin();
  channel.listen((asked) => projector.perform(asked));
}

class Projector {
  constructor(app, channel, { steps, at }) {
    Object.assign(this, { app, channel, steps, at, isOn: true, ran: new WeakMap() });
    this.bar = new Bar(this);
    document.body.append(this.bar.node);
    document.addEventListener("keydown", (event) => this.onKey(event), true);
  }

  get panel() {
    return this.app.shell.currentWidget;
  }

  /** Whether the notebook of the step is the one that is open. */
  get isThere() {
    return this.panel?.context?.path === this.steps[this.at].path;
  }

  get cells() {
    return this.panel.content.widgets;
  }

  get scroller() {
    return this.panel.content.outerNode ?? this.panel.content.node;
  }

  get section() {
    return this.sections[this.shown];
  }

  async begin() {
    document.body.classList.add("workshop", "workshop-presenting");
    frame(this.app.shell, true);
    await this.go(this.at, false);
  }

  onKey(event) {
    const step = { PageDown: "next", PageUp: "back" }[event.key];
    if (!step || !this.isOn || event.ctrlKey || event.shiftKey || event.metaKey) return;
    if (event.target.closest?.(".jp-Dialog") || (event.target.closest?.(EDITS) && !event.altKey)) return;
    event.preventDefault();
    event.stopPropagation();
    this.perform({ do: step });
  }

  /** One key, or one button of the presenter page; one after the other. */
  perform(asked) {
    if (this.isPreparing) return undefined; // what is pressed meanwhile is not meant for what comes then
    const doing = (this.doing ?? Promise.resolve()).then(() => this.one(asked)).catch(console.error);
    this.doing = doing;
    this.bar.isBusy = true;
    return doing.finally(() => (this.bar.isBusy = this.doing !== doing));
  }

  async one(asked) {
    if (!this.hasBegun) await this.channel.tell({ step: this.at, is_move: true });
    this.hasBegun = true;
    if (asked.do !== "go" && !this.isThere) return this.go(this.at, true); // a file, or another notebook, was opened
    if (asked.do === "next") return this.next();
    if (asked.do === "back") return this.back();
    return this.go(asked.step, true);
  }

  /** Show a step of the plan, from its top. */
  async go(step, isMove) {
    this.at = Math.max(0, Math.min(step, this.steps.length - 1));
    const { path, heading } = this.steps[this.at];
    if (!this.isThere) await this.open(path);
    await this.opened();
    if (this.isOn) frame(this.app.shell, true);
    this.read();
    this.show(Math.max(0, this.sections.findIndex((each) => each.heading === heading)));
    this.scroller.scrollTop = 0;
    this.activate(this.section.cells[0]);
    this.settle();
    await this.channel.tell({ step: this.at, is_move: isMove });
  }

  /** Open a notebook, or bring it to the front; JupyterLab says that it is open before it is the one in front. */
  async open(path) {
    const { shell, commands } = this.app;
    const panel = await commands.execute("docmanager:open", { path, factory: "Notebook" });
    await until(() => {
      if (panel.isDisposed) throw new Error(`${path} cannot be opened`);
      if (!this.isThere) shell.activateById(panel.id);
      return this.isThere;
    });
  }

  /** The notebook is there, and followed: what runs in it, what is drawn, and which cell is chosen. */
  async opened() {
    const { panel } = this;
    await panel.context.ready;
    await panel.revealed;
    if (this.ran.has(panel)) return;
    const ran = new Ran(panel.sessionContext);
    this.ran.set(panel, ran);
    ran.changed = () => {
      for (const cell of panel.content.widgets) cell.node.toggleAttribute("data-runs", ran.isRunning(cell.model.id));
    };
    await until(() => panel.content.widgets.every((cell) => cell.model.type !== "markdown" || cell.node.querySelector(".jp-RenderedMarkdown")));
    new MutationObserver(() => this.mark()).observe(panel.content.node, { childList: true, subtree: true });
    panel.content.activeCellChanged.connect(() => panel === this.panel && this.follow());
  }

  show(section) {
    this.shown = section;
    this.mark();
    this.bar.draw();
  }

  read() {
    const cells = this.cells.map(({ model }) => ({ isProse: model.type === "markdown", text: model.sharedModel.source }));
    this.sections = sectionsOf(cells);
  }

  /** Hide what is not of the section; again whenever a cell is drawn. */
  mark() {
    if (this.shown === undefined || !this.ran.has(this.panel)) return;
    this.read();
    showOnly(this.cells.map((cell) => cell.node), this.sections, this.isOn ? this.shown : null);
  }

  /** Shift+Enter went on to a cell that is hidden: to the next section of the plan, or to where a click chose. */
  follow() {
    const place = this.panel.content.activeCellIndex;
    if (!this.isOn || this.isMoving || !this.section || this.section.cells.includes(place)) return;
    if (place === this.section.cells.at(-1) + 1) this.perform({ do: "go", step: this.at + 1 });
  }

  activate(place) {
    this.isMoving = true;
    this.panel.content.deselectAll();
    this.panel.content.mode = "command"; // first: in an editor's mode prose that is chosen shows its source
    this.panel.content.activeCellIndex = place;
    this.isMoving = false;
  }

  async next() {
    const { section } = this;
    const at = Math.max(0, section.cells.indexOf(this.panel.content.activeCellIndex));
    const cell = this.cells[section.cells[at]];
    const isToRun = cell.model.type === "code" && !this.ran.get(this.panel).has(cell.model.id);
    if (this.below(cell) > 4) {
      this.scroll(1);
    } else if (isToRun) {
      await this.run(cell);
    } else if (at + 1 < section.cells.length) {
      this.activate(section.cells[at + 1]);
      this.settle();
    } else if (this.at + 1 < this.steps.length) {
      await this.go(this.at + 1, true);
    }
  }

  async back() {
    if (this.scroller.scrollTop > 4) {
      this.scroll(-1);
      const top = this.scroller.getBoundingClientRect().top;
      const first = this.section.cells.find((place) => this.cells[place].node.getBoundingClientRect().top >= top - 4);
      if (first !== undefined) this.activate(first);
    } else if (this.at > 0) {
      await this.go(this.at - 1, true);
    }
  }

  /** Bring the chosen cell into sight; where it is prose that fits, with the code after it, which the next key runs. */
  settle() {
    const { cells } = this.section;
    let at = cells.indexOf(this.panel.content.activeCellIndex);
    if (at < 0) {
      at = 0; // in all of JupyterLab, one of another section was chosen
      this.activate(cells[at]);
    }
    this.reveal(this.cells[cells[at]]);
    while (this.cells[cells[at]].model.type === "markdown" && this.below(this.cells[cells[at]]) <= 4 && at + 1 < cells.length) {
      const following = this.cells[cells[at + 1]];
      if (this.below(following) > 4 && this.cells[cells[at]].node.getBoundingClientRect().top - this.below(following) < this.scroller.getBoundingClientRect().top) break;
      at += 1;
      this.activate(cells[at]);
      this.reveal(following);
    }
  }

  /** Run a cell, and before it what stands above it and has not run, such as what a plan leaves out. */
  async run(cell) {
    const { panel } = this;
    await panel.sessionContext.ready;
    const ran = this.ran.get(panel);
    const place = this.cells.indexOf(cell);
    const above = this.cells.slice(0, place).filter(
      ({ model }) => model.type === "code" && !ran.has(model.id) && !NOT_BEFORE.test(model.sharedModel.source),
    );
    this.isPreparing = true;
    try {
      for (const [number, each] of above.entries()) {
        if (this.panel !== panel) return; // another tab was opened meanwhile: what is run is what is in front
        this.bar.say(`What stands above runs first: ${number + 1} of ${above.length}`);
        await this.execute(each);
      }
    } finally {
      this.isPreparing = false;
      this.bar.say("");
    }
    if (this.panel !== panel) return;
    const running = this.execute(cell);
    const grows = new ResizeObserver(() => this.isOn && this.section.cells.includes(place) && this.reveal(cell));
    grows.observe(cell.node); // what it prints is in sight, as it comes
    running.finally(() => setTimeout(() => grows.disconnect(), 1000));
    if (above.length) await running;
  }

  async execute(cell) {
    this.activate(this.cells.indexOf(cell));
    await this.app.commands.execute("notebook:run-cell");
  }

  below(cell) {
    return cell.node.getBoundingClientRect().bottom - this.scroller.getBoundingClientRect().bottom;
  }

  scroll(direction) {
    this.scroller.scrollBy({ top: direction * PART * this.scroller.clientHeight });
  }

  reveal(cell) {
    const view = this.scroller.getBoundingClientRect();
    const box = cell.node.getBoundingClientRect();
    if (box.top < view.top) this.scroller.scrollBy({ top: box.top - view.top });
    else if (box.bottom > view.bottom) this.scroller.scrollBy({ top: Math.min(box.bottom - view.bottom, box.top - view.top) });
  }

  /** JupyterLab as usual, with its menus and all sections; and the projector again. */
  toggle() {
    const { panel } = this;
    this.isOn = !this.isOn;
    document.body.classList.toggle("workshop-presenting", this.isOn);
    frame(this.app.shell, this.isOn);
    if (panel) this.app.shell.activateById(panel.id); // with its tabs, the first one may have come to the front
    this.bar.draw();
    if (this.isOn && !this.isThere) return this.perform({ do: "go", step: this.at });
    this.mark();
    if (this.isOn) this.settle();
    return undefined;
  }
}

/** The line at the foot of the page: where we are, and the same as the keys for a mouse. */
class Bar {
  constructor(projector) {
    this.projector = projector;
    this.node = document.createElement("footer");
    this.node.className = "workshop-bar";
    this.place = document.createElement("span");
    this.said = document.createElement("span");
    this.said.setAttribute("role", "status");
    const back = button("‹", "Back (PageUp)", () => projector.perform({ do: "back" }));
    const next = button("›", "Next (PageDown)", () => projector.perform({ do: "next" }));
    this.toggle = button("", "", () => projector.toggle());
    this.node.append(this.place, this.said, back, next, this.toggle);
  }

  draw() {
    const { steps, at, isOn } = this.projector;
    this.place.textContent = `${steps[at].title} · ${at + 1} of ${steps.length}`;
    this.toggle.textContent = isOn ? "All of JupyterLab" : "For the projector";
  }

  say(text) {
    this.said.textContent = text;
  }

  /** Whether a key or a button that was pressed is not dealt with yet. */
  set isBusy(isBusy) {
    this.node.setAttribute("aria-busy", isBusy);
  }
}

function button(text, title, press) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, title });
  if (title) made.setAttribute("aria-label", title);
  made.addEventListener("mousedown", (event) => event.preventDefault()); // the notebook keeps the focus
  made.addEventListener("click", press);
  return made;
}

async function until(condition) {
  while (!condition()) await new Promise((resolve) => requestAnimationFrame(resolve));
}
