// What the child sees of the game "show me a face": one screen for each state, with one main button. Reads the game's
// variables, which calibration.js declares in the same scope, and changes none of them.

const ACTIVE = ["prompt", "counting", "taking", "failed", "review"]; // where the camera is on
const MAIN = { welcome: "start", prompt: "ready", counting: "ready", taking: "ready", failed: "retry", review: "good",
  later: "close", thanks: "close", closed: "look" };

const language = document.documentElement.lang in props.texts ? document.documentElement.lang : "en";
const words = props.texts[language];
const panel = element.querySelector(".calibration");
const find = (selector) => panel.querySelector(selector);
const video = find("video"), dots = find(".calibration-dots"), shots = find(".calibration-shots");
const buttons = Object.fromEntries([...panel.querySelectorAll("button")].map((button) => [button.name, button]));

for (const item of panel.querySelectorAll("[data-text]")) item.textContent = words[item.dataset.text];
for (const [name, button] of Object.entries(buttons)) button.textContent = words[name];
video.setAttribute("aria-label", words.preview);

const empty = (count) => Array.from({ length: count }, () => document.createElement("i"));

function write(selector, text) {
  const place = find(selector);
  if (place.textContent !== text) place.textContent = text; // screen readers announce every change
}

// The text that stands for the state itself, where nothing is in the way.
function messageOf(state) {
  if (state === "closed") return words[game.reason] || game.message || words.server_trouble;
  return { welcome: words.welcome_message, thanks: "", later: "" }[state] ?? words[state];
}

function headingOf(state, label) {
  const key = label || { welcome: "hello", loading: "", saving: "" }[state];
  return fill(words[key ?? state] || "", game || {});
}

function hintOf(state, label) {
  if (label) return words[`${label}_hint`];
  const thanks = game?.enough ? "thanks_enough" : "thanks_little";
  return words[{ welcome: "welcome", thanks, later: "later_hint" }[state]] || "";
}

function show() {
  const active = ACTIVE.includes(state), label = active ? burst.label : "";
  const inWay = (active && state !== "review" && cameraTrouble) || trouble || "";
  Object.assign(panel.dataset, { state, label, trouble: inWay, frames: burst ? burst.frames : 0 });
  panel.dataset.camera = camera.films ? "on" : "off";
  write(".calibration-message", inWay ? words[inWay] || otherWords || words.failed : messageOf(state));
  write(".calibration-word", headingOf(state, label));
  write(".calibration-hint", hintOf(state, label));
  const drawing = find(".calibration-drawing"), face = label || { later: "neutral", closed: "neutral" }[state] || "happy";
  if (drawing.dataset.label !== face) {
    drawing.dataset.label = face;
    drawing.innerHTML = props.drawings[face];
  }
  [...dots.children].forEach((dot, index) => dot.classList.toggle("full", index < burst.frames));
  showButtons(inWay);
  if (game?.open) showStars();
}

function showButtons(inWay) {
  const over = ["thanks", "later", "closed"].includes(state), waiting = ["loading", "saving"].includes(state);
  const visible = {
    leave: !over && !waiting,
    redo: state === "review",
    skip: maySkip(),
    camera: inWay === "camera_denied",
    resume: ["thanks", "later"].includes(state) && upcoming() !== null,
    close: over || (waiting && inWay),
  };
  for (const [name, button] of Object.entries(buttons)) {
    const waits = name === "ready" && (state !== "prompt" || !camera.films);
    button.hidden = !(visible[name] ?? MAIN[state] === name);
    button.classList.toggle("calibration-main", MAIN[state] === name);
    button.classList.toggle("calibration-waits", waits);
    button.setAttribute("aria-disabled", String(waits || settling));
  }
}

function showStars() {
  const stars = find(".calibration-stars"), all = game.bursts_per_label * ROUNDS[0].length;
  const passed = ROUNDS[0].reduce((sum, label) => sum + Math.min(game.bursts_per_label, done(label)), 0);
  if (stars.children.length !== all) stars.replaceChildren(...empty(all));
  [...stars.children].forEach((star, index) => star.classList.toggle("full", index < passed));
  stars.setAttribute("aria-label", fill(words.progress, { done: passed, all }));
}

// The pictures live in the page's memory only, and only while they are looked at.
function showShots() {
  for (const picture of shots.children) URL.revokeObjectURL(picture.src);
  shots.replaceChildren();
  if (state !== "review") return;
  burst.pictures.forEach((blob, index) => {
    const picture = new Image();
    picture.src = URL.createObjectURL(blob);
    picture.alt = fill(words.picture, { number: index + 1 });
    shots.append(picture);
  });
}
