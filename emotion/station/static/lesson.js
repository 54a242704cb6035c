// The lesson panel: one frame at a time to the server, and a message for whatever is in the way. Gradio calls this once
// with `element` and `props`, the texts by language and the frames a second to begin with, together with camera.js (camera
// and connection), animal.js and memory.js, which stand before it in the same scope.

const NO_FACE_AFTER = 10_000; // ms; shorter absences are a look at the desk

const language = document.documentElement.lang in props.texts ? document.documentElement.lang : "en";
const words = props.texts[language];
const find = (selector) => element.querySelector(selector);
const panel = find(".lesson"), form = find("form"), video = find("video"), message = find(".lesson-message");
const button = Object.fromEntries(
  ["other", "pause", "resume", "again", "here", "stop"].map((name) => [name, find(`button[name="${name}"]`)]),
);
const rate = find("select");

for (const item of element.querySelectorAll("[data-text]")) item.textContent = words[item.dataset.text];
video.setAttribute("aria-label", words.preview);
if (![...rate.options].some((option) => Number(option.value) === props.frames_per_second))
  rate.add(new Option(props.frames_per_second), 0);
rate.value = String(props.frames_per_second);
// Of the address, which the site bar's script has cleared.
form.lesson.value = window.lessonCode;
form.child.value = window.childCode;

const missing = missingInBrowser(); // told as such, never as a lost connection
if (missing.length) console.error("The lesson panel needs what this browser does not have:", missing.join(", "));

// Which tablet this is, so that a second one with the same code is noticed: the same after the page was loaded again.
function nameOfTablet() {
  const fresh = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return storage((kept) => (kept.tablet ||= fresh)) || fresh;
}
const tablet = missing.length ? "" : nameOfTablet();

// What the panel is doing (`state`) and what is in its way (`trouble`, the key of a message, or null).
const camera = new Camera(video, () => { // plugging in again is noticed by the next attempt
  if (state === "recording") say("camera_missing");
});
let state = "form", trouble = null, note = null, timer = 0, inFlight = false, faceSeen = 0;

// What of the codes needs no typing: "both", "child" or nothing. A child that is known sees its animal instead.
function showCodes(animal) {
  panel.dataset.known = !animal ? "" : form.lesson.value.trim() ? "both" : "child";
  if (!animal) return;
  find(".lesson-name").textContent = props.animals[animal].names[language];
  drawAnimal(find(".lesson-animal"), animal);
}

function show() {
  holdPage(state !== "form");
  if (state === "form") forget();
  else if (state !== "starting")
    remember({ lesson: form.lesson.value, child: form.child.value, rate: rate.value, paused: state === "paused" });
  panel.dataset.state = state;
  panel.dataset.trouble = trouble || "";
  const key = trouble || note || { form: "ready", starting: "starting", recording: "recording", paused: "paused" }[state];
  // Screen readers announce every change of this text, so it is only touched when it changes.
  if (message.dataset.key !== key) {
    message.dataset.key = key;
    message.textContent = words[key];
  }
  button.pause.hidden = state === "paused";
  button.resume.hidden = state !== "paused";
  button.again.hidden = trouble !== "camera_denied";
  button.here.hidden = trouble !== "other_tablet";
}

function say(newTrouble, newNote = null) {
  trouble = newTrouble;
  note = newNote;
  show();
}

const address = (path, more = {}) => {
  // The page may live in a folder behind a proxy; the routes are its neighbours.
  const url = new URL(path, document.baseURI);
  url.searchParams.set("lesson", form.lesson.value.trim());
  url.searchParams.set("child", form.child.value.trim());
  url.searchParams.set("station", tablet);
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  return url;
};

async function openCamera() {
  const failed = await camera.start();
  if (state === "form") camera.stop(); // stopped while the browser was asking
  faceSeen = performance.now();
  return failed;
}

// Returns after how many ms to come back. Never called while it runs: frames are dropped, not queued.
async function step() {
  const period = 1000 / Number(rate.value);
  if (trouble === "other_tablet") return ASK_EVERY; // the child decides, with a button
  // A camera that was refused for good refuses again without a question; one that was only dismissed would ask again
  // every few seconds, so there the child's button decides.
  if (!camera.isOpen) {
    if (trouble === "camera_denied" && (await permissionOfCamera()) === "prompt") return ASK_EVERY;
    const failed = await openCamera();
    if (state !== "recording") return period;
    say(failed);
    if (failed) return ASK_EVERY;
  }
  if (["no_consent", "unknown_lesson", "unknown_child", "recording_disabled"].includes(trouble)) {
    const answer = await ask(address("admission"));
    if (state !== "recording") return period;
    if (!answer.admitted) return react(answer, period);
    say(null);
  }
  if (!camera.films) return 100;
  const answer = await ask(address("observe"), await camera.frame());
  return state === "recording" ? react(answer, period) : period;
}

