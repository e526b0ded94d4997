// What a page does beyond its forms: copies a cell, sends a form once, and says when the console has gone.

const root = document.body.dataset.root;
const said = document.getElementById("said");
const lost = document.getElementById("lost");
const ASK_MS = 3000;

function say(text) {
  said.textContent = "";
  said.textContent = text;
}

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest(".cell").querySelector("pre").textContent);
    say(button.dataset.copied);
  });
}

// A button is pressed once: AWS may take a while.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") event.preventDefault();
    form.setAttribute("aria-busy", "true");
    say(said.dataset.working);
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form")) form.removeAttribute("aria-busy"); // by the button Back
});

// What came of a click is read first.
document.getElementById("notice")?.focus({ preventScroll: false });

async function answers() {
  try {
    return (await fetch(`${root}alive`, { cache: "no-store", signal: AbortSignal.timeout(ASK_MS) })).ok;
  } catch {
    return false;
  }
}

let isLost = false;
async function look() {
  if (!document.hidden || isLost) {
    // Twice: Firefox ends what a page has asked when one of its forms is sent, though the page stays until the answer.
    const there = (await answers()) || (await answers());
    if (!there && !isLost) {
      isLost = true;
      lost.textContent = lost.dataset.lost;
      lost.hidden = false;
    } else if (there && isLost) {
      isLost = false;
      lost.hidden = true;
      say(lost.dataset.back);
    }
  }
  setTimeout(look, ASK_MS);
}
setTimeout(look, ASK_MS);
