// Draws the still picture of a system with the page's own modules: JSON comes in, an SVG goes out. For Node.

const given = JSON.parse(await read(process.stdin));
const [dagre, system, root] = await Promise.all(["dagre", "system", "root"].map((name) => load(given.modules[name])));

const strings = root.reader(given.strings);
const look = given.look;
const moved = new Map(Object.entries(given.moved));
const samples = new Map(Object.entries(given.samples));
const placed = system.place(dagre, given.system.nodes, given.system.edges);
const state = { counts: given.counts, samples, moved };
const parts = system.draw(placed, given.system, state, strings, look);
process.stdout.write(JSON.stringify({ width: placed.width, height: placed.height, parts: parts.map(written).join("") }));

async function read(stream) {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}

// A module from its source, whatever package a file of it would belong to.
function load(source) {
  return import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
}

// Nested lists as XML. What XML cannot have, strings() has made visible.
function written([name, attributes, content]) {
  const head = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`).join("");
  const inside = Array.isArray(content) ? content.map(written).join("") : escaped(content ?? "");
  return `<${name}${head}>${inside}</${name}>`;
}

function escaped(value) {
  return String(value).replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);
}
