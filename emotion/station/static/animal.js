// The animal of a child, found by the child's code and drawn large. Stands before lesson.js in the same scope, which
// has the page's `language`; `props.animals` holds a picture (a character, or none) and a name for each language.

const LETTERS_AFTER_ANIMAL = 4;
const EMOJI_FONTS = '"Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif';
const CIRCLES = ["#005a8d", "#8a3f00", "#00664b", "#8a2f5c", "#4b3f8f", "#6b5600"]; // white words are read on each

const plainWord = (text) =>
  [...text.normalize("NFKC").toLowerCase().replace(/ё/g, "е")].filter((sign) => /[\p{L}\p{N}]/u.test(sign)).join("");

// The key of the animal of a code in any spelling, with its name in any language; undefined for no animal's.
function animalOf(code) {
  const name = plainWord(code).slice(0, -LETTERS_AFTER_ANIMAL);
  const isCalled = ([key, { names }]) => key === name || Object.values(names).some((word) => plainWord(word) === name);
  return name ? Object.entries(props.animals).find(isCalled)?.[0] : undefined;
}

// Whether this device has a coloured picture of the character. Fonts without one take the text's colour, here red,
// for their outline or for the box that stands for what is missing.
function isDrawnInColour(sign) {
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = 64;
  const pen = sheet.getContext("2d");
  pen.font = `40px ${EMOJI_FONTS}`;
  pen.fillStyle = "#ff0000";
  pen.fillText(sign, 6, 48);
  const { data } = pen.getImageData(0, 0, 64, 64);
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] > 200 && (data[at] < 200 || data[at + 1] > 60 || data[at + 2] > 60)) return true;
  return false;
}

function drawAnimal(place, animal) {
  const { picture, names } = props.animals[animal];
  const asPicture = Boolean(picture) && isDrawnInColour(picture);
  place.textContent = asPicture ? picture : names[language];
  place.dataset.drawn = asPicture ? "picture" : "word";
  place.style.fontFamily = asPicture ? EMOJI_FONTS : "";
  place.style.background = asPicture ? "" : CIRCLES[Object.keys(props.animals).indexOf(animal) % CIRCLES.length];
  const share = Math.min(0.22, 1.2 / names[language].length); // of the circle's width: the word fits into it
  place.style.fontSize = asPicture ? "" : `calc(var(--animal) * ${share})`;
}
