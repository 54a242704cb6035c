"""Everything a teacher reads, in English and Russian: texts, sentences, user errors, and the templates of HTML."""
