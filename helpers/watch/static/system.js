// The system: what there is as shapes, from left to right, what joins them as lines, and what moves along these.
//
// place() and draw() make the picture as plain data, without a document: mount() shows it in a page, and
// system_still.mjs, in Node, writes the same picture as a file. Names, labels and whatever else AWS tells is text.

const SVG = "http://www.w3.org/2000/svg";
const FONT = "system-ui, sans-serif";
const NAME_PX = 12.5;
const SMALL_PX = 11;
const BOLD = 1.12; // as wide as other letters
const MOST_WIDTH = 172; // of a node
const LEAST_WIDTH = 92;
const INSET = 22; // where its words begin
const COUNT_WIDTH = 26; // of the number of what has moved along it
const GAP = 16;
const SAMPLES = 60; // of a sparkline
const DOTS = 5; // that move along an edge at a time
const DOT_MS = 700;
const LEAST_ZOOM = 0.8; // below that it can be scrolled: letters stay letters
const SPEAK_MS = 10000;

// The outline of a node of each kind, besides its word and the pattern of its strip.
const SHAPES = {
  function: (w, h) => `M4,0 H${w - 4} Q${w},0 ${w},4 V${h - 4} Q${w},${h} ${w - 4},${h} H4 Q0,${h} 0,${h - 4} V4 Q0,0 4,0 Z`,
  queue: (w, h) => `M16,0 H${w - 16} Q${w},0 ${w},16 V${h - 16} Q${w},${h} ${w - 16},${h} H16 Q0,${h} 0,${h - 16} V16 Q0,0 16,0 Z`,
  bucket: (w, h) => `M0,0 H${w} L${w - 9},${h} H9 Z`,
  table: (w, h) => `M0,0 H${w} V${h} H0 Z M0,4 H${w}`,
  topic: (w, h) => `M0,0 H${w - 10} L${w},${h / 2} L${w - 10},${h} H0 Z`,
  source: (w, h) => `M0,0 H${w} V${h} H0 L8,${h / 2} Z`,
  other: (w, h) => `M8,0 H${w - 8} L${w},8 V${h - 8} L${w - 8},${h} H8 L0,${h - 8} V8 Z`,
};
const SOURCES = new Set(["rule", "schedule", "function URL", "HTTP API"]); // they begin something

// What fills the strip of a node, in a square of 6: a path that is stroked, and none where it is plain.
const PATTERNS = {
  function: "",
  queue: "M0,1.5 H6 M0,4.5 H6",
  bucket: "M-1,1 L1,-1 M0,6 L6,0 M5,7 L7,5",
  table: "M0,3 H6 M3,0 V6",
  topic: "M0,0 L6,6 M6,0 L0,6",
  source: "M3,0 V6",
  other: "M2,3 H4",
};

export function shapeOf(kind) {
  return SOURCES.has(kind) ? "source" : kind in SHAPES ? kind : "other";
}

// About how wide a text is, in a wide font: no document measures it here. What is beyond the alphabets is a square.
function widthOf(text, size) {
  let units = 0;
  for (const letter of text) {
    if (letter.codePointAt(0) > 0x2e7f) units += 1.05;
    else if (/[mw@%…]/i.test(letter)) units += 0.97;
    else if (/[A-Z]/.test(letter)) units += 0.72;
    else units += /[ijlftr.,:;'|!()\-]/.test(letter) ? 0.42 : 0.64;
  }
  return units * size;
}

// A text that fits, its middle left out: what tells names apart is often at their end.
function cut(text, width, size) {
  if (widthOf(text, size) <= width) return text;
  const letters = [...text];
  const room = width - widthOf("…", size);
  let [begin, end, used] = ["", "", 0];
  for (let i = 0; i < letters.length; i++) {
    const fromEnd = i % 2;
    const letter = fromEnd ? letters[letters.length - 1 - (i >> 1)] : letters[i >> 1];
    used += widthOf(letter, size);
    if (used > room) break;
    if (fromEnd) end = letter + end;
    else begin += letter;
  }
  return `${begin}…${end}`;
}

function sizeOf(node) {
  const name = widthOf(node.short || node.name, NAME_PX) * BOLD + INSET + 10; // bold letters are wider
  const counted = node.kind === "queue" ? 140 : 0;
  const width = Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, name, counted));
  return { width: Math.round(width), height: node.kind === "queue" || node.kind === "function" ? 68 : 42 };
}

