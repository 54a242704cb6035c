// The photograph of Try it: chosen, pasted, dropped or taken with the camera, sent to the server, and shown with its faces,
// each of which can be tapped. Gradio calls this once with `element` and `props`, together with camera.js (camera and
// connection), bars.js and overlay.js, which stand before it in the same scope.

const READ_WITHIN = 60_000; // ms; a large photograph on a slow line
const HEAD_ROOM = 0.12; // part of the picture's height that a label above a face needs

const language = document.documentElement.lang in props.texts ? document.documentElement.lang : "en";
const words = props.texts[language], names = props.names[language];
const panel = element.querySelector(".photo");
const find = (selector) => panel.querySelector(selector);
const video = find("video"), image = find(".face-picture img"), picker = find("input"), places = find(".photo-faces");
const buttons = Object.fromEntries([...panel.querySelectorAll("button")].map((button) => [button.name, button]));

for (const item of panel.querySelectorAll("[data-text]")) item.textContent = words[item.dataset.text];
video.setAttribute("aria-label", words.preview);
image.alt = words.photograph;
find(".photo-bars").setAttribute("aria-label", words.bars);

const camera = new Camera(video, () => rest("camera_lost"));
const bars = new Bars(find("tbody"), names, props.colours);
const station = window.crypto?.randomUUID?.() || ""; // tells the pages behind one address apart

let turn = 0; // counts what was asked for: what began before and ends after it has nothing to say any more
let file = null, answer = null, chosen = 0; // the photograph that is shown, what was read in it, and the face of the bars

function write(text) {
  const place = find(".photo-message");
  if (place.textContent !== text) place.textContent = text; // screen readers announce every change
}

// `trouble`: the key of what is in the way, or the server's own sentence.
function show(state, trouble = "", text = words[trouble] || trouble) {
  panel.dataset.state = state;
  panel.dataset.trouble = trouble;
  write(text);
  showChosen();
}

// Back to the photograph, or to none, from a camera or from what went wrong.
function rest(trouble = "") {
  turn += 1;
  camera.stop();
  setShape();
  if (trouble === "away") show(answer ? "read" : "empty", "", words.away);
  else if (trouble || !answer) show(answer ? "read" : "empty", trouble, words[trouble] || trouble || words.empty);
  else show("read", "", sentence());
}

function sentence() {
  const { faces, milliseconds } = answer;
  if (!faces.length) return words.no_face_found;
  const key = faces.length === 1 ? "one_face" : "many_faces";
  const note = faces[chosen].quality.overall < props.low_quality ? ` ${words.low_quality}` : "";
  return fill(words[key], { count: faces.length, milliseconds: Math.round(milliseconds) }) + note;
}

const setShape = () => {
  if (image.naturalWidth) image.parentElement.style.setProperty("--shape", Math.max(0.6, image.naturalWidth / image.naturalHeight));
};

// Bars and marks of the chosen face, and whether one can ask where the network looked.
function showChosen() {
  const face = panel.dataset.state === "read" && answer?.faces[chosen];
  bars.show(bars.keys.map((key) => (face ? face.probabilities[key] : 0)), face ? face.expression : "");
  panel.dataset.expression = face ? face.expression : "";
  [...places.children].forEach((place, index) => place.setAttribute("aria-pressed", String(index === chosen)));
  const looking = image.dataset.looking === "true";
  buttons.explain.hidden = !face || looking;
  buttons.back.hidden = find(".photo-legend").hidden = !face || !looking;
}

function showPicture(source, looking = false) {
  if (image.src.startsWith("blob:") && image.src !== source) URL.revokeObjectURL(image.src);
  image.dataset.looking = String(looking);
  image.hidden = false;
  image.src = source;
}

function markFaces() {
  const { faces, width, height } = answer;
  places.replaceChildren(...faces.map(({ box, expression, probabilities }, index) => {
    const place = document.createElement("button"), label = document.createElement("span");
    const [left, top, right, bottom] = box.map((value, i) => Math.min(1, Math.max(0, value / (i % 2 ? height : width))));
    const number = faces.length > 1 ? `${index + 1}  ` : "";
    label.textContent = `${number}${names[expression]} ${Math.round(100 * probabilities[expression])} %`;
    place.type = "button";
    place.name = "face";
    place.dataset.label = `${top > HEAD_ROOM ? "" : bottom < 1 - HEAD_ROOM ? "below" : "inside"} ${left > 0.5 ? "left" : ""}`;
    for (const [name, value] of [["left", left], ["top", top], ["width", right - left], ["height", bottom - top]])
      place.style[name] = `${100 * value}%`;
    place.style.setProperty("--own", props.colours[expression]);
    place.style.setProperty("--ink", inkOn(props.colours[expression]));
    place.append(label);
    return place;
  }));
}

