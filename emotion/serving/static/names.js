// Gradio leaves an empty result without what a screen reader needs: it has a name but no role.
(() => {
  const { words } = JSON.parse(document.currentScript.dataset.options);
  let waiting = false;
  const name = () => {
    waiting = false;
    const said = words[document.documentElement.lang] || Object.values(words)[0];
    document.querySelectorAll('[aria-label="Empty value"]').forEach((empty) => {
      empty.setAttribute("role", "img");
      empty.setAttribute("aria-label", said.empty);
    });
  };
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(name);
    }).observe(document.body, { childList: true, subtree: true });
  });
})();
