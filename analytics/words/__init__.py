"""Everything a teacher reads, in English and Russian: texts, sentences about signals, errors of users."""