const address = (path, more) => {
  const url = new URL(path, document.baseURI); // the page may live in a folder behind a proxy
  for (const [name, value] of Object.entries({ station, ...more })) url.searchParams.set(name, value);
  return url;
};

// The server's answer, asked for again while others are before; null where something else was asked for meanwhile.
async function insist(url, mine) {
  for (;;) {
    const told = await attempt(url, file, READ_WITHIN);
    if (mine !== turn) return null;
    if (told.reason !== "busy") return told;
    await sleep(told.wait || ASK_EVERY);
    if (mine !== turn) return null;
  }
}

async function read(photograph) {
  if (!photograph) return;
  if (photograph.size > props.most_bytes) {
    rest("too_large");
    return;
  }
  const mine = (turn += 1);
  camera.stop();
  file = photograph;
  answer = null;
  chosen = 0;
  places.replaceChildren();
  find(".photo-details").hidden = true;
  showPicture(URL.createObjectURL(photograph));
  show("reading", "", words.reading);
  find(".face-stage").scrollIntoView({ block: "nearest" }); // who chose an example below, on a phone, sees what it brings
  const told = await insist(address("photograph"), mine);
  if (!told) return;
  if (!told.faces) {
    file = null;
    image.hidden = true;
    show("empty", told.reason, told.error || words[told.reason] || words.server_trouble);
    return;
  }
  answer = told;
  markFaces();
  find("pre").textContent = JSON.stringify(told, null, 2);
  find(".photo-details").hidden = false;
  show("read", "", sentence());
  if (image.complete && !image.naturalWidth) drawn({}, false);
}

// The photograph as the server draws it: with where the network looked, or because this browser can't show its format.
async function drawn(more, looking) {
  const mine = (turn += 1);
  write(words.reading);
  const told = await insist(address("photograph/picture", more), mine);
  if (!told) return;
  if (told.picture) showPicture(told.picture, looking);
  rest(told.picture ? "" : told.error || told.reason);
}

async function openCamera() {
  rest();
  const missing = missingInBrowser(), mine = turn;
  if (missing.length) {
    console.error("The photograph needs what this browser does not have:", missing.join(", "));
    rest("browser_old");
    return;
  }
  show("opening", "", words.opening);
  let trouble;
  try {
    trouble = await camera.start();
  } catch (error) {
    trouble = troubleOf(error);
  }
  if (mine !== turn) return;
  if (trouble) {
    rest(trouble);
    buttons.start.focus({ preventScroll: true });
    return;
  }
  show("camera", "", words.ready);
  buttons.take.focus({ preventScroll: true }); // the button that was pressed has gone
}

const pressed = {
  choose: () => picker.click(),
  another: () => picker.click(),
  start: openCamera,
  stop() {
    rest();
    buttons.start.focus({ preventScroll: true });
  },
  async take() {
    if (!camera.films) return;
    const mine = turn, frame = await camera.frame();
    if (mine === turn) await read(frame);
    buttons.start.focus({ preventScroll: true });
  },
  explain: () => drawn({ face: chosen }, true),
  back() {
    showPicture(URL.createObjectURL(file));
    showChosen();
    buttons.explain.focus({ preventScroll: true });
  },
  face(place) {
    chosen = [...places.children].indexOf(place);
    if (image.dataset.looking === "true") showPicture(URL.createObjectURL(file));
    show("read", "", sentence());
  },
  async example({ dataset: { name } }) {
    const mine = (turn += 1);
    try {
      const response = await fetch(address("photograph/example", { name }));
      if (mine === turn) await read(await response.blob());
    } catch {
      if (mine === turn) rest("connection");
    }
  },
};

for (const [index, name] of props.examples.entries()) {
  const button = document.createElement("button"), small = new Image();
  button.type = "button";
  button.name = "example";
  button.dataset.name = name;
  small.src = address("photograph/example", { name });
  small.alt = fill(words.example, { number: index + 1 });
  button.append(small);
  find(".photo-examples").append(button);
}

panel.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) pressed[button.name](button);
});
picker.addEventListener("change", () => {
  read(picker.files[0]);
  picker.value = ""; // the same file may be chosen again
});
image.addEventListener("load", setShape);
image.addEventListener("error", () => {
  if (answer && image.src.startsWith("blob:")) drawn({}, false); // a format that the server reads and this browser does not
});
for (const kind of ["dragover", "dragleave", "drop"])
  panel.addEventListener(kind, (event) => {
    event.preventDefault();
    panel.toggleAttribute("data-dropping", kind === "dragover");
    if (kind === "drop") read(event.dataTransfer.files[0]);
  });
document.addEventListener("paste", (event) => {
  if (panel.clientWidth) read(event.clipboardData.files[0]);
});
whenOutOfSight(panel, () => {
  if (camera.isOpen || panel.dataset.state === "opening") rest("away");
});
show("empty", "", words.empty);
