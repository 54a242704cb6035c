// The game "show me a face": eight expressions in three rounds, each a burst of five frames of which each is checked by
// the server, and a look at what was taken. Gradio calls this once with `element` and `props`, together with camera.js
// (camera and connection), rounds.js (what is asked for) and screen.js (what the child sees), which stand before it in
// the same scope.

const COUNT = 900; // ms of each number of the countdown
const BETWEEN = 250; // ms between two frames
const TRY_FOR = 6_000; // ms without a good frame before the child is asked
const FINISH_WITHIN = 30_000; // ms; the server computes
const SETTLE = 400; // ms in which buttons that have just come take no tap: the second of two was meant for another
const CLOSING = ["unknown_code", "no_consent", "recording_disabled"];
const RESENT = ["connection", "busy", "server_trouble", "page_trouble"]; // the frame is not to blame: it is sent again

const camera = new Camera(video, () => watchCamera());

let memory = { code: "", skipped: {}, kept: [], dropped: [], open: null }; // what outlives a reload; the rest the server knows
let state = "loading", trouble = null, otherWords = "", cameraTrouble = null, watching = false;
let settling = false; // whether the buttons have only just come
let turn = 0; // counts changes of the state: what began before one and ends after it has nothing to say any more
let game = null; // the server's answer to teach/state; `bursts` grows with what the child found good
let burst = null, lastBurst = 0; // what is being taken
let wake = () => {};

// A wait that the network, the camera or the child may cut short.
const nap = (time) => new Promise((resolve) => {
  wake = resolve;
  setTimeout(resolve, time);
});

function storage(use) {
  try {
    return use(window.sessionStorage);
  } catch {
    return null; // a browser may forbid pages to keep anything
  }
}
const remember = () => storage((kept) => kept.setItem("calibration", JSON.stringify(memory)));

const address = (path, more = {}) => {
  const url = new URL(path, document.baseURI); // the page may live in a folder behind a proxy
  for (const [name, value] of Object.entries({ code: memory.code, ...more })) url.searchParams.set(name, value);
  return url;
};

// Asks until the server answers, and says what keeps it from that; null if the child went on meanwhile.
async function insist(url, patience) {
  const mine = turn;
  while (mine === turn) {
    const answer = await attempt(url, undefined, patience);
    if (mine !== turn) break;
    if (!RESENT.includes(answer.reason)) return answer;
    say(answer.reason);
    await nap(answer.wait || ASK_EVERY);
  }
  return null;
}

function enter(next) {
  state = next;
  trouble = null;
  turn += 1;
  const mine = turn;
  if (!ACTIVE.includes(state)) camera.stop();
  settling = true;
  setTimeout(() => {
    if (mine !== turn) return;
    settling = false;
    show();
  }, SETTLE);
  showShots();
  show();
  (buttons[MAIN[state]] || panel).focus();
  return mine;
}

// What is in the way: the key of a message, and the server's own words for one that this page does not know.
function say(key, sentence = "") {
  trouble = key;
  otherWords = sentence;
  show();
}

// Opens the camera and keeps trying while the game needs it. A camera that was refused for good refuses again without
// a question; one that was only dismissed would ask every few seconds, so there the child's button decides.
async function watchCamera() {
  show();
  if (watching) return;
  watching = true;
  while (ACTIVE.includes(state) && !camera.films) {
    try {
      if (!camera.isOpen) cameraTrouble = await camera.start();
    } catch (error) {
      cameraTrouble = troubleOf(error);
    }
    if (!ACTIVE.includes(state)) camera.stop();
    show();
    if (cameraTrouble === "camera_denied" && (await permissionOfCamera()) === "prompt") break;
    await (cameraTrouble ? nap(ASK_EVERY) : sleep(100));
  }
  watching = false;
  show();
}

function next() {
  const label = upcoming();
  if (label === null) {
    finish();
    return;
  }
  askFor(label);
}

function askFor(label) {
  lastBurst += 1;
  burst = { number: lastBurst, label, frames: 0, pictures: [], tries: 0, sent: false, flying: null };
  dots.replaceChildren(...empty(game.frames_per_burst));
  enter("prompt");
  watchCamera();
}

async function take() {
  let mine = enter("counting");
  for (let number = 3; number; number -= 1) {
    panel.dataset.count = number;
    find(".calibration-count").textContent = number;
    await sleep(COUNT);
    if (mine !== turn) return;
  }
  mine = enter("taking");
  let frame = null, since = performance.now();
  while (burst.frames < game.frames_per_burst) {
    const began = performance.now();
    if (document.hidden || !camera.films) { // nothing is taken of a child that looks elsewhere
      await sleep(BETWEEN);
      if (mine !== turn) return;
      since = performance.now();
      continue;
    }
    let answer;
    try {
      frame ||= { id: crypto.randomUUID(), picture: await camera.frame() };
      burst.sent = true;
      const { label, number } = burst;
      memory.open = number;
      remember();
      burst.flying = attempt(address("teach", { label, burst: number, id: frame.id, pending: true }), frame.picture);
      answer = await burst.flying;
    } catch (error) {
      answer = { reason: troubleOf(error) };
    }
    if (mine !== turn) return;
    if (answer.kept) {
      burst.frames = answer.frames ?? burst.frames + 1;
      burst.pictures.push(frame.picture);
    } else if (answer.reason === "burst_full" && burst.frames) {
      break;
    } else if (["burst_full", "other_label"].includes(answer.reason)) { // another tablet has taken this number
      lastBurst += 1;
      burst.number = lastBurst;
      continue;
    } else if (CLOSING.includes(answer.reason)) {
      shut(answer);
      return;
    }
    if (!answer.kept && performance.now() - since > TRY_FOR && !RESENT.includes(answer.reason)) {
      fail(answer);
      return;
    }
    say(answer.reason || null, answer.message || answer.error);
    if (RESENT.includes(answer.reason)) {
      await nap(answer.wait || ASK_EVERY);
      since = performance.now();
    } else {
      if (answer.kept) since = performance.now();
      frame = null;
      await sleep(BETWEEN - (performance.now() - began));
    }
    if (mine !== turn) return;
  }
  enter("review");
}

