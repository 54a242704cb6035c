"""Which of the two languages a visitor reads, on the server and in the browser, and the bar where it is switched."""

import json
import re
from collections.abc import Mapping
from typing import Protocol

LANGUAGES = ("en", "ru")
COOKIE = "language"


class HasHeaders(Protocol):
    """What is needed of a request; Gradio's and Starlette's both have it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""


def language_of(request: HasHeaders | None) -> str:
    """``en`` or ``ru``: the visitor's own choice (cookie), else the browser's order of languages, else English."""
    if request is None:
        return LANGUAGES[0]
    chosen = re.search(rf"(?:^|;)\s*{COOKIE}=(\w+)", request.headers.get("cookie") or "")
    if chosen and chosen[1] in LANGUAGES:
        return chosen[1]
    return preferred(request.headers.get("accept-language") or "")


def preferred(accept_language: str) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4); English when it names neither.

    Parts that cannot be read are passed over: the header comes from anybody.
    """
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:1000].split(",")):
        found = re.fullmatch(r"\s*([A-Za-z]{1,8})(?:-[\w-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", part)
        if found and found[1].lower() in LANGUAGES:
            weight = float(found[2] or 1)
            if weight > 0:
                ranked.append((-weight, place, found[1].lower()))
    return min(ranked)[2] if ranked else LANGUAGES[0]


BAR_TEXTS = {
    "en": {"station": "Station", "teacher": "Teacher", "language": "Language"},
    "ru": {"station": "Станция", "teacher": "Учитель", "language": "Язык"},
}

# Runs before Gradio's own modules (those are deferred): gr.I18n asks navigator.language, so the visitor's choice must
# stand there already. Without a choice the first of our languages in the browser's list counts, as on the server.
# The bar is put in front of Gradio's element, so that both pages have it and neither has to know of it. Its links are
# computed from the address, because behind a proxy the app may live in a folder.
HEAD = """
<script>
(() => {
  const languages = __LANGUAGES__, words = __WORDS__;
  const cookie = document.cookie.match(/(?:^|; )__COOKIE__=(\\w+)/);
  const asked = [cookie && cookie[1], ...(navigator.languages || [navigator.language])];
  const tags = asked.map((tag) => (tag || "").slice(0, 2).toLowerCase());
  const language = tags.find((tag) => languages.includes(tag)) || "en";
  for (const [name, value] of [["language", language], ["languages", [language]]])
    Object.defineProperty(Navigator.prototype, name, { get: () => value, configurable: true });
  document.documentElement.lang = language;
  const choose = (chosen) => {
    const site = location.protocol === "https:" ? "SameSite=None; Secure" : "SameSite=Lax";
    document.cookie = `__COOKIE__=${chosen}; path=/; max-age=31536000; ${site}`;
    location.reload();
  };
  document.addEventListener("DOMContentLoaded", () => {
    const onTeacher = /\\/teacher(\\/|$)/.test(location.pathname);
    const home = location.pathname.replace(/teacher(\\/.*)?$/, "").replace(/[^/]*$/, "");
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
</script>
<style>
.site-bar { display: flex; justify-content: space-between; align-items: center; gap: 1rem; width: 100%;
  max-width: 1280px; margin: 0 auto; padding: .25rem 1rem; box-sizing: border-box;
  font-family: "IBM Plex Sans", system-ui, sans-serif; }
.site-bar nav, .site-bar div { display: flex; gap: .25rem; }
.site-bar a, .site-bar button { display: inline-flex; align-items: center; justify-content: center; min-height: 44px;
  min-width: 44px; padding: 0 .75rem; border: 0; border-radius: 8px; background: none; color: inherit; font: inherit;
  text-decoration: none; cursor: pointer; }
.site-bar a[aria-current], .site-bar button[aria-pressed="true"] {
  font-weight: 700; background: rgb(127 127 127 / .18); }
.site-bar :focus-visible { outline: 3px solid #0072B2; outline-offset: 1px; }
.dark .site-bar, body.dark .site-bar { color: #f3f4f6; }
</style>
""".replace("__LANGUAGES__", json.dumps(LANGUAGES))
HEAD = HEAD.replace("__WORDS__", json.dumps(BAR_TEXTS, ensure_ascii=False)).replace("__COOKIE__", COOKIE)
