// The page Live: gives the picture of helpers/watch the model that it has in Jupyter, over a WebSocket.
// It connects again by itself; the picture says meanwhile that nobody answers.

import picture from "../watch/watch.js";

const place = document.getElementById("picture");
const AGAIN_MS = 2000;

const state = {
  modules: JSON.parse(place.dataset.modules),
  strings: JSON.parse(place.dataset.strings),
  show: place.dataset.part,
};
const listeners = new Set();
let socket = null;
let looked = ""; // what this page looks at, for each new session

function connect() {
  const address = new URL(`${document.body.dataset.root}live-socket`, document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  if (place.dataset.function) address.searchParams.set("function", place.dataset.function);
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    if (looked) socket.send(looked);
  });
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    for (const listener of listeners) listener(message);
  });
  socket.addEventListener("close", () => setTimeout(connect, AGAIN_MS));
}

const model = {
  get: (name) => state[name],
  on: (event, listener) => event === "msg:custom" && listeners.add(listener),
  off: (event, listener) => listeners.delete(listener),
  send(message) {
    const text = JSON.stringify(message);
    if (message.type === "look") looked = text;
    if (socket?.readyState === WebSocket.OPEN) socket.send(text); // a button that nobody hears is not pressed later
  },
};

connect();
picture.render({ model, el: place });
