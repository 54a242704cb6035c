// The live mode of Try it: the camera's newest frame goes to the server, its answer onto the page, and then the next one.
// Gradio calls this once with `element` and `props`, together with camera.js (camera and connection), bars.js, overlay.js
// and timeline.js, which stand before it in the same scope.

const EVERY = 175; // ms between two frames: the server takes six a second from one address
const SLOWEST = 1_000; // ms between them where many people share an address
const WITHOUT_FACE = 1_000; // ms without a face before it is said
const HINT = 2_500; // ms for which a hint on the face stays, so that it can be read
const MEASURED = 3_000; // ms over which the speed is measured
const TOLD = 1_000; // ms between two statements of the speed
const SUMMARY = 5_000; // ms between two summaries of the timeline

const language = document.documentElement.lang in props.texts ? document.documentElement.lang : "en";
const words = props.texts[language], names = props.names[language];
const panel = element.querySelector(".live");
const find = (selector) => panel.querySelector(selector);
const video = find("video");

for (const item of panel.querySelectorAll("[data-text]")) item.textContent = words[item.dataset.text];
video.setAttribute("aria-label", words.preview);
find(".live-bars").setAttribute("aria-label", words.bars);

const camera = new Camera(video, () => stop("camera_lost"));
const bars = new Bars(find(".live-bars tbody"), names, props.colours);
const overlay = new Overlay(find(".live-marks"));
const timeline = new Timeline(find(".live-timeline"), props.colours, words);

let turn = 0; // counts starts and stops: what began before one and ends after it has nothing to say any more
let answered = []; // { at, took, server } of the last answers, in ms
let lastFace = 0, lastSpeed = 0, lastSummary = 0, hint = null, hintAt = 0;

function write(selector, text) {
  const place = find(selector);
  if (place.textContent !== text) place.textContent = text; // screen readers announce every change
}

// `trouble`: the key of what is in the way. Hints on the face are no trouble.
function show(state, trouble = null, message = words[trouble || state]) {
  panel.dataset.state = state;
  panel.dataset.trouble = trouble || "";
  write(".live-message", message);
}

async function start() {
  stop();
  const missing = missingInBrowser(), mine = turn;
  if (missing.length) {
    console.error("The live mode needs what this browser does not have:", missing.join(", "));
    show("off", "browser_old");
    return;
  }
  show("opening");
  let trouble;
  try {
    trouble = await camera.start();
  } catch (error) {
    trouble = troubleOf(error);
  }
  if (mine !== turn) return;
  if (trouble) {
    stop(trouble);
    return;
  }
  show("on");
  find('button[name="stop"]').focus({ preventScroll: true }); // the button that was pressed has gone
  keepAwake();
  animate(mine);
  watch(mine);
}

// `reason`: why, if nobody pressed the button.
function stop(reason = null) {
  const hadFocus = panel.contains(document.activeElement);
  turn += 1;
  camera.stop();
  mayFallAsleep();
  overlay.clear();
  answered = [];
  hint = null;
  panel.dataset.seen = panel.dataset.expression = "";
  write(".live-speed", "");
  show("off", reason === "away" ? null : reason, words[reason || "off"]);
  if (hadFocus) find('button[name="start"]').focus({ preventScroll: true });
}

async function watch(mine) {
  const address = new URL("live", document.baseURI); // the page may live in a folder behind a proxy
  address.searchParams.set("station", crypto.randomUUID());
  let every = EVERY;
  lastFace = performance.now();
  while (mine === turn) {
    const began = performance.now();
    if (!camera.films) {
      await sleep(50);
      continue;
    }
    let answer;
    try {
      answer = await ask(address, await camera.frame());
    } catch (error) {
      answer = { reason: troubleOf(error) };
    }
    if (mine !== turn) return;
    const now = performance.now();
    if (answer.faces) {
      every = Math.max(EVERY, 0.98 * every);
      receive(answer, now, now - began);
      await sleep(every - (performance.now() - began));
      continue;
    }
    if (answer.reason === "busy") every = Math.min(SLOWEST, 1.5 * every);
    if (answer.reason !== "replaced") await interrupted(answer, mine);
  }
}

async function interrupted({ reason, wait }, mine) {
  panel.dataset.seen = panel.dataset.expression = "";
  overlay.clear();
  show("on", words[reason] ? reason : "server_trouble");
  for (const until = performance.now() + (wait || ASK_EVERY); mine === turn && performance.now() < until; ) await sleep(50);
}

function receive({ faces: [face], faces_seen, width, height, milliseconds }, now, took) {
  panel.dataset.answers = Number(panel.dataset.answers) + 1;
  answered = [...answered.filter(({ at }) => now - at < MEASURED), { at: now, took, server: milliseconds }];
  panel.dataset.seen = String(Boolean(face));
  if (face) {
    lastFace = now;
    const values = bars.follow(face.probabilities, now), { top } = bars;
    const parts = face.box.map((value, i) => value / (i % 2 ? height : width));
    const percent = Math.round(100 * values[bars.keys.indexOf(top)]);
    overlay.aim(parts, `${names[top]} ${percent} %`, props.colours[top], now);
    timeline.add(now, values);
    panel.dataset.expression = top;
  } else {
    overlay.aim(null);
    timeline.add(now, null);
    panel.dataset.expression = "";
  }
  advise(face, faces_seen, now);
  if (now - lastSpeed > TOLD) showSpeed(now);
}

function advise(face, count, now) {
  let next = null;
  if (!face) next = now - lastFace > WITHOUT_FACE ? "no_face" : hint;
  else if (face.quality < props.low_quality) next = "poor_face";
  else if (count > 1) next = "more_faces";
  if (next === null && hint && hint !== "no_face" && now - hintAt < HINT) return;
  if (next !== null) hintAt = now;
  hint = next;
  show("on", null, hint ? fill(words[hint], { count }) : words.on);
}

function showSpeed(now) {
  if (answered.length < 3) return;
  lastSpeed = now;
  const span = answered.at(-1).at - answered[0].at;
  const mean = (name) => Math.round(answered.reduce((sum, one) => sum + one[name], 0) / answered.length);
  const rate = ((1000 * (answered.length - 1)) / span).toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  write(".live-speed", fill(words.speed, { rate, milliseconds: mean("took"), server: mean("server") }));
}

function summarise(now) {
  const means = timeline.means(now);
  const shares = means && bars.keys.map((key, i) => [means[i], names[key]]).sort(([a], [b]) => b - a).slice(0, 3)
    .filter(([mean]) => mean >= 0.005).map(([mean, name]) => `${name} ${Math.round(100 * mean)} %`).join(", ");
  const text = shares ? fill(words.timeline_summary, { shares }) : words.timeline_empty;
  write(".live-summary", text);
  find(".live-timeline").setAttribute("aria-label", `${words.last_minutes}: ${text}`);
}

// The box glides at the screen's own pace; the timeline need not.
function animate(mine) {
  let drawn = 0;
  const step = () => {
    if (mine !== turn) return;
    const now = performance.now();
    overlay.draw(now);
    if (now - drawn > 100) {
      drawn = now;
      timeline.draw(now);
    }
    if (now - lastSummary > SUMMARY) {
      lastSummary = now;
      summarise(now);
    }
    requestAnimationFrame(step);
  };
  step();
}

panel.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) ({ start, stop: () => stop() })[button.name]();
});
whenOutOfSight(panel, () => {
  if (panel.dataset.state !== "off") stop("away");
});
new ResizeObserver(() => {
  if (panel.clientWidth && panel.dataset.state === "off") timeline.draw(performance.now());
}).observe(panel);
show("off");
summarise(0);
