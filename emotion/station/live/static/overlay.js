// Box and label over the camera's picture. The picture is mirrored, as people know their own face; the words are not.

const GLIDE = 90; // ms in which the box goes 63 % of its way to where the face was seen last
const STALE = 1_500; // ms after which a box without a new answer says nothing any more

class Overlay {
  #box = null; // as it is drawn: left, top, right, bottom in parts of the picture
  #goal = null;
  #seen = 0;
  #drawn = 0;

  constructor(canvas) {
    this.canvas = canvas;
  }

  // `box` in parts of the picture as the camera has it, null without a face.
  aim(box, label, colour, now) {
    this.#goal = box && [1 - box[2], box[1], 1 - box[0], box[3]];
    if (!box) return;
    Object.assign(this, { label, colour });
    this.#seen = now;
  }

  clear() {
    this.#goal = this.#box = null;
    this.draw(0);
  }

  draw(now) {
    const { canvas } = this, { context, width, height } = prepared(canvas);
    if (!this.#goal || now - this.#seen > STALE) {
      this.#box = null;
      return;
    }
    const step = this.#box ? 1 - Math.exp((this.#drawn - now) / GLIDE) : 1;
    this.#box = this.#goal.map((value, i) => (this.#box ? this.#box[i] + step * (value - this.#box[i]) : value));
    this.#drawn = now;
    const [left, top, right, bottom] = this.#box.map((value, i) => value * (i % 2 ? height : width));
    for (const [style, line] of [["black", 5], [this.colour, 3]]) { // the dark rim shows it on a ground of its colour
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(left, top, right - left, bottom - top);
    }
    context.font = `700 16px ${getComputedStyle(canvas).fontFamily}`;
    context.textBaseline = "middle";
    const wide = context.measureText(this.label).width + 14, tall = 26;
    const x = Math.max(0, Math.min(left - 1.5, width - wide)), y = top - tall >= 0 ? top - tall : Math.min(bottom, height - tall);
    context.fillStyle = this.colour;
    context.fillRect(x, y, wide, tall);
    context.fillStyle = inkOn(this.colour);
    context.fillText(this.label, x + 7, y + tall / 2 + 1);
  }
}

// The context of an empty canvas that has as many points as the screen where it stands, and its size in CSS pixels.
function prepared(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight, points = window.devicePixelRatio || 1;
  const size = [Math.round(width * points), Math.round(height * points)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(points, 0, 0, points, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// Black or white, whichever contrasts more with a colour "#rrggbb" (relative luminance of WCAG 2.2).
function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) ? "black" : "white";
}