function react(answer, period) {
  const now = performance.now();
  if (answer.recorded) {
    if (answer.faces_seen > 0) faceSeen = now;
    if (answer.faces_seen > 1) say("second_face");
    else if (now - faceSeen >= NO_FACE_AFTER) say("no_face");
    else say(null);
    return period;
  }
  if (answer.reason === "lesson_ended") {
    finish("lesson_ended");
    return period;
  }
  if (answer.reason === "replaced") return period;
  if (answer.reason === "other_tablet") camera.stop();
  say(answer.reason in words ? answer.reason : "server_trouble");
  return Math.max(period, answer.wait || ASK_EVERY);
}

async function run() {
  clearTimeout(timer);
  if (state !== "recording" || inFlight) return;
  inFlight = true;
  const began = performance.now();
  let wait = ASK_EVERY;
  try {
    wait = await step();
  } catch (error) {
    const key = troubleOf(error);
    if (state === "recording") say(key);
  } finally {
    inFlight = false;
  }
  if (state === "recording") timer = setTimeout(run, Math.max(0, wait - (performance.now() - began)));
}

async function begin() {
  if (missing.length) {
    say("browser_old");
    return;
  }
  if (!form.lesson.value.trim() || !form.child.value.trim()) {
    say("need_codes");
    (form.lesson.value.trim() ? form.child : form.lesson).focus();
    return;
  }
  if (!form.consent.checked) {
    say("need_consent");
    form.consent.focus();
    return;
  }
  state = "starting";
  say(null);
  const answer = await attempt(address("admission"));
  if (state !== "starting") return;
  // Codes can be corrected only in the form; consent and the connection may come later, so the panel waits for them.
  if (!answer.admitted && ["unknown_lesson", "unknown_child", "recording_disabled", "lesson_ended"].includes(answer.reason)) {
    if (answer.reason === "lesson_ended" && recall()) { // it was recorded here before the page was loaded again
      finish("lesson_ended");
      return;
    }
    state = "form";
    showCodes(null);
    say(answer.reason);
    return;
  }
  state = "recording";
  say(answer.admitted ? null : answer.reason);
  keepAwake();
  (trouble === "other_tablet" ? button.here : button.pause).focus();
  run();
}

// After a reload in a lesson: goes on by itself where the browser allows the camera without asking, else by one button.
async function comeBack({ lesson, child, rate: framesPerSecond, paused }) {
  form.lesson.value = lesson;
  form.child.value = child;
  form.consent.checked = true;
  rate.value = framesPerSecond;
  state = "paused";
  say(null, paused ? null : "came_back");
  button.resume.focus();
  if (!paused && (await permissionOfCamera()) === "granted" && state === "paused") begin();
}

// The next child starts clean: nothing of this one stays on the page or in the browser.
function finish(reason) {
  state = "form";
  form.reset();
  window.lessonCode = window.childCode = "";
  showCodes(null);
  clearTimeout(timer);
  camera.stop();
  mayFallAsleep();
  say(null, reason);
  find(".lesson-main").focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
button.other.addEventListener("click", () => {
  form.child.value = window.childCode = "";
  showCodes(null);
  form.child.focus();
});
button.pause.addEventListener("click", () => {
  state = "paused";
  clearTimeout(timer);
  camera.stop();
  say(null);
  button.resume.focus();
});
button.resume.addEventListener("click", () => {
  state = "recording";
  say(null);
  button.pause.focus();
  keepAwake();
  run();
});
button.again.addEventListener("click", async () => {
  let failed;
  try {
    failed = await openCamera();
  } catch (error) {
    failed = troubleOf(error);
  }
  if (state === "recording") say(failed);
  run();
});
button.here.addEventListener("click", async () => {
  const answer = await attempt(address("admission", { take: "true" }));
  if (state !== "recording") return;
  // Where the connection failed the question stays: nobody knows yet who sits where.
  if (answer.admitted || (answer.reason in words && answer.reason !== "connection")) {
    say(answer.admitted ? null : answer.reason);
    button.pause.focus();
    run();
  }
});
button.stop.addEventListener("click", () => finish("stopped"));
rate.addEventListener("change", run);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && state === "recording") keepAwake();
});
navigator.mediaDevices?.addEventListener("devicechange", () => {
  if (state === "recording" && !camera.isOpen) run();
});
window.addEventListener("online", () => {
  if (trouble === "connection") run();
});
const kept = window.lessonCode || window.childCode ? null : recall();
if (kept) {
  showCodes(null);
  comeBack(kept);
} else {
  showCodes(animalOf(form.child.value));
  show();
}
