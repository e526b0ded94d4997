// Environments: a tile for each, grouped by function and version; above DENSE of them, a cell of a grid for each.
//
// The events are folded into states as in environments.py. Drawing waits for the next frame, and only what has changed
// or grows is drawn. What others have named is text, everywhere.

const STATES = ["busy", "idle", "init", "waiting"]; // in the order in which they are said
const KINDS = [...STATES, "ended", "failed"];
const DENSE = 60;
const REMEMBERED = 40; // invocations of an environment, for its strip
const ENDED_MS = 20000; // how long one is shown that has ended
const LOG_LINES = 500;
const CELL = { width: 22, height: 15, gap: 2 }; // px
const STRIP_PX = 4; // at the bottom of a cell
const WORDS_MS = 150;
const SAY_MS = { calm: 1000, most: 8000 }; // when it is calm for so long, and after so long in any case

function element(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Put a text in the place of another, if it is another; its node stays, which is cheaper for the browser.
function write(place, text) {
  if (place.firstChild) {
    if (place.firstChild.data !== text) place.firstChild.data = text;
  } else place.textContent = text;
}

// ---------------------------------------------------------------- the fold

function isColdStart(environment, phase) {
  const kind = environment.initialization_type;
  return (kind === "on-demand" && phase !== "invoke") || (kind === "snap-start" && phase === "restore");
}

class Fold {
  constructor() {
    this.all = new Map();
    this.functions = []; // that are watched; none: all
    this.counts = { cold_starts: 0, invocations: 0, failed: 0, throttled: 0, ended: 0 };
    this.numbers = new Map(); // how many each function has had
    this.numberOf = new Map(); // of an environment, among those of its function
  }

  restart({ environments, counts, functions }) {
    this.functions = functions ?? [];
    this.all = new Map();
    for (const each of environments) this.#add({ invocations: 0, failed: 0, invocation_times: [], ...each });
    if (counts) this.counts = { ...counts };
  }

  // Takes an event; gives the environment that it has changed, if any, and whether there is one more.
  take(event) {
    if (event.kind === "invocation.throttled") this.counts.throttled += event.count ?? 1;
    if (typeof event.kind !== "string" || !event.kind.startsWith("environment.")) return null;
    const kind = event.kind.slice("environment.".length);
    let environment = this.all.get(event.environment);
    let isNew = false;
    if (!environment || (kind === "created" && environment.state === "ended")) {
      if (kind === "ended" || !event.function) return null;
      isNew = true; // also where one with the same log stream begins anew, as after a crash
      environment = {
        environment: event.environment,
        function: event.function,
        version: event.version ?? "",
        memory_size: event.memory_size ?? null,
        initialization_type: event.initialization_type ?? "on-demand",
        state: "waiting",
        since: event.at,
        created: event.at,
        init_ms: null,
        memory_mb: null,
        invocations: 0,
        failed: 0,
        idle_s: event.idle_s ?? null,
        invocation_times: [],
      };
      this.#add(environment);
    }
    if (environment.state === "ended") return null;
    this.#change(environment, kind, event);
    return { environment, isNew };
  }

  #add(environment) {
    this.all.set(environment.environment, environment);
    if (!this.numberOf.has(environment.environment)) {
      const number = (this.numbers.get(environment.function) ?? 0) + 1;
      this.numbers.set(environment.function, number);
      this.numberOf.set(environment.environment, number);
    }
    environment.number = this.numberOf.get(environment.environment);
    environment.spent = spent(environment);
  }

  #change(environment, kind, event) {
    const to = (state) => {
      environment.state = state;
      environment.since = event.at;
      for (const name of ["memory_mb", "memory_size", "initialization_type", "idle_s"])
        if (event[name] !== undefined && event[name] !== null) environment[name] = event[name];
    };
    const over = (status, duration) => {
      const start = grows(environment) ? environment.since : event.at - (duration ?? 0);
      environment.invocation_times.push({ start, duration_ms: duration ?? event.at - start, status });
      if (environment.invocation_times.length > REMEMBERED) environment.invocation_times.shift();
      environment.invocations += 1;
      environment.request_id = null;
      this.counts.invocations += 1;
      if (status !== "success") {
        environment.failed += 1;
        this.counts.failed += 1;
      }
    };
    if (kind === "created") to("waiting");
    else if (kind === "init") {
      if (isColdStart(environment, event.phase ?? "init")) this.counts.cold_starts += 1;
      environment.in_invocation = event.phase === "invoke"; // as the first init has failed
      to("init");
    } else if (kind === "ready") {
      environment.init_ms = event.init_ms ?? event.restore_ms ?? null;
      environment.in_invocation = false;
      to("idle");
    } else if (kind === "busy") {
      to("busy");
      environment.request_id = event.request_id;
    } else if (kind === "idle") {
      over(event.status ?? "success", event.duration_ms);
      to("idle");
    } else if (kind === "ended") {
      if (environment.state === "busy" || environment.in_invocation) over(event.reason || "error");
      to("ended");
      environment.reason = event.reason ?? "";
      environment.request_id = null;
      this.counts.ended += 1;
    }
    environment.spent = spent(environment);
  }

  forget(now) {
    let some = false;
    for (const each of this.all.values()) {
      if (each.state !== "ended" || now - each.since < ENDED_MS) continue;
      this.all.delete(each.environment);
      this.numberOf.delete(each.environment);
      some = true;
    }
    return some;
  }

  byState() {
    const counted = Object.fromEntries([...STATES, "ended"].map((state) => [state, 0]));
    for (const each of this.all.values()) counted[each.state] += 1;
    return counted;
  }
}

