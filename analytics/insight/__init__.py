"""What a lesson tells afterwards: a child's timeline, summaries, the effect of tasks, trends, teachers' feedback."""
