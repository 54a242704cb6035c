// Gradio leaves two of its parts without what a screen reader needs: the pictures to choose from are buttons without a
// name, and an empty result has a name but no role.
(() => {
  const { words } = JSON.parse(document.currentScript.dataset.options);
  let waiting = false;
  const name = () => {
    waiting = false;
    const said = words[document.documentElement.lang] || Object.values(words)[0];
    document.querySelectorAll("button.gallery-item:not([aria-label])").forEach((button) => {
      const place = [...button.parentElement.querySelectorAll("button.gallery-item")].indexOf(button);
      button.setAttribute("aria-label", `${said.example} ${place + 1}`);
    });
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
