// The language of the page, and the bar on top of it where language and page are chosen.
//
// Runs before Gradio's own modules (those are deferred): gr.I18n asks navigator.language, so the visitor's choice must
// stand there already. Without a choice the first of our languages in the browser's list counts, as on the server.
// The bar is put in front of Gradio's element, so that both pages have it and neither has to know of it. Its links are
// computed from the address, because behind a proxy the app may live in a folder.
//
// Codes are taken out of the address before anything else: who looks over a shoulder can read it, and the browser's
// history shows it. There a page that sends on at once leaves no line, and one that only changes its address does.
// They go through the tab's own storage into `window.lessonCode`, `window.childCode` and, of the game "show me a face",
// `window.calibrationCode`, for the page; the same way lesson and child outlive a change of language.
(() => {
  const address = new URL(location.href);
  let storage = null;
  try {
    storage = window.sessionStorage;
  } catch {
    // a browser may forbid pages to keep anything
  }
  const codes = { lesson: "lessonCode", child: "childCode", calibration: "calibrationCode" };
  const handOver = (names) => names.forEach((name) => storage?.setItem(name, window[name]));
  const names = Object.values(codes);
  if (Object.keys(codes).some((name) => address.searchParams.has(name))) {
    for (const [name, given] of Object.entries(codes)) {
      window[given] = address.searchParams.get(name) || "";
      address.searchParams.delete(name);
    }
    handOver(names);
    if (storage) location.replace(address);
    else history.replaceState(history.state, "", address);
  } else {
    for (const name of names) {
      window[name] = storage?.getItem(name) || "";
      storage?.removeItem(name);
    }
  }
  const { languages, words, cookie_name } = JSON.parse(document.currentScript.dataset.options);
  const cookie = document.cookie.match(new RegExp(`(?:^|; )${cookie_name}=(\\w+)`));
  const asked = [cookie && cookie[1], ...(navigator.languages || [navigator.language])];
  const tags = asked.map((tag) => (tag || "").slice(0, 2).toLowerCase());
  const language = tags.find((tag) => languages.includes(tag)) || "en";
  for (const [name, value] of [["language", language], ["languages", [language]]])
    Object.defineProperty(Navigator.prototype, name, { get: () => value, configurable: true });
  document.documentElement.lang = language;
  const choose = (chosen) => {
    const site = location.protocol === "https:" ? "SameSite=None; Secure" : "SameSite=Lax";
    document.cookie = `${cookie_name}=${chosen}; path=/; max-age=31536000; ${site}`;
    handOver(["lessonCode", "childCode"]);
    location.reload();
  };
  document.addEventListener("DOMContentLoaded", () => {
    const onTeacher = /\/teacher(\/|$)/.test(location.pathname);
    const home = location.pathname.replace(/teacher(\/.*)?$/, "").replace(/[^/]*$/, "");
    const bar = document.createElement("header");
    bar.className = "site-bar";
    const pages = document.createElement("nav");
    for (const [key, address, here] of [["station", home, !onTeacher], ["teacher", home + "teacher/", onTeacher]]) {
      const link = document.createElement("a");
      link.href = address;
      link.textContent = words[language][key];
      if (here) link.setAttribute("aria-current", "page");
      pages.append(link);
    }
    const choice = document.createElement("div");
    choice.setAttribute("role", "group");
    choice.setAttribute("aria-label", words[language].language);
    for (const tag of languages) {
      const button = document.createElement("button");
      button.type = "button";
      button.lang = tag;
      button.textContent = tag.toUpperCase();
      button.setAttribute("aria-pressed", String(tag === language));
      button.addEventListener("click", () => choose(tag));
      choice.append(button);
    }
    bar.append(pages, choice);
    document.body.prepend(bar);
  });
})();
