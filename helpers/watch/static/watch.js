// The root of the picture: tabs for its parts, the live region, the theme, and what it says when nobody answers.
//
// Each file here is a plain ES module without imports, as anywidget takes one module alone: the root loads the others
// from model.get("modules"), which has the source of each (Jupyter) or its address (the console).
// What others have named (functions, requests, log lines) is text: textContent and setAttribute, never innerHTML.

const PARTS = ["environments", "system"];
const SILENCE_MS = 7000; // Python says something every two seconds
const SPEAK_MS = 3000; // a screen reader needs time for a sentence

// What turns a text around, hides in it or moves on a terminal, as in strings.py; tab and line feed may stay.
const INVISIBLE = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu;

function visible(value) {
  return String(value).replace(INVISIBLE, (found) => `\\u${found.codePointAt(0).toString(16).padStart(4, "0")}`);
}

// The texts of a catalogue: strings(id, { n, name: … }).
export function reader(catalogue) {
  const plural = new Intl.PluralRules("en");
  const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  function strings(id, values = {}) {
    const entry = catalogue[id];
    if (entry === undefined) return id;
    const text = typeof entry === "string" ? entry : (entry[plural.select(values.n ?? 0)] ?? entry.other);
    return text.replace(/\{(\w+)\}/g, (place, name) => {
      if (!Object.hasOwn(values, name)) return place;
      return typeof values[name] === "number" ? number.format(values[name]) : visible(values[name]);
    });
  }
  strings.visible = visible;
  return strings;
}

// Modules by name, each loaded once, when it is needed first. A source has line ends, an address has none.
function loader(modules) {
  const loaded = new Map();
  async function load(name) {
    const given = modules[name];
    if (!given) throw new Error(`no module ${name}`);
    if (!given.includes("\n")) return import(new URL(given, document.baseURI).href);
    const url = URL.createObjectURL(new Blob([given], { type: "text/javascript" }));
    try {
      return await import(url);
    } finally {
      URL.revokeObjectURL(url);
    }
  }
  return {
    has: (name) => Boolean(modules[name]),
    load(name) {
      if (!loaded.has(name)) loaded.set(name, load(name));
      return loaded.get(name);
    },
  };
}

function element(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

// JupyterLab says on its body which theme it has; elsewhere the system does.
function followTheme(root) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  function look() {
    const lab = document.body.dataset.jpThemeLight;
    root.dataset.theme = (lab === undefined ? dark.matches : lab === "false") ? "dark" : "light";
    root.dataset.still = String(still.matches);
  }
  look();
  const observer = new MutationObserver(look);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  dark.addEventListener("change", look);
  still.addEventListener("change", look);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", look);
    still.removeEventListener("change", look);
  };
}

// One sentence after another, at most one in SPEAK_MS; of those in between the last one counts.
function speaker(region) {
  let next = null;
  let timer = 0;
  let last = "";
  function speak() {
    timer = 0;
    if (next === null || next === last) return;
    region.textContent = last = next;
    next = null;
    timer = setTimeout(speak, SPEAK_MS);
  }
  return {
    say(sentence) {
      next = sentence;
      if (!timer) timer = setTimeout(speak, 0);
    },
    close: () => clearTimeout(timer),
  };
}

let views = 0;
const kept = {}; // what a view that is shown once more goes on with; Jupyter has a module for each picture

function render({ model, el }) {
  const number = ++views;
  const strings = reader(model.get("strings"));
  const libraries = loader(model.get("modules"));
  const parts = PARTS.filter((name) => libraries.has(name));
  const mounted = new Map();
  let shown = "";

  const root = element("section", "watch");
  root.setAttribute("aria-label", strings("watch.label"));
  // JupyterLab takes keys such as "b" for its own, but not from an element with this attribute.
  root.addEventListener("focusin", (event) => (event.target.dataset.lmSuppressShortcuts = "true"));
  const forgetTheme = followTheme(root);
  const live = element("div", "watch-spoken");
  live.setAttribute("role", "status");
  live.setAttribute("aria-live", "polite");
  const speech = speaker(live);
  const notice = element("p", "watch-notice");
  notice.hidden = true;
  const tabs = element("div", "watch-tabs");
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", strings("watch.tabs"));
  tabs.hidden = parts.length < 2;
  root.append(tabs, notice, live);

  const bus = { send: (message) => model.send(message), say: speech.say, kept };
  const tabOf = new Map();
  const panelOf = new Map();
  for (const name of parts) {
    const tab = element("button", "watch-tab", strings(`watch.tab.${name}`));
    tab.type = "button";
    tab.id = `watch-tab-${number}-${name}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `watch-panel-${number}-${name}`);
    tab.addEventListener("click", () => show(name));
    const panel = element("div", "watch-panel");
    panel.id = `watch-panel-${number}-${name}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tabOf.set(name, tab);
    panelOf.set(name, panel);
    tabs.append(tab);
    root.append(panel);
  }
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -parts.indexOf(shown), End: parts.length - 1 - parts.indexOf(shown) };
    if (!(event.key in step)) return;
    event.preventDefault();
    event.stopPropagation();
    show(parts[(parts.indexOf(shown) + step[event.key] + parts.length) % parts.length]);
    tabOf.get(shown).focus();
  });

  async function show(name) {
    shown = kept.part = name;
    for (const each of parts) {
      tabOf.get(each).setAttribute("aria-selected", String(each === name));
      tabOf.get(each).tabIndex = each === name ? 0 : -1;
      panelOf.get(each).hidden = each !== name;
    }
    if (!mounted.has(name)) {
      const place = element("div", `watch-part watch-${name}`);
      panelOf.get(name).append(place);
      mounted.set(name, null); // from now on, it is being made
      try {
        const module = await libraries.load(name);
        if (closed) return;
        mounted.set(name, module.mount(place, bus, strings, libraries));
      } catch (error) {
        place.textContent = strings("watch.broken", { why: error.message });
        console.error(error);
        return;
      }
    }
    if (shown === name) bus.send({ type: "look", part: name });
  }

  let closed = false;
  let heard = Date.now();
  let status = null;
  let silent = false;

  function receive(message) {
    if (message === null || typeof message !== "object") return;
    heard = Date.now();
    if (silent) {
      silent = false;
      bus.send({ type: "look", part: shown }); // what was missed
      note();
    }
    if (message.type === "status") {
      status = message;
      note();
    }
    for (const part of mounted.values()) part?.receive(message);
  }

  // What the reader has to know of where this comes from: nobody answers, the AWS has gone, or it comes later.
  function note() {
    const lost = silent || status?.connected === false;
    const sentence = silent ? strings("watch.silent") : (status?.sentence ?? "");
    root.dataset.lost = String(lost);
    if (notice.textContent !== sentence) {
      notice.textContent = visible(sentence);
      if (sentence) speech.say(visible(sentence));
    }
    notice.hidden = !sentence;
  }

  const watchdog = setInterval(() => {
    if (silent || Date.now() - heard < SILENCE_MS) return;
    silent = true;
    note();
  }, 1000);

  model.on("msg:custom", receive);
  el.append(root);
  if (parts.length) show([kept.part, model.get("show"), ...parts].find((name) => parts.includes(name)));

  return () => {
    closed = true;
    clearInterval(watchdog);
    model.off("msg:custom", receive);
    for (const part of mounted.values()) part?.close();
    speech.close();
    forgetTheme();
    root.remove();
  };
}

export default { render };