// Where everything is: dagre lays out what is joined; what stands alone comes in rows below.
export function place(dagre, nodes, edges) {
  const graph = new dagre.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: GAP, edgesep: 12, ranksep: 22, marginx: 10, marginy: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  const joined = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  const known = new Set(nodes.map((node) => node.id));
  const alone = nodes.filter((node) => !joined.has(node.id));
  for (const node of nodes) if (joined.has(node.id)) graph.setNode(node.id, sizeOf(node));
  for (const edge of edges) {
    if (!known.has(edge.from) || !known.has(edge.to)) continue;
    graph.setEdge(edge.from, edge.to, { width: COUNT_WIDTH, height: 16, labelpos: "c" }, edge.id);
  }
  if (joined.size) dagre.layout(graph);
  const placed = { nodes: new Map(), edges: new Map(), width: 0, height: 0 };
  if (joined.size) ({ width: placed.width, height: placed.height } = graph.graph());
  for (const id of graph.nodes()) placed.nodes.set(id, graph.node(id));
  for (const edge of graph.edges()) placed.edges.set(edge.name, { ...graph.edge(edge), from: edge.v, to: edge.w });
  route(placed);
  const most = Math.max(placed.width, 720);
  let [x, y, tallest] = [10, placed.height + (joined.size ? 6 : 10), 0];
  for (const node of alone) {
    const size = sizeOf(node);
    if (x + size.width + 10 > most) [x, y, tallest] = [10, y + tallest + GAP, 0];
    placed.nodes.set(node.id, { ...size, x: x + size.width / 2, y: y + size.height / 2 });
    placed.width = Math.max(placed.width, x + size.width + 10);
    placed.height = y + size.height + 10;
    x += size.width + GAP;
    tallest = Math.max(tallest, size.height);
  }
  return placed;
}

// The path of each edge, along the points of dagre: level past the nodes of a column, and curved between columns, so
// that it touches no node but its own two.
function route(placed) {
  const halves = new Map(); // of the columns, by the middle of each
  for (const { x, width } of placed.nodes.values()) {
    halves.set(Math.round(x), Math.max(width / 2, halves.get(Math.round(x)) ?? 0));
  }
  const ports = portsOf(placed);
  for (const [id, edge] of placed.edges) {
    const [from, to] = [placed.nodes.get(edge.from), placed.nodes.get(edge.to)];
    const on = to.x >= from.x ? 1 : -1;
    const level = (at, y) => ({ begin: at.x - on * half(at), end: at.x + on * half(at), y });
    const half = (at) => halves.get(Math.round(at.x)) ?? 0;
    const first = { ...level(from, ports.get(`${id} from`)), begin: from.x + (on * from.width) / 2 };
    const last = { ...level(to, ports.get(`${id} to`)), end: to.x - (on * to.width) / 2 };
    const levels = [first, ...edge.points.slice(1, -1).map((point) => level(point, point.y)), last];
    let path = `M${first.begin.toFixed(1)},${first.y.toFixed(1)}`;
    levels.forEach((next, i) => {
      const before = levels[i - 1];
      const middle = before && (before.end + next.begin) / 2;
      if (before) path += ` C${middle.toFixed(1)},${before.y.toFixed(1)} ${middle.toFixed(1)},${next.y.toFixed(1)} ${next.begin.toFixed(1)},${next.y.toFixed(1)}`;
      if (next.end !== next.begin) path += ` H${next.end.toFixed(1)}`; // an arrow at the end of nothing has no direction
    });
    edge.path = path;
  }
}

// The heights at which edges leave and enter their nodes: side by side, in the order in which they come.
function portsOf(placed) {
  const sides = new Map();
  for (const [id, edge] of placed.edges) {
    const on = placed.nodes.get(edge.to).x >= placed.nodes.get(edge.from).x;
    for (const [end, node, right, next] of [["from", edge.from, on, edge.points[1]], ["to", edge.to, !on, edge.points.at(-2)]]) {
      const side = `${right} ${node}`;
      if (!sides.has(side)) sides.set(side, { node, ends: [] });
      sides.get(side).ends.push({ key: `${id} ${end}`, y: next.y });
    }
  }
  const ports = new Map();
  for (const { node, ends } of sides.values()) {
    const { y, height } = placed.nodes.get(node);
    const step = Math.min(12, (height - 14) / Math.max(1, ends.length - 1));
    ends.sort((a, b) => a.y - b.y);
    ends.forEach(({ key }, i) => ports.set(key, y + step * (i - (ends.length - 1) / 2)));
  }
  return ports;
}