function fail({ reason, message, error }) {
  if (burst.frames >= LEAST) { // enough to learn from
    enter("review");
    return;
  }
  burst.tries += 1;
  enter("failed");
  say(reason || null, message || error);
}

// Only what the child has found good counts: the server is told so, again and again until it has heard it.
function keep() {
  game.bursts.push({ burst: burst.number, label: burst.label, frames: burst.frames });
  memory.kept.push(burst.number);
  memory.open = null;
  remember();
  confirmKept(burst.number, burst.flying);
}

async function confirmKept(number, before = null) {
  await tell("teach/keep", number, before);
  memory.kept = memory.kept.filter((one) => one !== number);
  remember();
}

// Takes a burst back, also when the connection is away now, and after a reload. A frame on its way arrives first.
function drop() {
  if (!burst.sent) return;
  memory.dropped.push(burst.number);
  memory.open = null;
  remember();
  takeBack(burst.number, burst.flying);
}

async function takeBack(number, before = null) {
  await tell("teach/undo", number, before);
  memory.dropped = memory.dropped.filter((one) => one !== number);
  remember();
}

const telling = new Set();
function tell(path, number, before = null) {
  const work = (async () => {
    await before;
    while (panel.isConnected) {
      const answer = await attempt(address(path, { burst: number }));
      if (!RESENT.includes(answer.reason)) break;
      await sleep(answer.wait || ASK_EVERY);
    }
  })();
  telling.add(work);
  work.finally(() => telling.delete(work));
  return work;
}

async function finish() {
  const mine = enter("saving");
  await Promise.race([Promise.all(telling), sleep(ANSWER_WITHIN)]);
  if (mine !== turn) return;
  const answer = await insist(address("teach/finish"), FINISH_WITHIN);
  if (!answer) return;
  if (CLOSING.includes(answer.reason)) {
    shut(answer);
    return;
  }
  game.enough = answer.enough;
  enter("thanks");
}

function shut(answer) {
  game = { ...game, open: false, reason: answer.reason, message: answer.message || answer.error };
  enter("closed");
}

async function load() {
  enter("loading");
  const answer = await insist(address("teach/state"));
  if (!answer) return;
  if (!answer.open) {
    shut(answer);
    return;
  }
  game = answer;
  if (memory.open !== null && memory.open !== undefined) { // left before the child had seen it
    memory.dropped.push(memory.open);
    memory.open = null;
    remember();
  }
  lastBurst = game.bursts.reduce((last, one) => Math.max(last, one.burst), Math.max(0, ...memory.dropped));
  game.bursts = game.bursts.filter(
    (one) => (one.counted || memory.kept.includes(one.burst)) && !memory.dropped.includes(one.burst),
  );
  if (!telling.size) {
    for (const number of memory.kept) confirmKept(number);
    for (const number of memory.dropped) takeBack(number);
  }
  enter("welcome");
}

const pressed = {
  start() {
    keepAwake();
    next();
  },
  resume() {
    keepAwake();
    next();
  },
  ready: take,
  retry: take,
  look: load,
  camera() {
    wake();
    watchCamera();
  },
  good() {
    keep();
    next();
  },
  redo() {
    drop();
    askFor(burst.label);
  },
  skip() {
    const { label } = burst;
    memory.skipped[label] = HARD.includes(label) ? game.bursts_per_label : (memory.skipped[label] || 0) + 1;
    remember();
    drop();
    next();
  },
  leave() {
    if (state === "review") keep();
    else if (ACTIVE.includes(state)) drop(); // the child stops: what it had not seen is not kept
    mayFallAsleep();
    if (isEnough()) finish();
    else enter("later");
  },
  close() {
    turn += 1;
    state = "closed";
    camera.stop();
    mayFallAsleep();
    storage((kept) => kept.removeItem("calibration"));
    document.documentElement.classList.remove("calibrating");
    for (const other of document.body.children) other.inert = false;
    panel.remove();
  },
};

function openPanel() {
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.getAttribute("aria-disabled") !== "true") pressed[button.name]();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.repeat && ["Enter", " "].includes(event.key)) event.preventDefault(); // a key that lies down is one press
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && state === "counting") enter("prompt");
    if (!document.hidden && ACTIVE.includes(state)) keepAwake();
  });
  navigator.mediaDevices?.addEventListener("devicechange", () => wake());
  window.addEventListener("online", () => wake());
  // Over everything, and out of Gradio's own element, so that all of the page besides it can be put aside.
  document.body.append(panel);
  for (const other of document.body.children) if (other !== panel) other.inert = true;
  document.documentElement.classList.add("calibrating");
  panel.hidden = false;
  const missing = missingInBrowser();
  if (missing.length) {
    console.error("The game needs what this browser does not have:", missing.join(", "));
    shut({ reason: "browser_old" });
    return;
  }
  load();
}

const given = window.calibrationCode; // of the address, which the site bar's script has cleared
const kept = storage((store) => JSON.parse(store.getItem("calibration")));
if (kept && (!given || kept.code === given)) memory = { ...memory, ...kept };
else memory.code = given;
if (memory.code) {
  remember();
  openPanel();
}
