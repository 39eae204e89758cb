// A page that is opened from a folder may start no worker, so the search's script runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      this.inside = frame.contentWindow;
      const base = new URL(address, document.baseURI);
      const load = (one) => new Promise((done, failed) => {
        const script = this.inside.document.createElement("script");
        script.src = new URL(one, base);
        script.onload = done;
        script.onerror = () => failed(new Error(`${script.src} can't be loaded`));
        this.inside.document.head.append(script);
      });
      this.inside.importScripts = (...addresses) =>
        addresses.reduce((before, one) => before.then(() => load(one)), Promise.resolve());
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.ready = load(base);
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      this.inside.frameElement.remove();
    }
  };
}
