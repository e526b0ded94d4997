// Which cells of a notebook have run since its kernel began: by what is sent to the kernel, whoever sends it.

export class Ran {
  constructor(sessionContext) {
    this.ids = new Set();
    this.running = new Map(); // what was sent to the kernel and is not answered yet: message, cell
    this.changed = () => {};
    const follow = () => this.follow(sessionContext.session?.kernel);
    sessionContext.kernelChanged.connect(follow);
    sessionContext.statusChanged.connect((_, status) => {
      if (status === "restarting" || status === "autorestarting") this.forget();
    });
    follow();
  }

  has(id) {
    return this.ids.has(id);
  }

  isRunning(id) {
    return [...this.running.values()].includes(id);
  }

  follow(kernel) {
    if (!kernel || kernel === this.kernel) return;
    this.kernel = kernel;
    this.running.clear();
    this.key = `workshop-ran-${kernel.id}`; // the page may be loaded again
    this.ids = new Set(JSON.parse(sessionStorage.getItem(this.key) ?? "[]"));
    kernel.anyMessage.connect((_, { msg, direction }) => {
      if (direction === "send" && msg.header.msg_type === "execute_request" && msg.metadata.cellId) {
        this.running.set(msg.header.msg_id, msg.metadata.cellId);
        this.add(msg.metadata.cellId);
      } else if (msg.header.msg_type === "execute_reply") {
        this.running.delete(msg.parent_header.msg_id);
        this.changed();
      }
    });
  }

  add(id) {
    this.ids.add(id);
    sessionStorage.setItem(this.key, JSON.stringify([...this.ids]));
    this.changed();
  }

  forget() {
    this.ids.clear();
    this.running.clear();
    if (this.key) sessionStorage.removeItem(this.key);
    this.changed();
  }
}
