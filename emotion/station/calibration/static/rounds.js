// Which expression the game "show me a face" asks for, and when. Reads the game's variables, which calibration.js
// declares in the same scope: what the server and this tablet know of the bursts that are there.

// Calm first, because it is what a child does anyway; then mixed, so that no expression follows its neighbour twice.
const ROUNDS = [
  ["neutral", "happy", "surprise", "angry", "sad", "disgust", "fear", "contempt"],
  ["neutral", "surprise", "sad", "happy", "contempt", "fear", "angry", "disgust"],
  ["neutral", "fear", "happy", "disgust", "angry", "surprise", "contempt", "sad"],
];
const HARD = ["contempt", "disgust"]; // these may be skipped at once, and are not asked for again then
const SKIPPED_AFTER = 2; // tries that failed, of the others
const LEAST = 3; // frames of an expression without which it can't be learned

// How often an expression is behind the child, and what comes next; null after the last.
const done = (label) =>
  game.bursts.filter((one) => one.label === label && one.frames >= LEAST).length + (memory.skipped[label] || 0);
function upcoming() {
  for (let round = 1; round <= game.bursts_per_label; round += 1)
    for (const label of ROUNDS[(round - 1) % ROUNDS.length]) if (done(label) < round) return label;
  return null;
}
const isEnough = () => game.needed.every(
  (label) => game.bursts.reduce((sum, one) => sum + (one.label === label ? one.frames : 0), 0) >= LEAST,
);
const maySkip = () =>
  ["prompt", "failed"].includes(state) && !game.needed.includes(burst.label) &&
  (HARD.includes(burst.label) || burst.tries >= SKIPPED_AFTER);
