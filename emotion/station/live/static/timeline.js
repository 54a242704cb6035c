// The last two minutes of the eight numbers as stacked areas, with gaps where no face was seen. They live in this page's
// memory alone. Gradio brings Plotly for its own plots only, and a second copy of it would be three megabytes for each
// visitor: a canvas is enough for this.

const SPAN = 120_000; // ms
const GAP = 1_500; // ms between two answers from which on nothing is said of the time between them
const MARGIN = { left: 50, right: 8, top: 8, bottom: 24 };

class Timeline {
  #moments = []; // { time, values }: eight numbers, or null where no face was seen

  constructor(canvas, colours, words) {
    this.canvas = canvas;
    this.colours = Object.values(colours);
    this.words = words;
  }

  add(time, values) {
    this.#moments.push({ time, values });
    while (this.#moments[0].time < time - SPAN - GAP) this.#moments.shift();
  }

  // The means of the eight numbers over what is drawn, null where there is nothing.
  means(now) {
    const seen = this.#moments.filter(({ time, values }) => values && time > now - SPAN);
    return seen.length ? this.colours.map((_, i) => seen.reduce((sum, { values }) => sum + values[i], 0) / seen.length) : null;
  }

  draw(now) {
    const { context, width, height } = prepared(this.canvas);
    const style = getComputedStyle(this.canvas), right = width - MARGIN.right, bottom = height - MARGIN.bottom;
    const x = (time) => right - ((now - time) / SPAN) * (right - MARGIN.left);
    const y = (share) => bottom - share * (bottom - MARGIN.top);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top, right - MARGIN.left, bottom - MARGIN.top);
    context.fillStyle = "rgb(127 127 127 / .12)";
    context.fill();
    context.clip();
    for (const run of this.#runs()) this.#areas(context, run, x, y);
    context.restore();
    context.fillStyle = style.color;
    context.strokeStyle = "rgb(127 127 127 / .5)";
    context.lineWidth = 1;
    context.font = `13px ${style.fontFamily}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const share of [0, 0.5, 1]) context.fillText(`${100 * share} %`, MARGIN.left - 6, y(share) + (share === 1 ? 4 : 0));
    context.textBaseline = "alphabetic";
    for (const minutes of width > 500 ? [2, 1.5, 1, 0.5, 0] : [2, 1, 0]) {
      const place = x(now - 60_000 * minutes);
      context.beginPath();
      context.moveTo(place, bottom);
      context.lineTo(place, bottom + 4);
      context.stroke();
      context.textAlign = minutes === 2 ? "left" : minutes ? "center" : "right";
      const number = minutes.toLocaleString(document.documentElement.lang);
      context.fillText(minutes ? `−${number} ${this.words.minute}` : this.words.now, place, height - 5);
    }
  }

  // Stretches without a gap.
  #runs() {
    const runs = [];
    let run = null;
    for (const moment of this.#moments) {
      if (!moment.values || (run && moment.time - run.at(-1).time > GAP)) run = null;
      if (!moment.values) continue;
      if (!run) runs.push((run = []));
      run.push(moment);
    }
    return runs;
  }

  // From the top down in the order of the bars, so that one finds them in it.
  #areas(context, run, x, y) {
    let upper = run.map(() => 1);
    for (const [i, colour] of this.colours.entries()) {
      const lower = run.map(({ values }, place) => Math.max(0, upper[place] - values[i]));
      context.beginPath();
      run.forEach(({ time }, place) => context.lineTo(x(time), y(upper[place])));
      for (let place = run.length - 1; place >= 0; place -= 1) context.lineTo(x(run[place].time), y(lower[place]));
      context.closePath();
      context.fillStyle = context.strokeStyle = colour;
      context.lineWidth = 0.6; // else a thin line of the ground shows between two areas
      context.fill();
      context.stroke();
      upper = lower;
    }
  }
}
