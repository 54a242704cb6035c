// The eight bars of the live mode. They follow the answers with a delay, so that they move calmly: what a face did for one
// frame only is hardly seen.

const FOLLOW = 450; // ms in which a bar goes 63 % of its way to a new answer
const FORGET = 3_000; // ms without a face after which the bars begin anew instead of going on from where they were

class Bars {
  #values = null;
  #at = 0;
  #rows;

  // `names` and `colours` by key, in the order in which the bars stand.
  constructor(table, names, colours) {
    this.keys = Object.keys(colours);
    this.#rows = this.keys.map((key) => {
      const row = document.createElement("tr"), name = document.createElement("th");
      const bar = document.createElement("td"), share = document.createElement("td");
      row.dataset.key = key;
      name.scope = "row";
      bar.className = "bar";
      for (const cell of [name, bar]) {
        const patch = document.createElement("i");
        patch.style.background = colours[key];
        cell.append(patch);
      }
      name.append(names[key]);
      row.append(name, bar, share);
      return { row, bar: bar.firstChild, share };
    });
    table.replaceChildren(...this.#rows.map(({ row }) => row));
    this.show(this.keys.map(() => 0), "");
  }

  // The eight smoothed numbers after an answer that came at `now` (ms).
  follow(probabilities, now) {
    const fresh = this.keys.map((key) => probabilities[key]), passed = now - this.#at;
    const step = 1 - Math.exp(-passed / FOLLOW);
    this.#values = this.#values && passed < FORGET ? this.#values.map((old, i) => old + step * (fresh[i] - old)) : fresh;
    this.#at = now;
    this.show(this.#values, this.top);
    return this.#values;
  }

  // The key of the longest bar.
  get top() {
    return this.keys[this.#values.indexOf(Math.max(...this.#values))];
  }

  show(values, top) {
    this.#rows.forEach(({ row, bar, share }, i) => {
      bar.style.width = `${(100 * values[i]).toFixed(1)}%`;
      share.textContent = `${Math.round(100 * values[i])} %`;
      row.classList.toggle("top", this.keys[i] === top);
    });
  }
}