function spent(environment) {
  return environment.invocation_times.reduce((sum, each) => sum + each.duration_ms, environment.init_ms ?? 0);
}

const grows = (environment) => environment.state === "init" || environment.state === "busy";

// ---------------------------------------------------------------- drawing

// The patterns of the states, in the colours of the theme: for canvases, and as pictures for styles.
class Painter {
  constructor(root, place) {
    this.root = root;
    this.place = place;
    this.ratio = 0;
  }

  // Whether theme or screen are others than before.
  refresh() {
    const theme = this.root.dataset.theme;
    if (theme === this.theme && this.ratio === window.devicePixelRatio) return false;
    this.theme = theme;
    this.ratio = window.devicePixelRatio;
    const style = getComputedStyle(this.root);
    const color = (name) => style.getPropertyValue(`--watch-${name}`).trim();
    this.paper = style.backgroundColor;
    this.patterns = {};
    for (const kind of KINDS) {
      const tile = this.#tile(kind, color);
      this.patterns[kind] = tile.getContext("2d").createPattern(tile, "repeat");
      this.place.style.setProperty(`--watch-pattern-${kind}`, `url("${tile.toDataURL()}")`);
    }
    return true;
  }

  #tile(kind, color) {
    const size = Math.max(1, Math.round(6 * this.ratio));
    const tile = element("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    pen.scale(size / 6, size / 6);
    const paper = { busy: "busy", failed: "failed" }[kind] ?? `${kind}-soft`;
    pen.fillStyle = color(paper);
    pen.fillRect(0, 0, 6, 6);
    pen.strokeStyle = pen.fillStyle = kind === "failed" ? color("failed-line") : color(kind);
    pen.beginPath();
    if (kind === "waiting") pen.arc(3, 3, 1.1, 0, 7);
    if (kind === "init") {
      pen.lineWidth = 1.6;
      for (const from of [-6, 0, 6]) {
        pen.moveTo(from - 1, 7);
        pen.lineTo(from + 7, -1);
      }
    }
    if (kind === "idle") {
      pen.lineWidth = 0.8;
      pen.moveTo(0, 3);
      pen.lineTo(6, 3);
    }
    if (kind === "ended") {
      pen.moveTo(1, 1);
      pen.lineTo(5, 5);
      pen.moveTo(5, 1);
      pen.lineTo(1, 5);
    }
    if (kind === "failed") {
      pen.moveTo(0, 0);
      pen.lineTo(6, 6);
      pen.moveTo(6, 0);
      pen.lineTo(0, 6);
    }
    if (kind === "waiting") pen.fill();
    else pen.stroke();
    return tile;
  }

  // Init and invocations, one after another, each as long as it took; at least 2 px, so that it can be seen. Gives how
  // far what grows has been drawn, from where, and up to where it may: grow() then draws what is more of it.
  strip(pen, environment, now, x, y, width, height, perMs) {
    const end = x + width;
    const draw = (kind, ms) => {
      if (x >= end) return;
      const length = Math.min(Math.max(2, Math.round(ms * perMs)), end - x);
      pen.fillStyle = this.patterns[kind];
      pen.fillRect(x, y, length, height);
      x += length + 1;
    };
    if (environment.init_ms) draw("init", environment.init_ms);
    for (const each of environment.invocation_times) draw(each.status === "success" ? "busy" : "failed", each.duration_ms);
    const bar = { kind: environment.state, since: environment.since, from: x, to: x, end, y, height, perMs };
    if (grows(environment)) this.grow(pen, bar, now);
    return bar;
  }

  grow(pen, bar, now) {
    const to = Math.min(bar.end, bar.from + Math.max(2, Math.round((now - bar.since) * bar.perMs)));
    if (to <= bar.to) return;
    pen.fillStyle = this.patterns[bar.kind];
    pen.fillRect(bar.to, bar.y, to - bar.to, bar.height);
    bar.to = to;
  }
}