function text(x, y, content, look, more = {}) {
  return ["text", { x, y, "font-family": FONT, "font-size": SMALL_PX, fill: look.muted, ...more }, content];
}

// The words for the counts of a node; an empty list where nothing is known.
export function countsOf(node, counts, strings) {
  const told = counts[node.id];
  if (!told) return [];
  if (node.kind === "queue") {
    return [strings("system.waiting", { n: told.waiting }), strings("system.in_flight", { n: told.in_flight })];
  }
  return [strings("system.running", { n: told.running }), strings("system.throttled", { n: told.throttled })];
}

export function describe(node, counts, strings) {
  const kind = strings(`system.kind.${node.kind}`);
  return [`${kind} ${strings.visible(node.short || node.name)}`, ...countsOf(node, counts, strings)].join(", ");
}

// What is inside a node; `samples` are what a queue had lately.
export function drawNode(node, size, counts, samples, strings, look) {
  const shape = shapeOf(node.kind);
  const [first, second] = countsOf(node, counts, strings);
  const name = strings.visible(node.short || node.name);
  const color = look.kinds[shape];
  const room = size.width - INSET - 8;
  const parts = [
    ["title", {}, `${strings(`system.kind.${node.kind}`)} ${strings.visible(node.name)}`],
    ["path", { class: "watch-system-outline", d: SHAPES[shape](size.width, size.height), fill: look.paper, stroke: color, "stroke-width": 2 }],
    ["rect", { x: 10, y: 9, width: 7, height: size.height - 18, fill: `url(#${look.prefix}-${shape})`, stroke: color }],
    text(INSET, 15, cut(strings(`system.kind.${node.kind}`), room, SMALL_PX), look),
    text(INSET, 30, cut(name, room / BOLD, NAME_PX), look, { "font-size": NAME_PX, "font-weight": 600, fill: look.ink }),
  ];
  if (first) {
    const throttled = node.kind === "function" && counts[node.id].throttled > 0;
    parts.push(text(INSET, 45, first, look, { fill: look.ink }));
    parts.push(text(INSET, 59, second, look, throttled ? { fill: look.bad, "font-weight": 700 } : {}));
  }
  if (node.kind === "queue" && samples?.length > 1) parts.push(...sparkline(samples, 90, 37, size.width - 100, 22, look));
  return parts;
}

function sparkline(samples, x, y, width, height, look) {
  const most = Math.max(1, ...samples.flat());
  const span = look.fills ? samples.length : SAMPLES;
  const lines = [0, 1].map((which) =>
    samples
      .map((sample, i) => {
        const left = x + (width * (i + span - samples.length)) / (span - 1);
        return `${i ? "L" : "M"}${left.toFixed(1)},${(y + height * (1 - sample[which] / most)).toFixed(1)}`;
      })
      .join(" "),
  );
  return [
    ["path", { d: `M${x},${y + height} H${x + width}`, stroke: look.line, fill: "none" }],
    ["path", { d: lines[1], stroke: look.bad, fill: "none", "stroke-width": 1.3, "stroke-dasharray": "2 2" }],
    ["path", { d: lines[0], stroke: look.kinds.queue, fill: "none", "stroke-width": 1.6 }],
  ];
}

const DASHES = { allowed: "2 4", "dead-letter": "7 4", "on-failure": "7 4" };

function drawEdge(edge, placed, moved, strings, look) {
  const bad = edge.kind === "dead-letter" || edge.kind === "on-failure";
  const color = bad ? look.bad : look.edge;
  const line = { d: placed.path, fill: "none", stroke: color, "stroke-width": 1.6 };
  if (edge.kind in DASHES) line["stroke-dasharray"] = DASHES[edge.kind];
  const parts = [
    ["title", {}, [strings(`system.edge.${edge.kind}`), strings.visible(edge.label)].filter(Boolean).join(": ")],
    ["path", { ...line, "marker-end": `url(#${look.prefix}-${bad ? "bad" : "end"})` }],
  ];
  if (moved) {
    const width = widthOf(String(moved), SMALL_PX) + 6;
    parts.push(["rect", { x: placed.x - width / 2, y: placed.y - 8, width, height: 15, rx: 3, fill: look.paper }]);
    parts.push(text(placed.x, placed.y + 3.5, String(moved), look, { "text-anchor": "middle", fill: bad ? look.bad : look.muted }));
  }
  return parts;
}

