// A camera before which somebody sits, and questions to the server over a connection that may fail. Panels put this file
// before their own scripts, in one scope.

const LONGEST = { width: 640, height: 480 }; // what a face detector needs of a child in front of a tablet
const JPEG_QUALITY = 0.85;
const ANSWER_WITHIN = 10_000; // ms; later than that the connection counts as lost
const ASK_EVERY = 3_000; // ms between attempts to get back what is missing
// What a browser calls a camera that it does not open, and our message; whatever else it says, there is none to open.
const TROUBLES = {
  NotAllowedError: "camera_denied",
  SecurityError: "camera_denied",
  NotReadableError: "camera_busy", // another program has it
  AbortError: "camera_busy",
};

const sleep = (time) => new Promise((resolve) => setTimeout(resolve, Math.max(0, time)));
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

// What a browser must be able to do besides what Gradio's own page needs; the README names such browsers.
function missingInBrowser() {
  return [
    ["fetch", window.fetch],
    ["AbortController", window.AbortController],
    ["toBlob", HTMLCanvasElement.prototype.toBlob],
    // Over http to another computer the browser hides these two: that has a message of its own.
    ["randomUUID", !window.isSecureContext || (window.crypto && crypto.randomUUID)],
    ["getUserMedia", !window.isSecureContext || (navigator.mediaDevices && navigator.mediaDevices.getUserMedia)],
  ].filter(([, there]) => !there).map(([name]) => name);
}

// The network did not carry an answer. Whatever else is thrown is a fault of the page and logged as one.
class Disconnected extends Error {}

function troubleOf(error) {
  if (error instanceof Disconnected) return "connection";
  console.error("The panel failed:", error);
  return "page_trouble";
}

// The server's answer, or { reason, wait } where it had none to give; throws Disconnected.
async function ask(url, body, patience = ANSWER_WITHIN) {
  const controller = new AbortController(), timer = setTimeout(() => controller.abort(), patience);
  try {
    const response = await fetch(url, { method: "POST", body, signal: controller.signal });
    if (response.status === 429) return { reason: "busy", wait: 1000 * Number(response.headers.get("Retry-After") || 3) };
    if (response.status >= 500) return { reason: "server_trouble" };
    const answer = await response.json();
    return response.ok || answer.reason ? answer : { reason: "server_trouble", error: answer.error };
  } catch (error) {
    throw new Disconnected(String(error)); // no answer in time, none at all, or another one's than our server's
  } finally {
    clearTimeout(timer);
  }
}

// As `ask`, with a lost connection as one more reason.
async function attempt(url, body, patience) {
  try {
    return await ask(url, body, patience);
  } catch (error) {
    return { reason: troubleOf(error) };
  }
}

let wakeLock = null;

// A tablet that goes to sleep would stop everything. Not every browser can, and it may refuse to save its battery.
async function keepAwake() {
  if (wakeLock && !wakeLock.released) return;
  try {
    wakeLock = await navigator.wakeLock.request("screen");
  } catch {
    wakeLock = null;
  }
}

function mayFallAsleep() {
  wakeLock?.release().catch(() => {});
  wakeLock = null;
}

async function permissionOfCamera() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state;
  } catch {
    return "denied"; // Firefox does not know this name; there a refusal lasts until the page is loaded again
  }
}

// Calls `leave` when nobody sees a panel any more: the page is hidden, or another of its tabs is chosen, and then the panel
// has no size, whether Gradio hides it or takes it away.
function whenOutOfSight(panel, leave) {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
  });
  new ResizeObserver(() => {
    if (!panel.clientWidth) leave();
  }).observe(panel);
}

class Camera {
  #canvas = document.createElement("canvas");
  #stream = null;
  #turn = 0; // counts starts and stops, so that a start notices that it was stopped while the browser was asking

  constructor(video, whenLost) {
    this.video = video;
    this.whenLost = whenLost;
    // Also when a tablet is turned. What the video lies in takes its shape, if its style wants to.
    video.addEventListener("resize", () => {
      const shape = video.videoWidth / video.videoHeight;
      if (shape) video.parentElement.style.setProperty("--shape", Math.max(0.6, shape));
    });
  }

  get isOpen() {
    return Boolean(this.#stream);
  }

  // Whether there is a picture: it comes a moment after the camera is open.
  get films() {
    return this.isOpen && this.video.videoWidth > 0;
  }

  // Resolves to null, or to the key of the message that tells what is in the way.
  async start() {
    if (!window.isSecureContext) return "camera_insecure";
    this.stop();
    const turn = this.#turn;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: LONGEST.width }, height: { ideal: LONGEST.height }, facingMode: "user" },
        audio: false,
      });
    } catch (error) {
      return TROUBLES[error.name] || "camera_missing";
    }
    if (turn !== this.#turn) {
      for (const track of stream.getTracks()) track.stop();
      return null;
    }
    this.#stream = stream;
    // Unplugging ends the track; so does a system that gives the camera to another program.
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (turn !== this.#turn) return;
      this.stop();
      this.whenLost();
    });
    this.video.srcObject = stream;
    try {
      await this.video.play();
    } catch (error) {
      if (turn === this.#turn) throw error; // else it was stopped while it started
    }
    return null;
  }

  stop() {
    this.#turn += 1;
    for (const track of this.#stream?.getTracks() || []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
  }

  // What it sees now, as a JPEG of at most 640x480.
  frame() {
    const { videoWidth, videoHeight } = this.video, canvas = this.#canvas;
    const scale = Math.min(1, LONGEST.width / videoWidth, LONGEST.height / videoHeight);
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the canvas gave no JPEG"))), "image/jpeg", JPEG_QUALITY);
    });
  }
}