// 1, 2 or 5 times a power of ten: the first that is at least this.
function rounded(ms) {
  for (let power = 1; ; power *= 10) for (const step of [1, 2, 5]) if (step * power >= ms) return step * power;
}

// ---------------------------------------------------------------- texts

// A name in a sentence; Lambda's own have 64 characters at most.
const shortened = (name) => (name.length > 64 ? `${name.slice(0, 63)}…` : name);

function texts(strings) {
  function time(ms) {
    const value = Math.max(0, ms);
    const round = (of) => (of >= 10 ? Math.round(of) : Math.round(of * 10) / 10);
    for (const [unit, ms, next] of [["ms", 1, 1000], ["s", 1000, 60], ["min", 60000, 60]])
      if (round(value / ms) < next) return strings(`time.${unit}`, { value: round(value / ms) }); // 60 s are 1 min
    return strings("time.h", { value: round(value / 3600000) });
  }
  function reason(id) {
    const known = strings(`environments.reason.${id}`);
    return known.startsWith("environments.") ? strings("environments.reason.other", { reason: id }) : known;
  }
  function memory(each) {
    if (each.memory_size === null || each.memory_size === undefined) return "";
    if (each.memory_mb === null || each.memory_mb === undefined)
      return strings("environments.memory_size", { size: each.memory_size });
    return strings("environments.memory", { used: Math.round(each.memory_mb), size: each.memory_size });
  }
  function did(each) {
    const parts = [strings("environments.invocations", { n: each.invocations })];
    const began = each.initialization_type === "snap-start" ? "restore_ms" : "init_ms";
    if (each.init_ms) parts.unshift(strings(`environments.${began}`, { text: time(each.init_ms) }));
    if (each.failed) parts.push(strings("environments.failed_here", { n: each.failed }));
    return parts.join(", ");
  }
  // What it holds, or how long it is kept, or why it is gone.
  function fate(each, now) {
    if (each.state === "ended") return reason(each.reason);
    if (each.state === "busy" && each.request_id)
      return strings("environments.holds", { id: String(each.request_id).slice(0, 8) });
    if (each.state !== "idle") return "";
    if (each.initialization_type === "provisioned-concurrency") return strings("environments.kept");
    if (each.idle_s === null || each.idle_s === undefined) return "";
    return strings("environments.given_up", { text: time(each.since + each.idle_s * 1000 - now) });
  }
  function age(each, now) {
    if (each.state === "ended") return strings("environments.ago", { text: time(now - each.since) });
    return strings("environments.age", { text: time(now - each.created) });
  }
  function label(each) {
    const state = strings(`environments.word.${each.state}`);
    const head = strings("environments.tile", { number: each.number, function: each.function });
    return [`${head} ${state}`, did(each), memory(each)].filter(Boolean).join(", ");
  }
  // The same sentence as environments.py has for the still picture.
  function states(counted) {
    const told = STATES.filter((state) => counted[state]);
    return told.map((state) => strings(`environments.state.${state}`, { n: counted[state] }));
  }
  function sentence(fold) {
    const counted = fold.byState();
    const there = STATES.reduce((sum, state) => sum + counted[state], 0);
    const seen = new Set([...fold.all.values()].map((each) => each.function));
    const names = fold.functions.length ? fold.functions : [...seen].sort();
    const functions =
      names.length === 0
        ? strings("environments.any_function")
        : names.length > 3
          ? strings("environments.many_functions", { n: names.length })
          : names.map((name) => strings.visible(shortened(name))).join(", ");
    const told = states(counted);
    const { counts } = fold;
    if (counts.ended) told.push(strings("environments.state.ended", { n: counts.ended }));
    const parts = [
      strings("environments.cold_starts", { n: counts.cold_starts }),
      strings("environments.invocations", { n: counts.invocations }),
    ];
    if (counts.invocations)
      parts.push(
        counts.failed ? strings("environments.failed", { n: counts.failed }) : strings("environments.none_failed"),
      );
    if (counts.throttled) parts.push(strings("environments.throttled", { n: counts.throttled }));
    const head = strings(there ? "environments.count" : "environments.none", { n: there, functions });
    return `${head}${told.length ? ": " : ""}${told.join(", ")}; ${parts.join(", ")}.`;
  }
  return { time, reason, memory, did, fate, age, label, states, sentence };
}

// ---------------------------------------------------------------- tiles and cells of one function and version

