// Which tab the page opens with: the lesson's for who came by a link with codes.
() => ({ __type__: "update", ...(window.lessonCode || window.childCode ? { selected: "lesson" } : {}) })
