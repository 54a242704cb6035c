// What outlives a reload while a lesson is recorded: its codes, its pace, and whether it is paused. It is kept in the
// tab's own storage, which no other tab reads and which ends with the tab, and it is deleted when the recording ends.
// Stands before lesson.js in the same scope.

const MEMORY = "recording"; // opening.js reads it too

function storage(use) {
  try {
    return use(window.sessionStorage);
  } catch {
    return null; // a browser may forbid pages to keep anything
  }
}
const recall = () => storage((kept) => JSON.parse(kept.getItem(MEMORY)));
const remember = (what) => storage((kept) => kept.setItem(MEMORY, JSON.stringify(what)));
const forget = () => storage((kept) => kept.removeItem(MEMORY));

const askBeforeLeaving = (event) => {
  event.preventDefault();
  event.returnValue = ""; // Safari and Chrome before 119 ask for this one
};

// While a child takes part there is nothing else to tap on the page, and leaving it asks first.
function holdPage(held) {
  document.documentElement.classList.toggle("in-lesson", held);
  window[held ? "addEventListener" : "removeEventListener"]("beforeunload", askBeforeLeaving);
}