class Group {
  constructor(view, key, environment) {
    this.view = view;
    this.key = key;
    this.function = environment.function;
    this.version = environment.version;
    this.members = []; // environments, in the order in which they were made
    this.el = element("section", "watch-group");
    this.name = element("p", "watch-group-name");
    this.title = element("bdi", "", view.strings("environments.group", this));
    this.says = element("span");
    this.name.title = this.title.textContent;
    this.name.append(this.title, " ", this.says);
    const list = view.strings("environments.list", this);
    this.el.setAttribute("aria-label", list);
    this.box = element("div");
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", list);
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.el.append(this.name, this.box);
    this.current = 0; // the one that the keyboard is on
  }

  #key(event) {
    const last = this.members.length - 1;
    const columns = this.columns();
    const to = {
      ArrowRight: this.current + 1,
      ArrowLeft: this.current - 1,
      ArrowDown: this.current + columns,
      ArrowUp: this.current - columns,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0 && to <= last) this.moveTo(to, true);
  }

  refreshHead() {
    const counted = Object.fromEntries([...STATES, "ended"].map((state) => [state, 0]));
    for (const each of this.members) counted[each.state] += 1;
    const told = this.view.texts.states(counted);
    if (counted.ended) told.push(this.view.strings("environments.state.ended", { n: counted.ended }));
    write(this.says, told.join(", "));
  }
}

class Tiles extends Group {
  constructor(view, key, environment) {
    super(view, key, environment);
    this.box.className = "watch-tiles";
    this.tiles = new Map();
    // One canvas for all strips: a browser makes a layer of each, and layers cost more than what is on them.
    this.canvas = element("canvas", "watch-strips");
    this.canvas.setAttribute("aria-hidden", "true");
    this.pen = this.canvas.getContext("2d");
    this.el.append(this.canvas);
  }

  arrange(members) {
    const held = this.members[this.current]?.environment;
    const hadFocus = this.box.contains(document.activeElement);
    this.members = members;
    const ids = new Set(members.map((each) => each.environment));
    for (const [id, tile] of this.tiles)
      if (!ids.has(id)) {
        tile.el.remove();
        this.tiles.delete(id);
      }
    members.forEach((each, place) => {
      let tile = this.tiles.get(each.environment);
      if (!tile) {
        tile = this.#make(each.environment);
        this.tiles.set(each.environment, tile);
      }
      if (this.box.children[place] !== tile.el) this.box.insertBefore(tile.el, this.box.children[place] ?? null);
    });
    const found = members.findIndex((each) => each.environment === held);
    this.moveTo(found >= 0 ? found : Math.min(this.current, members.length - 1), hadFocus);
    this.#place();
  }

  // The canvas lies on the tiles, and each strip where its tile has room for it.
  #place() {
    const { ratio } = this.view.painter;
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.box;
    this.canvas.width = Math.round(offsetWidth * ratio);
    this.canvas.height = Math.round(offsetHeight * ratio);
    Object.assign(this.canvas.style, {
      left: `${offsetLeft}px`,
      top: `${offsetTop}px`,
      width: `${offsetWidth}px`,
      height: `${offsetHeight}px`,
    });
    for (const tile of this.tiles.values()) {
      const left = tile.el.offsetLeft - offsetLeft + tile.el.clientLeft + tile.strip.offsetLeft;
      const top = tile.el.offsetTop - offsetTop + tile.el.clientTop + tile.strip.offsetTop;
      tile.slot = [left, top, tile.strip.clientWidth, tile.strip.clientHeight].map((px) => Math.round(px * ratio));
      tile.bar = null;
    }
  }

  #make(id) {
    const tile = { el: element("button", "watch-tile") };
    tile.el.type = "button";
    tile.el.tabIndex = -1;
    tile.el.setAttribute("aria-expanded", "false");
    // Its name is all that it says, in the order in which it shows it, between what is shown by its place alone.
    for (const [name, classes] of [
      ["heard", "watch-heard"],
      ["word", "watch-word"],
      ["age", "watch-right"],
    ])
      tile.el.append((tile[name] = element("span", classes)), " ");
    tile.el.append((tile.strip = element("span", "watch-strip")));
    for (const [name, classes] of [
      ["did", "watch-wide"],
      ["fate", "watch-fate"],
      ["memory", "watch-right"],
      ["opens", "watch-heard"],
    ])
      tile.el.append((tile[name] = element("span", classes)), " ");
    write(tile.opens, this.view.strings("environments.open"));
    tile.el.addEventListener("click", () => {
      this.moveTo(this.members.findIndex((each) => each.environment === id), false);
      this.view.open(id, this);
    });
    return tile;
  }

  columns() {
    const tops = [...this.box.children].map((each) => each.offsetTop);
    return Math.max(1, tops.filter((top) => top === tops[0]).length);
  }

  moveTo(place, focus) {
    const before = this.tiles.get(this.members[this.current]?.environment);
    if (before) before.el.tabIndex = -1;
    this.current = Math.max(0, place);
    const tile = this.tiles.get(this.members[this.current]?.environment);
    if (!tile) return;
    for (const each of this.tiles.values()) each.el.tabIndex = -1;
    tile.el.tabIndex = 0;
    if (focus) tile.el.focus();
  }

  // All that is said of it, which changes with an event or, once a second, with the time.
  write(each, now) {
    const tile = this.tiles.get(each.environment);
    if (!tile) return;
    const { texts } = this.view;
    if (tile.state !== each.state) tile.el.dataset.state = tile.state = each.state;
    write(tile.word, this.view.strings(`environments.word.${each.state}`));
    write(tile.age, texts.age(each, now));
    write(tile.did, texts.did(each));
    write(tile.memory, each.state === "ended" ? "" : texts.memory(each));
    write(tile.fate, texts.fate(each, now) || "\u00a0");
    const whole = [texts.did(each), texts.memory(each), texts.fate(each, now)].filter(Boolean).join(", ");
    if (tile.whole !== whole) tile.el.title = tile.whole = whole; // what may be cut off
    write(tile.heard, this.view.strings("environments.tile", { number: each.number, function: each.function }));
  }

  draw(each, now, perMs) {
    const tile = this.tiles.get(each.environment);
    if (!tile) return;
    const { painter } = this.view;
    this.pen.clearRect(...tile.slot);
    tile.bar = painter.strip(this.pen, each, now, ...tile.slot, perMs * painter.ratio);
  }

  grow(each, now) {
    const tile = this.tiles.get(each.environment);
    if (tile?.bar) this.view.painter.grow(this.pen, tile.bar, now);
  }

  mark(id, is) {
    this.tiles.get(id)?.el.setAttribute("aria-expanded", String(is));
  }

  focus(id) {
    this.tiles.get(id)?.el.focus();
  }
}

