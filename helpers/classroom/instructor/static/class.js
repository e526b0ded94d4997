// Shows what is new: asks for this page again, and takes over the parts of it that have changed.

const ASK_MS = 2000;
const lost = document.getElementById("lost");

function take(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.getElementById(old.id);
    if (!part || part.innerHTML === old.innerHTML) continue;
    const held = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceChildren(...part.childNodes);
    if (held) (document.getElementById(held) ?? document.getElementById("content")).focus({ preventScroll: true });
  }
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(3 * ASK_MS) });
      if (answer.redirected || answer.status === 404) location.reload(); // the class has ended, or what this shows is gone
      if (!answer.ok) throw new Error(answer.statusText);
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      lost.hidden = true;
    } catch {
      lost.textContent = lost.dataset.lost;
      lost.hidden = false;
    }
  }
  setTimeout(look, ASK_MS);
}
setTimeout(look, ASK_MS);
