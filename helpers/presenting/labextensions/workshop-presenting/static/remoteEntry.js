// How JupyterLab loads an extension that is plain ES modules, without a build: a webpack container, written by hand.
// https://jupyterlab.readthedocs.io/en/stable/extension/extension_dev.html#prebuilt-extensions

(() => {
  const here = document.currentScript.src;
  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["workshop-presenting"] = {
    init: () => {}, // it takes no module of JupyterLab's
    get: async () => {
      const { plugin } = await import(new URL("presenting.js", here));
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