// Cells on one canvas. The keyboard has one button on it, which moves from cell to cell and is named after each.
class Cells extends Group {
  constructor(view, key, environment) {
    super(view, key, environment);
    this.box.className = "watch-dense";
    this.canvas = element("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.pen = this.canvas.getContext("2d", { alpha: false });
    this.cursor = element("button", "watch-cursor");
    this.cursor.type = "button";
    this.said = element("p", "watch-cell-says");
    this.box.append(this.canvas, this.cursor);
    this.el.append(this.said);
    this.places = new Map(); // of each environment
    this.bars = new Map(); // what has been drawn of each that grows
    this.opened = null;
    this.canvas.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left) / (CELL.width + CELL.gap));
      const row = Math.floor((event.clientY - box.top) / (CELL.height + CELL.gap));
      const place = row * this.columns() + column;
      if (column >= this.columns() || !this.members[place]) return;
      this.moveTo(place, true);
      this.cursor.click();
    });
    this.cursor.addEventListener("click", () => this.view.open(this.members[this.current].environment, this));
  }

  columns() {
    return Math.max(1, Math.floor((this.view.width + CELL.gap) / (CELL.width + CELL.gap)));
  }

  arrange(members) {
    const held = this.members[this.current]?.environment;
    this.members = members;
    this.bars.clear();
    this.places = new Map(members.map((each, place) => [each.environment, place]));
    const rows = Math.ceil(members.length / this.columns());
    const { ratio } = this.view.painter;
    const [across, down] = [this.view.width, rows * (CELL.height + CELL.gap)];
    this.canvas.width = Math.round(across * ratio);
    this.canvas.height = Math.round(down * ratio);
    this.canvas.style.height = `${down}px`;
    this.pen.fillStyle = this.view.painter.paper;
    this.pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const found = this.places.get(held);
    this.moveTo(found ?? Math.min(this.current, members.length - 1), false);
  }

  #corner(place) {
    const columns = this.columns();
    return [(place % columns) * (CELL.width + CELL.gap), Math.floor(place / columns) * (CELL.height + CELL.gap)];
  }

  moveTo(place, focus) {
    this.current = Math.max(0, place);
    const each = this.members[this.current];
    if (!each) return;
    const [x, y] = this.#corner(this.current);
    Object.assign(this.cursor.style, {
      left: `${x - 1}px`,
      top: `${y - 1}px`,
      width: `${CELL.width + 2}px`,
      height: `${CELL.height + 2}px`,
    });
    this.cursor.setAttribute("aria-expanded", String(each.environment === this.opened));
    this.write(each, this.view.now());
    if (focus) this.cursor.focus();
  }

  write(each, now) {
    if (this.members[this.current] !== each) return;
    const { texts, strings } = this.view;
    const label = texts.label(each);
    if (this.label !== label)
      this.cursor.setAttribute("aria-label", `${(this.label = label)}. ${strings("environments.open")}`);
    write(this.said, [label, texts.age(each, now), texts.fate(each, now)].filter(Boolean).join(", "));
  }

  draw(each, now, perMs) {
    const place = this.places.get(each.environment);
    if (place === undefined) return;
    const { painter } = this.view;
    const { ratio } = painter;
    const [left, top] = this.#corner(place);
    const x = Math.round(left * ratio);
    const y = Math.round(top * ratio);
    const width = Math.round(CELL.width * ratio);
    const height = Math.round(CELL.height * ratio);
    const strip = Math.round(STRIP_PX * ratio);
    const { pen } = this;
    pen.fillStyle = painter.patterns[each.state];
    pen.fillRect(x, y, width, height - strip);
    pen.fillStyle = painter.paper;
    pen.fillRect(x, y + height - strip, width, strip);
    const scale = (perMs * width) / this.view.stripWidth; // the same part of the strip as on a tile
    this.bars.set(each.environment, painter.strip(pen, each, now, x, y + height - strip + 1, width, strip - 1, scale));
  }

  grow(each, now) {
    const bar = this.bars.get(each.environment);
    if (bar) this.view.painter.grow(this.pen, bar, now);
  }

  mark(id, is) {
    this.opened = is ? id : null;
    this.cursor.setAttribute("aria-expanded", String(is && this.members[this.current]?.environment === id));
  }

  focus(id) {
    const place = this.places.get(id);
    if (place !== undefined) this.moveTo(place, true);
    else this.cursor.focus();
  }
}

