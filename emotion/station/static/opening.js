// Which tab the page opens with: the lesson's for who came by a link with codes, or loaded the page again in a lesson.
() => {
  let recorded = null;
  try {
    recorded = sessionStorage.getItem("recording");
  } catch {
    // a browser may forbid pages to keep anything
  }
  const inLesson = window.lessonCode || window.childCode || recorded;
  return { __type__: "update", ...(inLesson ? { selected: "lesson" } : {}) };
}
