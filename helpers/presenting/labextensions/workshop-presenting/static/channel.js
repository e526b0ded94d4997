// Speaks with the presenter page, by way of the Jupyter server that serves this page (helpers/presenting/projector.py).

const AGAIN_MS = 2000;

export class Channel {
  constructor(settings) {
    this.settings = settings;
  }

  /** What is presented: {steps: [{path, heading, title}], at}. */
  plan() {
    return this.ask("plan");
  }

  /** Say what is on the projector. Where nobody hears it, the page is not needed. */
  async tell(shown) {
    try {
      await this.ask("shown", shown);
    } catch (error) {
      console.warn("The presenter page does not answer.", error);
    }
  }

  /** Give what the buttons of the presenter page ask for to `perform`, for ever. */
  async listen(perform) {
    let after = null;
    for (;;) {
      try {
        const asked = await this.ask(after === null ? "asked" : `asked?after=${after}`);
        if (after !== null && asked.number > after) perform(asked);
        after = asked.number;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async ask(what, body) {
    const { baseUrl, token, fetch } = this.settings;
    const headers = { "X-XSRFToken": cookie("_xsrf") };
    if (token) headers.Authorization = `token ${token}`;
    const init = { headers, method: body ? "POST" : "GET", body: body && JSON.stringify(body), cache: "no-store" };
    const answer = await fetch(new Request(`${baseUrl}presenting/${what}`, init));
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

function cookie(name) {
  return document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1] ?? "";
}