// ---------------------------------------------------------------- the log of one

class Log {
  constructor(view) {
    this.view = view;
    this.id = null;
    this.el = element("section", "watch-log");
    this.el.hidden = true;
    const head = element("div", "watch-log-head");
    this.name = element("p", "watch-log-name");
    this.title = element("bdi");
    this.stream = element("code");
    this.name.append(this.title, this.stream);
    this.end = element("button", "", view.strings("environments.end"));
    this.end.type = "button";
    this.end.addEventListener("click", () => {
      this.done.textContent = "";
      view.bus.send({ type: "fault", id: "end-environment", of: this.id, on: true });
    });
    this.close = element("button", "", view.strings("environments.log.close"));
    this.close.type = "button";
    this.done = element("p", "watch-log-done");
    this.lines = element("div", "watch-lines");
    this.lines.tabIndex = 0;
    this.lines.setAttribute("role", "log");
    this.lines.setAttribute("aria-live", "off"); // a log is read when one wants to, not as it comes
    head.append(this.name, this.end, this.close);
    this.el.append(head, this.done, this.lines);
    this.close.addEventListener("click", () => view.open(null));
    this.el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      view.open(null);
    });
  }

  show(environment) {
    const { strings } = this.view;
    this.id = environment.environment;
    this.title.textContent = strings("environments.log", { number: environment.number, function: environment.function });
    this.stream.textContent = strings.visible(environment.environment);
    this.el.setAttribute("aria-label", this.title.textContent);
    this.lines.setAttribute("aria-label", this.title.textContent);
    this.lines.replaceChildren(element("div", "", strings("environments.log.wait")));
    this.isEmpty = true;
    this.done.textContent = "";
    this.end.hidden = this.view.isCoarse; // of AWS nobody can end one
    this.el.hidden = false;
  }

  hide() {
    this.id = null;
    this.el.hidden = true;
    this.lines.replaceChildren();
  }

  // What came of the button.
  told({ id, of, sentence }) {
    if (id !== "end-environment" || of !== this.id) return;
    this.done.textContent = this.view.strings.visible(sentence);
    this.view.bus.say(this.done.textContent);
  }

  receive({ environment, lines, begins }) {
    if (environment !== this.id || !Array.isArray(lines)) return;
    const { strings } = this.view;
    if (begins || (this.isEmpty && lines.length)) this.lines.replaceChildren();
    this.isEmpty = (begins || this.isEmpty) && lines.length === 0;
    if (this.isEmpty) return this.lines.replaceChildren(element("div", "", strings("environments.log.none")));
    const isAtEnd = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 8;
    for (const line of lines) {
      const row = element("div");
      row.append(element("time", "", new Date(line.at).toISOString().slice(11, 23)), element("bdi", "", strings.visible(line.text)));
      this.lines.append(row);
    }
    while (this.lines.childElementCount > LOG_LINES) this.lines.firstElementChild.remove();
    if (isAtEnd) this.lines.scrollTop = this.lines.scrollHeight;
  }
}

// ---------------------------------------------------------------- the part

