// What the presenter page does beyond its forms: follows the projector, ticks, copies, and goes on by keys.

const now = document.getElementById("now");
const said = document.getElementById("said");
const lost = document.getElementById("lost");
const TICK_MS = 1000;
const AGAIN_MS = 3000;
const CLASS_MS = 5000;

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(40_000) });
  if (!answer.ok) throw new Error(await answer.text());
  lost.hidden = true;
  return answer.json();
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function follow() {
  let version = document.body.dataset.version;
  let shown = null;
  for (;;) {
    try {
      const told = await ask(`now?after=${version}`);
      if (String(told.version) !== version) {
        version = String(told.version);
        now.innerHTML = told.html;
        document.title = told.title;
        if (told.at !== shown) window.scrollTo(0, 0);
        shown = told.at;
        prepare();
      }
    } catch {
      lost.textContent = lost.dataset.lost;
      lost.hidden = false;
      await sleep(AGAIN_MS);
    }
  }
}

async function tick() {
  for (;;) {
    try {
      const told = await ask("clock");
      const show = (id, text) => {
        const node = document.getElementById(id);
        if (node.textContent !== text) node.textContent = text;
      };
      show("clock-all", told.all);
      show("clock-section", told.section);
      show("clock-pace", told.pace);
      show("clock-ends", told.ends);
      document.getElementById("clock-pace").className = told.is;
    } catch {
      await sleep(AGAIN_MS);
    }
    await sleep(TICK_MS);
  }
}

// Where the class is changes by itself.
async function look() {
  for (;;) {
    await sleep(CLASS_MS);
    try {
      const told = await fetch("class", { cache: "no-store" });
      if (told.ok) document.getElementById("class").innerHTML = await told.text();
    } catch {} // follow() says it
  }
}

function prepare() {
  for (const button of now.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button.closest(".cell").querySelector("pre")));
  }
}

async function copy(text) {
  let told = said.dataset.copied;
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text); // the browser does not let a page copy
    told = said.dataset.selected;
  }
  said.textContent = "";
  said.textContent = told;
}

async function send(form, submitter) {
  const told = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body: told });
  if (answer.status === 403) location.reload(); // it was started anew
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.submitter).catch(() => {}); // follow() says it
});

// A clicker may be plugged into this screen's machine, too.
document.addEventListener("keydown", (event) => {
  const step = { PageDown: "next", PageUp: "back" }[event.key];
  if (!step || event.ctrlKey || event.altKey || event.shiftKey || event.metaKey) return;
  event.preventDefault();
  document.querySelector(`header button.${step}`).click();
});

prepare();
follow();
tick();
look();