// What the shapes are filled with, and the ends of the lines.
export function definitions(look) {
  const patterns = Object.entries(PATTERNS).map(([shape, path]) => [
    "pattern",
    { id: `${look.prefix}-${shape}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
    [
      ["rect", { width: 6, height: 6, fill: path ? look.paper : look.kinds[shape] }],
      ["path", { d: path || "M0,0", stroke: look.kinds[shape], "stroke-width": 1.4 }],
    ],
  ]);
  const ends = [["end", look.edge], ["bad", look.bad]].map(([name, color]) => [
    "marker",
    { id: `${look.prefix}-${name}`, viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
    [["path", { d: "M0,0 L8,4 L0,8 Z", fill: color }]],
  ]);
  return ["defs", {}, [...patterns, ...ends]];
}

// The picture as nested lists [name, attributes, text or children]; `state` has what was counted.
export function draw(placed, system, state, strings, look) {
  const edges = system.edges
    .filter((edge) => placed.edges.has(edge.id))
    .map((edge) => ["g", { "data-edge": edge.id }, drawEdge(edge, placed.edges.get(edge.id), state.moved.get(edge.id), strings, look)]);
  const nodes = inOrder(system.nodes, placed).map((node) => {
    const at = placed.nodes.get(node.id);
    const corner = `translate(${at.x - at.width / 2},${at.y - at.height / 2})`;
    return ["g", { "data-node": node.id, transform: corner }, drawNode(node, at, state.counts, state.samples.get(node.id), strings, look)];
  });
  return [definitions(look), ["g", {}, edges], ["g", { "data-dots": "" }, []], ["g", {}, nodes]];
}

// From left to right, and in a column from above: the order in which they are reached by the Tab key.
function inOrder(nodes, placed) {
  const at = (node) => placed.nodes.get(node.id);
  return nodes.toSorted ? nodes.toSorted((a, b) => at(a).x - at(b).x || at(a).y - at(b).y) : [...nodes].sort((a, b) => at(a).x - at(b).x || at(a).y - at(b).y);
}

// Nested lists as elements of SVG.
function build([name, attributes, content]) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (Array.isArray(content)) made.append(...content.map(build));
  else if (content !== undefined) made.textContent = content;
  return made;
}

function element(name, classes, content) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (content !== undefined) made.textContent = content;
  return made;
}

const KINDS_OF_LOOK = ["function", "queue", "bucket", "table", "topic", "source", "other"];
let views = 0;

function liveLook() {
  const kinds = Object.fromEntries(KINDS_OF_LOOK.map((kind) => [kind, `var(--watch-system-${kind})`]));
  return {
    prefix: `watch-system-${++views}`,
    kinds,
    ink: "var(--watch-ink)",
    muted: "var(--watch-muted)",
    paper: "var(--watch-paper)",
    line: "var(--watch-line)",
    edge: "var(--watch-system-edge)",
    bad: "var(--watch-system-bad)",
  };
}

export function mount(el, bus, strings, libraries) {
  const look = liveLook();
  let system = { nodes: [], edges: [], left_out: [] };
  let placed = null;
  let faults = [];
  let selected = null; // id of the node whose panel is open
  let closed = false;
  let known = false; // whether Python has told what there is
  const state = { counts: {}, samples: new Map(), moved: new Map() };
  const waiting = new Set(); // faults whose answer has not come

  const summary = element("p", "watch-system-summary", strings("system.looking"));
  const scroller = element("div", "watch-system-scroller");
  const leftOut = element("ul", "watch-system-left-out");
  const panel = element("section", "watch-system-panel");
  panel.hidden = true;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", strings("system.label"));
  scroller.append(svg);
  const hint = element("p", "watch-system-hint", strings("system.hint"));
  el.append(summary, scroller, hint, panel, leftOut);
  scroller.hidden = hint.hidden = leftOut.hidden = true;

  const groupOf = (id) => [...svg.querySelectorAll("[data-node]")].find((group) => group.dataset.node === id);
  const nodeOf = (id) => system.nodes.find((node) => node.id === id);
  const nameOf = (id) => strings.visible(nodeOf(id)?.short || nodeOf(id)?.name || id);

  function zoom() {
    if (!placed?.width) return;
    const room = scroller.clientWidth || placed.width;
    const scale = Math.min(1, Math.max(LEAST_ZOOM, room / placed.width));
    svg.setAttribute("width", Math.floor(placed.width * scale));
    svg.setAttribute("height", Math.floor(placed.height * scale));
    svg.setAttribute("viewBox", `0 0 ${placed.width} ${placed.height}`);
  }
  const observer = new ResizeObserver(zoom);
  observer.observe(scroller);

  async function show() {
    const dagre = await libraries.load("dagre");
    if (closed) return;
    const focused = document.activeElement?.closest?.("[data-node]")?.dataset.node;
    scroller.hidden = hint.hidden = system.nodes.length === 0;
    summary.textContent = told();
    leftOut.replaceChildren(...system.left_out.map((sentence) => element("li", "", strings.visible(sentence))));
    leftOut.hidden = system.left_out.length === 0;
    if (selected && !nodeOf(selected)) closePanel();
    placed = place(dagre, system.nodes, system.edges);
    svg.replaceChildren(...draw(placed, system, state, strings, look).map(build));
    for (const group of svg.querySelectorAll("[data-node]")) {
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      group.setAttribute("aria-expanded", String(group.dataset.node === selected));
      group.classList.add("watch-system-node");
      name(group);
    }
    for (const group of svg.querySelectorAll("[data-edge]")) group.setAttribute("aria-hidden", "true");
    zoom();
    if (focused) groupOf(focused)?.focus();
    if (selected) fillPanel();
  }

  // What there is, in a sentence: also what the live region says.
  function told() {
    if (!known) return strings("system.looking");
    if (!system.nodes.length) return strings("system.empty");
    const kinds = Map.groupBy ? Map.groupBy(system.nodes, (node) => node.kind) : grouped(system.nodes);
    const parts = [...kinds].map(([kind, nodes]) => strings(`system.count.${kind}`, { n: nodes.length }));
    return strings("system.summary", { parts: parts.join(", ") });
  }

  function name(group) {
    const node = nodeOf(group.dataset.node);
    const onwards = system.edges.filter((edge) => edge.from === node.id).map((edge) => nameOf(edge.to));
    const to = onwards.length ? strings("system.leads_to", { names: [...new Set(onwards)].join(", ") }) : "";
    group.setAttribute("aria-label", [describe(node, state.counts, strings), to].filter(Boolean).join(". "));
  }

  function redrawNode(node) {
    const group = groupOf(node.id);
    if (!group) return;
    const at = placed.nodes.get(node.id);
    group.replaceChildren(...drawNode(node, at, state.counts, state.samples.get(node.id), strings, look).map(build));
    name(group);
  }

  function redrawEdge(edge) {
    const group = [...svg.querySelectorAll("[data-edge]")].find((each) => each.dataset.edge === edge.id);
    group?.replaceChildren(...drawEdge(edge, placed.edges.get(edge.id), state.moved.get(edge.id), strings, look).map(build));
  }

  // Motion: short dots, a few at a time, however much moves; the number on the edge says how much.

  const isStill = () => el.closest("[data-still]")?.dataset.still === "true";
  const dots = new Set();
  let frame = 0;

  function moveAlong(edge, count, back) {
    if (isStill() || document.hidden) return;
    const going = [...dots].filter((dot) => dot.edge === edge.id).length;
    for (let i = 0; i < Math.min(count, DOTS - going); i++) {
      dots.add({ edge: edge.id, back, begin: performance.now() + (i * DOT_MS) / DOTS, circle: null });
    }
    if (!frame && dots.size) frame = requestAnimationFrame(step);
  }

  function step(now) {
    frame = 0;
    const layer = svg.querySelector("[data-dots]");
    for (const dot of dots) {
      const group = [...svg.querySelectorAll("[data-edge]")].find((each) => each.dataset.edge === dot.edge);
      const path = group?.querySelector("path");
      if (!path || now > dot.begin + DOT_MS) {
        dot.circle?.remove();
        dots.delete(dot);
      } else if (now >= dot.begin) {
        if (!dot.circle?.isConnected) {
          dot.circle = build(["circle", { r: 4.5, fill: look.ink, stroke: look.paper }]);
          layer.append(dot.circle);
        }
        const done = (now - dot.begin) / DOT_MS;
        const at = path.getPointAtLength(path.getTotalLength() * (dot.back ? 1 - done : done));
        dot.circle.setAttribute("cx", at.x);
        dot.circle.setAttribute("cy", at.y);
      }
    }
    if (dots.size && !closed) frame = requestAnimationFrame(step);
  }

  // What has moved since the last message: [{edge, count, back}].
  function move(moves) {
    for (const { edge: id, count, back } of placed ? moves : []) {
      const edge = system.edges.find((each) => each.id === id);
      if (!edge || !placed.edges.has(id)) continue;
      state.moved.set(id, (state.moved.get(id) ?? 0) + count);
      redrawEdge(edge);
      moveAlong(edge, count, back);
    }
  }

  // How much has moved in all: a page that is opened later than the picture was begun hears of it so.
  function total(moved) {
    for (const edge of system.edges) {
      if (!placed?.edges.has(edge.id) || (moved[edge.id] ?? 0) === (state.moved.get(edge.id) ?? 0)) continue;
      state.moved.set(edge.id, moved[edge.id]);
      redrawEdge(edge);
    }
  }

  let spoken = "";
  let spokenAt = 0;

  function counted(counts) {
    state.counts = counts;
    for (const node of system.nodes) {
      const its = counts[node.id];
      if (its && node.kind === "queue") {
        const samples = state.samples.get(node.id) ?? [];
        state.samples.set(node.id, [...samples, [its.waiting, its.in_flight]].slice(-SAMPLES));
      }
      if (placed && its) redrawNode(node);
    }
    const all = (key) => Object.values(counts).reduce((sum, its) => sum + (its[key] ?? 0), 0);
    const values = { waiting: all("waiting"), in_flight: all("in_flight"), running: all("running"), throttled: all("throttled") };
    const sentence = strings("system.spoken", values);
    if (sentence !== spoken && Date.now() - spokenAt > SPEAK_MS) {
      [spoken, spokenAt] = [sentence, Date.now()];
      bus.say(sentence);
    }
  }

  // The panel of a node: what AWS says of it, what it is joined to, and what can be broken.

  function openPanel(id) {
    const before = selected;
    selected = id;
    for (const group of svg.querySelectorAll("[data-node]")) {
      group.setAttribute("aria-expanded", String(group.dataset.node === id));
    }
    if (before !== id) result.textContent = shownCode.textContent = "";
    fillPanel();
    panel.hidden = false;
    panel.querySelector("h3").focus();
  }

  function closePanel() {
    const group = selected && groupOf(selected);
    selected = null;
    panel.hidden = true;
    group?.setAttribute("aria-expanded", "false");
    group?.focus();
  }

  const result = element("p", "watch-system-result");
  const shownCode = element("div", "watch-system-code");

  function fillPanel() {
    const node = nodeOf(selected);
    const focused = document.activeElement?.dataset?.fault;
    const wasHeading = document.activeElement?.matches?.(".watch-system-panel h3");
    const head = element("h3", "", `${strings(`system.kind.${node.kind}`)} ${strings.visible(node.name)}`);
    head.tabIndex = -1;
    const close = element("button", "watch-system-close", strings("system.close"));
    close.type = "button";
    close.addEventListener("click", closePanel);
    const attributes = element("dl", "");
    for (const [key, value] of Object.entries(node.attributes)) {
      attributes.append(element("dt", "", strings.visible(key)), element("dd", "", strings.visible(value)));
    }
    panel.replaceChildren(close, head, attributes, joins(node));
    const offered = faults.filter((fault) => fault.of === node.id);
    if (offered.length) panel.append(element("h4", "", strings("system.faults")), ...offered.map(faultRow), result, shownCode);
    panel.setAttribute("aria-label", head.textContent);
    panel.setAttribute("role", "region");
    if (focused) [...panel.querySelectorAll("[data-fault]")].find((button) => button.dataset.fault === focused)?.focus();
    else if (wasHeading) head.focus();
  }

  function joins(node) {
    const list = element("ul", "watch-system-joins");
    for (const edge of system.edges) {
      const [way, other] = edge.from === node.id ? ["to", edge.to] : edge.to === node.id ? ["from", edge.from] : [];
      if (!way) continue;
      const why = [strings(`system.edge.${edge.kind}`), strings.visible(edge.label)].filter(Boolean).join(": ");
      list.append(element("li", "", strings(`system.join.${way}`, { name: nameOf(other), why })));
    }
    return list;
  }

  function faultRow(fault) {
    const row = element("div", "watch-system-fault");
    const button = element("button", "", strings.visible(fault.on ? fault.undo_label : fault.label));
    button.type = "button";
    button.dataset.fault = fault.id;
    if (fault.lasting) button.setAttribute("aria-pressed", String(Boolean(fault.on)));
    if (waiting.has(`${fault.id} ${fault.of}`)) button.setAttribute("aria-busy", "true");
    button.addEventListener("click", () => {
      waiting.add(`${fault.id} ${fault.of}`);
      button.setAttribute("aria-busy", "true");
      bus.send({ type: "fault", id: fault.id, of: fault.of, on: !(fault.lasting && fault.on) });
    });
    row.append(button, element("span", "", strings.visible(fault.sentence)));
    const cell = fault.on ? fault.undo : fault.code;
    row.append(cell ? codeOf(cell) : element("em", "", strings("system.fault.embedded_only")));
    return row;
  }

  function codeOf(cell) {
    const holder = element("div", "watch-system-cell");
    const copy = element("button", "", strings("system.copy"));
    copy.type = "button";
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(cell);
        bus.say(strings("system.copied"));
      } catch {
        getSelection().selectAllChildren(holder.querySelector("code")); // the reader can copy it
      }
    });
    const pre = element("pre", "");
    pre.append(element("code", "", strings.visible(cell)));
    holder.append(pre, copy);
    return holder;
  }

  function done(message) {
    waiting.delete(`${message.id} ${message.of}`);
    const sentence = strings.visible(message.sentence);
    bus.say(sentence);
    if (message.of === selected) {
      result.textContent = sentence;
      result.dataset.refused = String(Boolean(message.refused));
      if (!panel.hidden) fillPanel();
    }
  }

  // The keyboard: Tab goes through the nodes, arrows to the nearest one on that side, Enter and Space open the panel.

  const SIDES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  function nearest(id, [right, down]) {
    const from = placed.nodes.get(id);
    let best = null;
    for (const [other, at] of placed.nodes) {
      const [dx, dy] = [at.x - from.x, at.y - from.y];
      const ahead = right * dx + down * dy;
      if (other === id || ahead <= 1) continue;
      const distance = ahead + 2 * Math.abs(right ? dy : dx);
      if (!best || distance < best.distance) best = { id: other, distance };
    }
    return best?.id;
  }

  svg.addEventListener("keydown", (event) => {
    const id = event.target.closest("[data-node]")?.dataset.node;
    if (!id) return;
    if (event.key === "Enter" || event.key === " ") openPanel(id);
    else if (event.key in SIDES) groupOf(nearest(id, SIDES[event.key]) ?? id).focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  svg.addEventListener("click", (event) => {
    const id = event.target.closest("[data-node]")?.dataset.node;
    if (id) openPanel(id);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closePanel();
  });

  function receive(message) {
    if (message.type === "system") {
      known = true;
      system = { nodes: message.nodes, edges: message.edges, left_out: message.left_out ?? [] };
      const before = summary.textContent;
      show().then(() => summary.textContent !== before && bus.say(summary.textContent));
    } else if (message.type === "counts") {
      counted(message.counts);
      total(message.moved ?? {});
    } else if (message.type === "moved") {
      move(message.moved);
    } else if (message.type === "faults") {
      faults = message.faults;
      if (selected && nodeOf(selected) && !panel.hidden) fillPanel();
    } else if (message.type === "done") {
      done(message);
    }
  }

  return {
    receive,
    close() {
      closed = true;
      cancelAnimationFrame(frame);
      observer.disconnect();
      el.replaceChildren();
    },
  };
}

function grouped(nodes) {
  const kinds = new Map();
  for (const node of nodes) kinds.set(node.kind, [...(kinds.get(node.kind) ?? []), node]);
  return kinds;
}