class View {
  constructor(el, bus, strings) {
    this.bus = bus;
    this.strings = strings;
    this.texts = texts(strings);
    this.root = el.closest(".watch") ?? el;
    this.painter = new Painter(this.root, el);
    this.fold = new Fold();
    this.groups = new Map();
    this.groupOf = new Map(); // of an environment
    this.changed = new Set(); // environments, since the last frame
    this.unwritten = new Set(); // and since words were written
    this.written = 0;
    this.isArranged = false;
    this.perMs = 0;
    this.skew = null; // between the clock here and the one that tells
    this.kept = bus.kept ? (bus.kept.environments ??= {}) : {};

    this.summary = element("p", "watch-summary");
    this.legend = element("ul", "watch-legend");
    this.legend.setAttribute("aria-label", strings("environments.legend"));
    for (const kind of KINDS) {
      const item = element("li");
      const swatch = element("span", "watch-swatch");
      swatch.dataset.state = kind;
      item.append(swatch, element("span", "", strings(`environments.word.${kind}`)));
      this.legend.append(item);
    }
    const scale = element("li");
    this.scale = element("span", "watch-scale");
    this.scaleText = element("span");
    scale.title = strings("environments.scale_why");
    scale.append(this.scale, this.scaleText);
    this.legend.append(scale);
    this.empty = element("p", "", strings("environments.empty"));
    this.list = element("div");
    this.log = new Log(this);
    el.append(this.summary, this.legend, this.empty, this.list);

    this.width = 0;
    this.stripWidth = 170;
    this.resized = new ResizeObserver(() => {
      this.isArranged = false;
      this.schedule();
    });
    this.resized.observe(this.list);
    this.themed = new MutationObserver(() => this.schedule());
    this.themed.observe(this.root, { attributes: true, attributeFilter: ["data-theme"] });
    this.clock = setInterval(() => this.#everySecond(), 1000);
    this.firstToSay = 0;
    this.schedule();
  }

  now() {
    return Date.now() + (this.skew ?? 0);
  }

  receive(message) {
    if (message.type === "environments") {
      this.fold.restart(message);
      this.isArranged = false;
    } else if (message.type === "activity") {
      for (const event of message.events) this.#take(event);
    } else if (message.type === "log") return this.log.receive(message);
    else if (message.type === "done") return this.log.told(message);
    else if (message.type === "status") {
      if (typeof message.now === "number") this.skew = message.now - Date.now();
      this.isCoarse = Boolean(message.coarse);
      return;
    } else return;
    this.#speakSoon();
    this.schedule();
  }

  #take(event) {
    const found = this.fold.take(event);
    if (!found) return;
    if (found.isNew) this.isArranged = false;
    this.changed.add(found.environment);
    if (event.kind === "environment.ended" && event.reason !== "idle")
      this.ending = this.strings("environments.says_ended", {
        function: event.function ?? found.environment.function,
        reason: this.texts.reason(event.reason),
      });
  }

  // Show the log of this one, or of none; once more: of none.
  open(id, group) {
    const before = this.opened;
    if (before) before.group.mark(before.id, false);
    if (id === null || before?.id === id) {
      this.opened = null;
      this.kept.open = null;
      this.log.hide();
      this.bus.send({ type: "log", environment: null });
      before?.group.focus(before.id);
      return;
    }
    this.opened = { id, group };
    this.kept.open = id;
    group.mark(id, true);
    group.el.append(this.log.el);
    this.log.show(this.fold.all.get(id));
    this.bus.send({ type: "log", environment: id });
  }

  schedule() {
    if (!this.frame && !this.isClosed) this.frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.frame = 0;
    // Where it is not laid out, as in a tab behind or while JupyterLab changes its theme, nothing has a place. It is
    // tried again each second, and when the size changes.
    if (!this.list.clientWidth) {
      this.isArranged = false;
      return;
    }
    const now = this.now();
    let all = this.painter.refresh();
    if (!this.isArranged || all) {
      this.#arrange();
      all = true;
    }
    const isLost = this.root.dataset.lost === "true"; // then nobody knows whether anything still lasts
    const growing = [];
    let longest = 1;
    for (const each of this.fold.all.values()) {
      const isGrowing = grows(each) && !isLost;
      if (isGrowing) growing.push(each);
      longest = Math.max(longest, each.spent + (isGrowing ? now - each.since : 0));
    }
    all = this.#setScale(longest) || all;
    for (const each of all ? this.fold.all.values() : this.changed)
      this.groupOf.get(each.environment)?.draw(each, now, this.perMs);
    if (!all) for (const each of growing) this.groupOf.get(each.environment)?.grow(each, now);
    for (const each of this.changed) this.unwritten.add(each);
    this.changed.clear();
    if (all || this.unwritten.size) this.#writeSoon();
    if (growing.length && this.root.dataset.still !== "true") this.schedule(); // or once a second
  }

