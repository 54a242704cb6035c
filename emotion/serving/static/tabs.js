// The arrow keys, Home and End move between the tabs of a row, as a keyboard expects of tabs.
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.('[role="tab"]');
  if (!tab || event.altKey || event.ctrlKey || event.metaKey) return;
  const row = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')].filter((other) => other.checkVisibility());
  const place = row.indexOf(tab);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: row.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const chosen = row[(next + row.length) % row.length];
  chosen.focus();
  chosen.click();
});