  // Which group is where, and who is in it; with more than DENSE of them all, cells.
  #arrange() {
    this.isArranged = true;
    this.width = this.list.clientWidth;
    this.isDense = this.fold.all.size > DENSE;
    const Kind = this.isDense ? Cells : Tiles;
    const members = new Map();
    for (const each of this.fold.all.values()) {
      const key = `${each.function}\n${each.version}`;
      if (!members.has(key)) members.set(key, []);
      members.get(key).push(each);
    }
    for (const [key, group] of this.groups)
      if (!members.has(key) || !(group instanceof Kind)) {
        group.el.remove();
        this.groups.delete(key);
      }
    this.groupOf.clear();
    const keys = [...members.keys()].sort();
    keys.forEach((key, place) => {
      const here = members.get(key).sort((one, other) => one.created - other.created || one.number - other.number);
      let group = this.groups.get(key);
      if (!group) this.groups.set(key, (group = new Kind(this, key, here[0])));
      if (this.list.children[place] !== group.el) this.list.insertBefore(group.el, this.list.children[place] ?? null);
      group.arrange(here);
      group.refreshHead();
      for (const each of here) {
        this.groupOf.set(each.environment, group);
        group.write(each, this.now());
      }
    });
    const strip = this.list.querySelector(".watch-strip");
    if (strip) this.stripWidth = strip.clientWidth || this.stripWidth;
    this.empty.hidden = this.fold.all.size > 0;
    this.#keepOpen();
  }

  // The log that is shown stays below its group, which may be another element now.
  #keepOpen() {
    const id = this.opened?.id ?? this.kept.open;
    const group = id && this.groupOf.get(id);
    if (this.opened && !group) return; // it has ended: its log may still be read
    if (!this.opened && group) this.open(id, group);
    else if (group && (this.opened.group !== group || !group.el.contains(this.log.el))) {
      this.opened.group = group;
      group.mark(id, true);
      group.el.append(this.log.el);
    }
  }

  // The longest strip has room, in steps: otherwise all of them would be drawn anew in each frame.
  #setScale(longest) {
    const full = rounded(longest);
    const scaledFor = `${full} ${this.stripWidth} ${this.isDense}`;
    if (scaledFor === this.scaledFor) return false;
    this.scaledFor = scaledFor;
    this.perMs = this.stripWidth / full;
    const part = this.isDense ? 1 : 5; // of a strip
    const bar = full / part;
    this.scale.style.width = `${(this.isDense ? CELL.width : this.stripWidth) / part}px`;
    this.scaleText.textContent = this.texts.time(bar);
    return true;
  }

  // Words and counts, not in each frame: nobody could read them, and they cost a browser more than the strips.
  #writeSoon() {
    this.writing ||= setTimeout(() => {
      this.writing = 0;
      this.written = performance.now();
      const now = this.now();
      for (const each of this.unwritten) this.groupOf.get(each.environment)?.write(each, now);
      this.unwritten.clear();
      write(this.summary, this.texts.sentence(this.fold));
      for (const group of this.groups.values()) group.refreshHead();
    }, Math.max(0, this.written + WORDS_MS - performance.now()));
  }

  #everySecond() {
    const now = this.now();
    if (this.fold.forget(now)) this.isArranged = false;
    for (const each of this.fold.all.values()) this.groupOf.get(each.environment)?.write(each, now);
    if (this.root.dataset.still === "true") for (const each of this.fold.all.values()) if (grows(each)) this.changed.add(each);
    this.schedule();
  }

  // In sentences, when it is calm; a thousand events are one sentence.
  #speakSoon() {
    const now = Date.now();
    this.firstToSay ||= now;
    clearTimeout(this.saying);
    const wait = Math.min(SAY_MS.calm, Math.max(0, this.firstToSay + SAY_MS.most - now));
    this.saying = setTimeout(() => {
      this.firstToSay = 0;
      const sentence = this.texts.sentence(this.fold);
      this.bus.say([this.ending, sentence].filter(Boolean).join(" "));
      this.ending = "";
    }, wait);
  }

  close() {
    this.isClosed = true;
    cancelAnimationFrame(this.frame);
    clearInterval(this.clock);
    clearTimeout(this.saying);
    clearTimeout(this.writing);
    this.resized.disconnect();
    this.themed.disconnect();
    if (this.opened) this.bus.send({ type: "log", environment: null });
  }
}

export function mount(el, bus, strings) {
  const view = new View(el, bus, strings);
  return { receive: (message) => view.receive(message), close: () => view.close() };
}
